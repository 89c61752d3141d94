"""Lines that go to a provider's own batch API: OpenAI's and Anthropic's, played by `fake_batches`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.journeys.test_batches import CHAT, ended, line, rows_of, submit
from tests.support.fake_batches import FakeBatches, start_fake_batches
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost, wait_until

CONFIG = """
providers:
  openai: {{base_url: "{url}/v1", api_key: "sk-vendor-0123456789abcdef"}}
  anthropic: {{base_url: "{url}/v1", api_key: "sk-ant-0123456789abcdef"}}
  lab: {{dialect: openai_chat, base_url: "{other}/v1", api_key: "x"}}
batches: {{poll_s: 0.2}}
"""


@pytest.fixture
def fake(vendor: FakeBatches) -> FakeBatches:
    vendor.is_quick, vendor.has_batch_api, vendor.answers_lost = True, True, 0
    vendor.unreadable = ""
    vendor.files.clear()
    vendor.batches.clear()
    vendor.requests.clear()
    return vendor


@pytest.fixture(scope="module")
def vendor() -> Iterator[FakeBatches]:
    with start_fake_batches() as fake:
        yield fake


@pytest.fixture(scope="module")
def sternpost(
    tmp_path_factory: pytest.TempPathFactory, vendor: FakeBatches, provider: FakeProvider
) -> Iterator[RunningSternpost]:
    home: Path = tmp_path_factory.mktemp("vendor") / "home"
    with run_sternpost(home, config=CONFIG.format(url=vendor.url, other=provider.url)) as running:
        yield running


@pytest.fixture
def client(sternpost: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{sternpost.base_url}/v1", api_key=sternpost.key) as made:
        yield made


def _bad(model: str) -> dict[str, Any]:
    """A line that the vendor refuses."""
    return line("bad", model, messages=[{"role": "user", "content": "fault-400"}])


def test_openai_runs_the_lines_at_the_price_of_a_batch(
    client: openai.OpenAI, sternpost: RunningSternpost, fake: FakeBatches
) -> None:
    lines = [line(f"long custom id, with letters ü {n}", "openai/gpt-4.1-mini") for n in range(3)]
    batch = ended(client, submit(client, [*lines, _bad("gpt-4.1-mini")]))
    output, errors = rows_of(client, batch.output_file_id), rows_of(client, batch.error_file_id)
    row = output[lines[1]["custom_id"]]
    span = sternpost.trace(row["sternpost"]["trace_id"])["spans"][0]
    usage = row["response"]["body"]["usage"]

    assert set(output) == {one["custom_id"] for one in lines}
    assert errors["bad"]["response"]["status_code"] == 400
    sent = [json.loads(one) for one in fake.files["file-1"].splitlines()]
    assert {one["body"]["model"] for one in sent} == {"gpt-4.1-mini"}
    assert fake.requests[0][2]["authorization"] == "Bearer sk-vendor-0123456789abcdef"
    # gpt-4.1-mini as a batch: $0.20 in, $0.80 out per million, half of $0.40 and $1.60
    expected = (usage["prompt_tokens"] * 0.20 + usage["completion_tokens"] * 0.80) / 1e6
    assert float(row["sternpost"]["cost_usd"]) == pytest.approx(expected, abs=2e-9)
    assert span["cost_usd"] == row["sternpost"]["cost_usd"]
    assert span["facts"]["batch_id"] == batch.id
    assert [span["facts"]["provider_batch_id"]] == list(fake.batches)


def test_anthropic_runs_translated_lines(
    client: openai.OpenAI, sternpost: RunningSternpost, fake: FakeBatches
) -> None:
    lines = [line("one", "claude-haiku-4-5"), _bad("claude-haiku-4-5")]
    batch = ended(client, submit(client, lines))
    output, errors = rows_of(client, batch.output_file_id), rows_of(client, batch.error_file_id)
    sent = json.loads(next(body for what, body, _ in fake.requests if what == "POST /v1/messages/batches"))
    span = sternpost.trace(output["one"]["sternpost"]["trace_id"])["spans"][0]

    assert sent["requests"][0]["params"]["max_tokens"] == 64_000
    assert output["one"]["response"]["body"]["object"] == "chat.completion"
    assert output["one"]["response"]["body"]["choices"][0]["message"]["content"]
    assert errors["bad"]["response"]["body"]["error"]["type"] == "invalid_request_error"
    # claude-haiku-4-5 as a batch: $0.50 in, $2.50 out per million
    usage = output["one"]["response"]["body"]["usage"]
    expected = (usage["prompt_tokens"] * 0.50 + usage["completion_tokens"] * 2.50) / 1e6
    assert float(output["one"]["sternpost"]["cost_usd"]) == pytest.approx(expected, abs=2e-9)
    assert span["attributes"]["dialect_out"] == "anthropic"
    assert span["output"][0]["parts"][0]["content"]


def test_each_model_is_a_job_of_its_own_and_the_rest_is_queued(
    client: openai.OpenAI, fake: FakeBatches
) -> None:
    models = ("gpt-4.1", "gpt-4.1-mini", "claude-haiku-4-5", "lab/m1", "lab/m1", "gpt-4.1")
    batch = ended(client, submit(client, [line(f"{n}", model) for n, model in enumerate(models)]))

    assert set(rows_of(client, batch.output_file_id)) == {"0", "1", "2", "3", "4", "5"}
    assert len(fake.batches) == 3


def test_a_host_without_a_batch_api_is_called_line_by_line(
    client: openai.OpenAI, sternpost: RunningSternpost, fake: FakeBatches
) -> None:
    fake.has_batch_api = False
    batch = ended(client, submit(client, [line("one", "gpt-4.1")]))
    errors = rows_of(client, batch.error_file_id)

    assert errors["one"]["response"]["status_code"] == 404  # this fake has no chats either: it was asked
    assert any(what == f"POST {CHAT}" for what, _, _ in fake.requests)


@pytest.mark.parametrize("model", ["gpt-4.1", "claude-haiku-4-5"])
def test_a_cancel_reaches_the_vendor(model: str, client: openai.OpenAI, fake: FakeBatches) -> None:
    fake.is_quick = False
    batch_id = submit(client, [line("one", model), line("two", model)])
    wait_until(lambda: fake.batches)
    client.batches.cancel(batch_id)
    batch = ended(client, batch_id)
    errors = rows_of(client, batch.error_file_id)

    assert batch.status == "cancelled"
    assert {row["error"]["code"] for row in errors.values()} == {"batch_cancelled"}
    assert any(what.endswith("/cancel") for what, _, _ in fake.requests)


@pytest.mark.parametrize("model", ["gpt-4.1", "claude-haiku-4-5"])
def test_a_vendors_batch_survives_a_kill_of_the_worker(
    model: str, client: openai.OpenAI, sternpost: RunningSternpost, fake: FakeBatches
) -> None:
    fake.is_quick = False
    batch_id = submit(client, [line(f"{n}", model) for n in range(10)])

    def polls() -> int:
        return sum(what.startswith("GET") for what, _, _ in fake.requests)

    wait_until(lambda: polls() >= 2)  # its id is written down before it is looked for
    sternpost.kill("worker")
    fake.finish()
    batch: Any = ended(client, batch_id)

    assert set(rows_of(client, batch.output_file_id)) == {f"{n}" for n in range(10)}
    assert len(fake.batches) == 1


@pytest.mark.parametrize("model", ["gpt-4.1", "claude-haiku-4-5"])
def test_a_batch_whose_making_was_never_answered_is_found_and_not_made_twice(
    model: str, client: openai.OpenAI, fake: FakeBatches
) -> None:
    fake.answers_lost = 1
    batch: Any = ended(client, submit(client, [line("one", model), line("two", model)]))

    assert set(rows_of(client, batch.output_file_id)) == {"one", "two"}
    assert len(fake.batches) == 1


def test_while_a_lost_batch_can_not_be_told_from_others_none_is_made(
    client: openai.OpenAI, fake: FakeBatches
) -> None:
    fake.answers_lost, fake.is_quick = 1, False  # Anthropic shows the lines of a batch at its end alone
    batch_id = submit(client, [line("one", "claude-haiku-4-5")])

    def looks() -> int:
        return sum("batches?" in what for what, _, _ in fake.requests)

    wait_until(lambda: looks() >= 2)
    assert len(fake.batches) == 1
    fake.finish()
    assert set(rows_of(client, ended(client, batch_id).output_file_id)) == {"one"}
    assert len(fake.batches) == 1


@pytest.mark.parametrize("model", ["gpt-4.1", "claude-haiku-4-5"])
def test_a_batch_whose_vendor_can_not_be_read_says_so_until_it_can(
    model: str, client: openai.OpenAI, sternpost: RunningSternpost, fake: FakeBatches
) -> None:
    fake.unreadable = "<html>away</html>"
    batch_id = submit(client, [line("one", model)])

    def reason() -> str | None:
        return sternpost.get(f"/api/batches/{batch_id}")["waits_because"]

    wait_until(reason)
    assert "can't be read" in (reason() or "")
    assert client.batches.retrieve(batch_id).model_extra == {
        "sternpost": {
            "cost_usd": "0",
            "unknown_costs": 0,
            "waits_until": None,
            "waits_because": reason(),
        }
    }
    shown = [sys.executable, "-m", "sternpost.cli.main", "batch", "show", batch_id]
    answer = subprocess.run(
        [*shown, "--home", str(sternpost.home)], capture_output=True, text=True, check=True
    )
    assert (reason() or "no reason") in answer.stdout
    fake.unreadable = ""
    ended(client, batch_id)
    assert reason() is None
