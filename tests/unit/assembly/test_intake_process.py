"""A real intake process: what it answers, and that nothing acknowledged is lost when it dies."""

import asyncio
import gzip
import json
import os
import signal
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from sternpost.assembly.intake_process import Hello
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.clock import SystemClock
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.contracts.call import Principal
from sternpost.contracts.journal import BatchEntry, JournalEntry
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.span import SpanBundle
from sternpost.ingest.apart import IntakeApart, Prepared
from sternpost.ingest.flow import OtlpIntake
from sternpost.ingest.records import OtlpReply
from tests.support.polling import until
from tests.unit.ingest.support import OWNER, PRICES, PROJECT, fixture, protobuf

COMMAND = [sys.executable, "-m", "sternpost.assembly.intake_process"]
ONLY_SCORES = Principal(PROJECT, OWNER.key_id, "scores", scopes=frozenset({KeyScope.SCORES_WRITE}))


class Desk:
    """An intake whose process runs on a folder of its own; close what it made with `end`."""

    def __init__(self, home: Path, *, most_bytes: int = 64_000_000) -> None:
        hello = msgspec.msgpack.encode(Hello(str(home), [], {}))
        self.apart = IntakeApart(COMMAND, Prepared("first", hello), most_bytes=most_bytes)
        self.journal = SegmentJournal(home / "journal")
        self.intake = OtlpIntake(
            self.journal, PRICES, SystemClock(), max_body_bytes=50_000_000, apart=self.apart
        )
        self._reader = SegmentReader(home / "journal")

    async def send(
        self, body: bytes, *, content_type: str = "application/json", principal: Principal = OWNER
    ) -> OtlpReply:
        return await self.intake.handle(
            content_type=content_type, content_encoding="gzip", body=gzip.compress(body), principal=principal
        )

    async def send_plain(self, body: bytes) -> OtlpReply:
        return await self.intake.handle(
            content_type="application/json", content_encoding="", body=body, principal=OWNER
        )

    def signal(self, number: signal.Signals) -> None:
        pid = self.apart.pid
        assert pid is not None
        os.kill(pid, number)

    def written(self) -> list[SpanBundle]:
        records = self._reader.read(max_records=100_000, max_bytes=10**9)
        entries = [msgspec.msgpack.decode(record.payload, type=JournalEntry) for record in records]
        return [entry.batch for entry in entries if isinstance(entry, BatchEntry)]

    def span_ids(self) -> set[str]:
        return {span.span_id for batch in self.written() for span in batch.spans}

    async def end(self) -> None:
        await self.apart.close()
        self.journal.close()
        self._reader.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("STERNPOST_")]:
        monkeypatch.delenv(name)
    return tmp_path


