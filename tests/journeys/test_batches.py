"""Batches by the official `openai` SDK: Sternpost's own queue, its errors, limits, cancels and kills."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from sternpost.assembly.local import open_access
from sternpost.base.settings import Settings
from sternpost.contracts.key_scope import KeyScope
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost, wait_until

CONFIG = """
providers:
  lab: {{dialect: openai_chat, base_url: "{url}/v1", api_key: "lab-key"}}
  labant: {{dialect: anthropic, base_url: "{url}/v1", api_key: "lab-key"}}
prices:
  - {{model: lab/m1, input_usd: "1.00", output_usd: "2.00"}}
batches: {{concurrency: 4}}
"""
CHAT = "/v1/chat/completions"
ENDED = {"completed", "failed", "expired", "cancelled"}


@pytest.fixture(scope="module")
def sternpost(tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider) -> Iterator[RunningSternpost]:
    home = tmp_path_factory.mktemp("batches") / "home"
    with run_sternpost(home, config=CONFIG.format(url=provider.url)) as running:
        yield running


@pytest.fixture
def client(sternpost: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{sternpost.base_url}/v1", api_key=sternpost.key) as made:
        yield made


def line(custom_id: str, model: str = "lab/m1", *, url: str = CHAT, **body: Any) -> dict[str, Any]:
    asked = body or {"messages": [{"role": "user", "content": f"Say {custom_id}."}]}
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": {"model": model, **asked}}


def submit(client: openai.OpenAI, lines: list[Any], endpoint: Any = CHAT, **more: Any) -> str:
    rows = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    file = client.files.create(file=("in.jsonl", "\n".join(rows).encode()), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more)
    assert batch.status == "validating"
    return batch.id


def ended(client: openai.OpenAI, batch_id: str, timeout_s: float = 60.0) -> Any:
    def probe() -> Any:
        batch = client.batches.retrieve(batch_id)
        return batch if batch.status in ENDED else None

    return wait_until(probe, timeout_s=timeout_s, what=f"the end of {batch_id}")


def rows_of(client: openai.OpenAI, file_id: str | None) -> dict[str, Any]:
    if file_id is None:
        return {}
    rows = [json.loads(row) for row in client.files.content(file_id).text.splitlines()]
    assert len({row["custom_id"] for row in rows}) == len(rows)
    return {row["custom_id"]: row for row in rows}


def test_lines_are_answered_priced_and_traced(client: openai.OpenAI, sternpost: RunningSternpost) -> None:
    batch_id = submit(
        client, [line(f"c-{n}") for n in range(20)] + [line("bad", "lab/fault-400")], metadata={"team": "a"}
    )
    batch = ended(client, batch_id)
    output, errors = rows_of(client, batch.output_file_id), rows_of(client, batch.error_file_id)

    assert batch.status == "completed"
    assert (batch.request_counts.completed, batch.request_counts.failed) == (20, 1)
    assert batch.metadata == {"team": "a"}
    assert set(output) == {f"c-{n}" for n in range(20)}
    assert errors["bad"]["response"]["status_code"] == 400
    # each answer: 15 or 16 tokens in at $1, 8 out at $2 per million
    costs = [float(row["sternpost"]["cost_usd"]) for row in output.values()]
    assert float(batch.sternpost["cost_usd"]) == pytest.approx(sum(costs))
    assert min(costs) > 0
    span = sternpost.trace(output["c-3"]["sternpost"]["trace_id"])["spans"][0]
    assert span["facts"]["batch_id"] == batch_id
    assert span["facts"]["batch_custom_id"] == "c-3"
    assert span["attributes"]["key_id"]


def test_every_endpoint_takes_batches(client: openai.OpenAI) -> None:
    asked = {
        "/v1/responses": line("r", url="/v1/responses", input="Say r."),
        "/v1/embeddings": line("e", url="/v1/embeddings", input=["one", "two"]),
        "/v1/messages": line(
            "m",
            "labant/m1",
            url="/v1/messages",
            max_tokens=50,
            messages=[{"role": "user", "content": "Say m."}],
        ),
    }
    ids = {url: submit(client, [one], url) for url, one in asked.items()}
    found = {
        url: next(iter(rows_of(client, ended(client, one).output_file_id).values()))
        for url, one in ids.items()
    }
    bodies = {url: row["response"]["body"] for url, row in found.items()}

    assert bodies["/v1/responses"]["object"] == "response"
    assert len(bodies["/v1/embeddings"]["data"]) == 2
    assert bodies["/v1/messages"]["type"] == "message"
    assert found["/v1/messages"]["sternpost"]["cost_usd"] is None  # this model has no price: unknown, not 0


def test_a_file_that_cannot_be_run_names_its_lines(client: openai.OpenAI) -> None:
    lines = [
        line("a"),
        "{not json",
        line("a"),
        {"method": "POST", "url": CHAT, "body": {"model": "lab/m1"}},
        line("b", url="/v1/embeddings"),
        line("c", "no-such-model"),
        line("d", messages=[], stream=True),
    ]
    batch = ended(client, submit(client, lines))

    assert batch.status == "failed"
    assert [(one.line, one.code) for one in batch.errors.data] == [
        (2, "invalid_json_line"),
        (3, "duplicate_custom_id"),
        (4, "missing_custom_id"),
        (5, "invalid_url"),
        (6, "model_not_found"),
        (7, "stream_not_possible"),
    ]


def test_a_rate_limit_delays_lines_and_fails_none(client: openai.OpenAI, provider: FakeProvider) -> None:
    model = "lab/fault-429?times=8&id=batch-429&retry_after=0.3"
    batch = ended(client, submit(client, [line(f"w-{n}", model) for n in range(6)]))

    assert (batch.request_counts.completed, batch.request_counts.failed) == (6, 0)


def test_a_cancelled_batch_keeps_what_was_done(client: openai.OpenAI) -> None:
    slow = "lab/fault-slow-status?seconds=0.3"
    batch_id = submit(client, [line(f"s-{n}", slow) for n in range(200)])
    wait_until(lambda: client.batches.retrieve(batch_id).request_counts.completed >= 4)
    assert client.batches.cancel(batch_id).status == "cancelling"
    batch = ended(client, batch_id)
    output, errors = rows_of(client, batch.output_file_id), rows_of(client, batch.error_file_id)

    assert batch.status == "cancelled"
    assert len(output) + len(errors) == 200
    assert len(output) >= 4
    assert {row["error"]["code"] for row in errors.values()} == {"batch_cancelled"}


def test_the_batches_of_a_revoked_key_are_cancelled(sternpost: RunningSternpost) -> None:
    key = sternpost.key_with(KeyScope.CALLS, KeyScope.FILES)
    with openai.OpenAI(base_url=f"{sternpost.base_url}/v1", api_key=key) as client:
        batch_id = submit(client, [line(f"r-{n}", "lab/fault-slow-status?seconds=0.3") for n in range(200)])
        wait_until(lambda: client.batches.retrieve(batch_id).request_counts.completed >= 4)
    with open_access(Settings(home=sternpost.home)) as access:
        access.revoke_key(sternpost.get(f"/api/batches/{batch_id}")["key_id"])

    def probe() -> Any:
        batch = sternpost.get(f"/api/batches/{batch_id}")
        return batch if batch["status"] in ENDED else None

    batch = wait_until(probe, what="the end of the batch")
    assert batch["status"] == "cancelled"
    assert 4 <= batch["completed"] < 200


def test_files_are_listed_read_and_deleted(client: openai.OpenAI, sternpost: RunningSternpost) -> None:
    content = json.dumps(line("x")).encode() + b"\n"
    file = client.files.create(file=("näme.jsonl", content), purpose="batch")

    assert client.files.retrieve(file.id).filename == "näme.jsonl"
    assert client.files.content(file.id).read() == content
    assert file.id in {one.id for one in client.files.list(limit=5)}
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    with pytest.raises(openai.BadRequestError, match="purpose"):
        client.files.create(file=("a.txt", b"x"), purpose="assistants")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sp-wrong").files.list()


@pytest.mark.parametrize("doomed", ["worker", "serve", "engine"])
def test_half_finished_work_survives_a_kill(
    doomed: str, client: openai.OpenAI, sternpost: RunningSternpost, provider: FakeProvider
) -> None:
    provider.reset()
    slow = "lab/fault-slow-status?seconds=0.05"
    batch_id = submit(client, [line(f"k-{n}", slow) for n in range(120)])
    wait_until(lambda: client.batches.retrieve(batch_id).request_counts.completed >= 20)
    sternpost.kill(doomed)
    sternpost.wait_ready()
    batch = ended(client, batch_id, 90)
    asked = Counter(
        json.loads(one["body"])["messages"][0]["content"]
        for one in provider.requests()
        if one["model"] == slow.removeprefix("lab/")
    )

    assert batch.status == "completed"
    assert set(rows_of(client, batch.output_file_id)) == {f"k-{n}" for n in range(120)}
    assert len(asked) == 120
    # Only what was under way at the kill, at most the concurrency of 4, was asked again.
    assert sum(count - 1 for count in asked.values()) <= 4


def test_an_upload_over_the_limit_is_refused_and_leaves_nothing(
    tmp_path: Path, provider: FakeProvider
) -> None:
    environment = {"STERNPOST_MAX_FILE_BYTES": "300000"}
    config = CONFIG.format(url=provider.url)
    with run_sternpost(tmp_path / "home", config=config, environment=environment) as running:
        with openai.OpenAI(base_url=f"{running.base_url}/v1", api_key=running.key, max_retries=0) as client:
            for size in (310_000, 2_000_000):
                with pytest.raises(openai.APIStatusError, match="STERNPOST_MAX_FILE_BYTES") as caught:
                    client.files.create(file=("big.jsonl", b"x" * size), purpose="batch")
                assert caught.value.status_code == 413
        assert list((tmp_path / "home" / "files").glob("*")) == []
