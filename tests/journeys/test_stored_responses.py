"""What a provider keeps outlives the process that passed it on: ids are found again, costs are settled."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.conftest import CONFIG
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost, wait_until


@pytest.fixture
def own_sternpost(tmp_path: Path, provider: FakeProvider) -> Iterator[RunningSternpost]:
    with run_sternpost(tmp_path / "home", config=CONFIG.format(url=provider.url)) as running:
        yield running


def client_of(sternpost: RunningSternpost) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{sternpost.base_url}/v1", api_key=sternpost.key, max_retries=0)


def gateway_span(sternpost: RunningSternpost, trace_id: str) -> dict[str, object]:
    return next(span for span in sternpost.trace(trace_id)["spans"] if span["type"] == "gateway")


def test_a_call_goes_on_from_an_id_that_an_earlier_process_passed_on(
    own_sternpost: RunningSternpost, provider: FakeProvider
) -> None:
    with client_of(own_sternpost) as client:
        first = client.responses.with_raw_response.create(model="labres/m1", input="hello")
        own_sternpost.trace(first.headers["x-sternpost-trace-id"], spans=2)  # the record is in the store
        own_sternpost.kill("serve")
        own_sternpost.wait_ready()
        onward = client.responses.with_raw_response.create(
            model="twofold", input="go on", previous_response_id=first.parse().id
        )
        kept = client.responses.retrieve(first.parse().id)
    assert onward.headers["x-sternpost-target"] == "labres/m1"  # the route's first target is another provider
    assert kept.id == first.parse().id


def test_a_background_reply_is_settled_when_it_is_done_even_over_a_kill(
    own_sternpost: RunningSternpost,
) -> None:
    with client_of(own_sternpost) as client:
        asked = client.responses.with_raw_response.create(model="labres/m1", input="think", background=True)
        own_sternpost.kill("serve")
        own_sternpost.wait_ready()
    trace_id = asked.headers["x-sternpost-trace-id"]
    assert asked.parse().status == "queued"

    wait_until(
        lambda: gateway_span(own_sternpost, trace_id)["cost_status"] == "computed",
        timeout_s=30,
        what="the settled call",
    )
    span = gateway_span(own_sternpost, trace_id)
    # 1,000 tokens in at $1 and 500 out at $2 per million
    assert span["cost_usd"] == "0.002"
    assert "made in the background" in str(span["output"])
    assert not list((own_sternpost.home / "background").iterdir())