def request_of(first: int, count: int, *, is_sound: bool = True) -> bytes:
    spans = [
        {
            "traceId": f"{number + 1:032x}" if is_sound else "00",
            "spanId": f"{number + 1:016x}",
            "name": "step",
            "startTimeUnixNano": "1763700000000000000",
            "endTimeUnixNano": "1763700001000000000",
        }
        for number in range(first, first + count)
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


async def test_the_process_answers_and_keeps_what_serve_would(home: Path) -> None:
    desk = Desk(home)
    taken = await desk.send(fixture("otel_genai"))
    as_protobuf = await desk.send(protobuf(fixture("otel_genai")), content_type="application/x-protobuf")
    partly = await desk.send(request_of(0, 2, is_sound=False))
    refused = await desk.send(request_of(0, 1), principal=ONLY_SCORES)
    broken = await desk.send(b"{")
    assert (taken.status, taken.body) == (200, b"{}")
    assert (as_protobuf.status, as_protobuf.headers["content-type"]) == (200, "application/x-protobuf")
    assert json.loads(partly.body)["partialSuccess"]["rejectedSpans"] == "2"
    assert json.loads(refused.body)["partialSuccess"]["rejectedSpans"] == "1"
    assert broken.status == 400
    first, second = desk.written()
    assert [span.span_id for span in first.spans] == [span.span_id for span in second.spans]
    counts = desk.intake.counts
    assert (counts.requests, counts.refused, counts.rejected_spans) == (5, 1, 3)
    assert counts.spans == 2 * len(first.spans)
    await desk.end()


async def test_other_prices_are_taken_over_by_the_process_that_runs(home: Path) -> None:
    desk = Desk(home)
    await desk.send(fixture("otel_genai"))
    pid = desk.apart.pid
    first = desk.written()[0].spans
    names = {
        (span.model.provider, span.model.response_model or span.model.request_model)
        for span in first
        if span.usage is not None
    }
    overrides = [
        PriceEntry(model=f"{provider}/{model}", input_usd=Decimal(1000), output_usd=Decimal(1000))
        for provider, model in names
    ]
    desk.apart.renew(Prepared("second", msgspec.msgpack.encode(Hello(str(home), overrides, {}))))
    await until(lambda: desk.apart.digest == "second")
    await desk.send(fixture("otel_genai"))

    second = desk.written()[0].spans
    assert [span.cost for span in first] != [span.cost for span in second]
    assert desk.apart.pid == pid
    await desk.end()


async def test_small_requests_start_no_process_until_they_are_many(home: Path) -> None:
    desk = Desk(home)
    assert (await desk.send_plain(request_of(0, 1))).status == 200
    assert desk.apart.pid is None
    while desk.apart.pid is None:
        assert (await desk.send_plain(request_of(1, 1))).status == 200
    assert desk.intake.counts.requests == desk.intake.counts.spans
    await desk.end()


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(home: Path) -> None:
    desk = Desk(home)
    acknowledged: set[str] = set()
    refused: list[OtlpReply] = []
    killed: set[int | None] = {None}
    is_over = asyncio.Event()

    async def send_on(sender: int) -> None:
        number = sender * 10_000_000
        while not is_over.is_set():
            reply = await desk.send(request_of(number, 50))
            if reply.status == 200:
                acknowledged.update(f"{one + 1:016x}" for one in range(number, number + 50))
            else:
                refused.append(reply)
            number += 50

    async def kill_each() -> None:
        for _ in range(3):
            enough = len(acknowledged) + 300
            await until(lambda: len(acknowledged) >= enough and desk.apart.pid not in killed, 60)  # noqa: B023
            killed.add(desk.apart.pid)
            desk.signal(signal.SIGKILL)
        is_over.set()

    async with asyncio.TaskGroup() as group:
        for sender in range(4):
            group.create_task(send_on(sender))
        group.create_task(kill_each())
    assert refused
    assert {(reply.status, reply.headers["retry-after"]) for reply in refused} == {(503, "5")}
    assert acknowledged <= desk.span_ids()
    assert desk.apart.ends == 3
    assert desk.apart.state()[1] == "the intake process ended unexpectedly 3 times since the start"
    await desk.end()


async def test_what_waits_is_bounded_and_the_rest_is_sent_again(home: Path) -> None:
    desk = Desk(home, most_bytes=1)
    assert (await desk.send(request_of(0, 1))).status == 200
    desk.signal(signal.SIGSTOP)
    waits = asyncio.create_task(desk.send(request_of(1, 1)))
    await asyncio.sleep(0)  # it is on its way
    too_much = await desk.send(request_of(2, 1))
    desk.signal(signal.SIGCONT)
    assert (too_much.status, too_much.headers["retry-after"]) == (503, "5")
    assert (await waits).status == 200
    assert desk.span_ids() == {f"{1:016x}", f"{2:016x}"}
    await desk.end()


async def test_a_process_that_hangs_is_replaced(home: Path) -> None:
    desk = Desk(home)
    assert (await desk.send(request_of(0, 1))).status == 200
    first, usual_s = desk.apart.pid, desk.apart.patience_s
    desk.signal(signal.SIGSTOP)
    desk.apart.patience_s = 0.1
    assert (await desk.send(request_of(1, 1))).status == 503
    desk.apart.patience_s = usual_s
    assert (await desk.send(request_of(2, 1))).status == 200
    assert desk.apart.pid != first
    await desk.end()


async def test_what_is_on_its_way_is_finished_at_the_end(home: Path) -> None:
    desk = Desk(home)
    assert (await desk.send(request_of(0, 1))).status == 200
    waits = [asyncio.create_task(desk.send(request_of(number, 100))) for number in range(0, 1000, 100)]
    await asyncio.sleep(0)  # they are on their way
    await desk.apart.close()
    assert {(await one).status for one in waits} == {200}
    assert len(desk.span_ids()) == 1000
    assert (await desk.send(request_of(0, 1))).status == 503
    await desk.end()


async def test_a_process_that_cannot_start_refuses_requests(home: Path) -> None:
    desk = Desk(home)
    desk.apart = IntakeApart([sys.executable, "-c", "raise SystemExit(3)"], Prepared("", b""))
    desk.intake = OtlpIntake(desk.journal, PRICES, SystemClock(), max_body_bytes=1_000_000, apart=desk.apart)
    replies = [await desk.send(request_of(0, 1)) for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 503, 503]
    await desk.end()


async def test_langfuse_events_are_mapped_by_the_process_which_remembers_what_was_told(home: Path) -> None:
    desk = Desk(home)

    async def send(kind: str, **body: object) -> OtlpReply:
        event = {"id": "e", "type": kind, "body": {"id": "g", "traceId": "t", **body}}
        return await desk.intake.handle_langfuse(
            "langfuse_events",
            content_encoding="",
            body=json.dumps({"batch": [event]}).encode(),
            principal=OWNER,
        )

    begun = await send(
        "generation-create", name="answer", model="gpt-5-mini", startTime="2026-11-20T12:00:00Z"
    )
    ended = await send("generation-update", output="It is warm.", endTime="2026-11-20T12:00:01Z")
    score = b'{"traceId": "t", "name": "helpful", "value": 1}'
    scored = await desk.intake.handle_langfuse(
        "langfuse_scores", content_encoding="gzip", body=gzip.compress(score), principal=OWNER
    )
    broken = await desk.intake.handle_langfuse(
        "langfuse_events", content_encoding="", body=b"{", principal=OWNER
    )
    assert desk.apart.pid is not None
    assert (begun.status, ended.status, scored.status) == (207, 207, 200)
    assert (broken.status, json.loads(broken.body)["code"]) == (400, "bad_request")
    *_, last, scores = desk.written()
    assert [(one.name, one.model.request_model, one.preview_output) for one in last.spans] == [
        ("answer", "gpt-5-mini", "It is warm.")
    ]
    assert [one.name for one in scores.scores] == ["helpful"]
    assert (desk.intake.counts.requests, desk.intake.counts.spans, desk.intake.counts.scores) == (4, 2, 1)
    await desk.end()
