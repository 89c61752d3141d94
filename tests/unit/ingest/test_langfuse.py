"""What Langfuse's SDKs send beside OTLP: events of older versions, scores, media."""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from sternpost.base.clock import ManualClock
from sternpost.base.errors import BadRequest, BodyTooLarge, EncodingRefused, KeyRefused
from sternpost.contracts.message import Json
from sternpost.contracts.span import SpanType
from sternpost.contracts.usage import Usage
from sternpost.ingest.langfuse_flow import LangfuseIntake
from sternpost.ingest.mapping.media import apart_hash
from tests.unit.ingest.support import NOON, OWNER, PRICES, Desk, by_name, texts

TRACE, GENERATION = "0b0c0d0e-0000-4000-8000-000000000001", "0b0c0d0e-0000-4000-8000-000000000002"
AT, END = "2026-11-20T12:00:00.000Z", "2026-11-20T12:00:01.000Z"


class Langfuse:
    """The intake with its journal and its clock."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder)
        self.clock = ManualClock(NOON + 10**9)
        self.intake = LangfuseIntake(
            self.desk.intake.keep, PRICES, self.clock, max_body_bytes=8_000_000, secret=b"s" * 32
        )

    async def send(self, *events: tuple[str, dict[str, Json]]) -> dict[str, Json]:
        batch = [
            {"id": f"e{n}", "timestamp": AT, "type": kind, "body": body}
            for n, (kind, body) in enumerate(events)
        ]
        return dict(await self.intake.take_events(json.dumps({"batch": batch}).encode(), OWNER))


@pytest.fixture
def langfuse(tmp_path: Path) -> Iterator[Langfuse]:
    langfuse = Langfuse(tmp_path / "journal")
    yield langfuse
    langfuse.desk.close()


BEGUN: dict[str, Json] = {
    "id": GENERATION, "traceId": TRACE, "name": "answer", "startTime": AT, "model": "gpt-5-mini",
    "modelParameters": {"temperature": 0}, "input": [{"role": "user", "content": "How warm?"}],
}  # fmt: skip
ENDED: dict[str, Json] = {
    "id": GENERATION, "traceId": TRACE, "endTime": END,
    "output": {"role": "assistant", "content": "It is warm."},
    "usage": {"promptTokens": 100, "completionTokens": 50, "totalTokens": 150},
}  # fmt: skip


async def test_events_of_a_call_in_two_requests_are_one_span(langfuse: Langfuse) -> None:
    await langfuse.send(
        ("trace-create", {"id": TRACE, "name": "weather", "userId": "ada", "input": "How warm?"}),
        ("generation-create", BEGUN),
    )
    answer = await langfuse.send(("generation-update", ENDED))
    first, second = langfuse.desk.written()
    root, (span,) = by_name(first)["weather"], second.spans
    assert answer["errors"] == []
    assert (span.type, span.model.request_model, span.usage) == (
        SpanType.LLM, "gpt-5-mini", Usage(in_fresh=100, out_text=50),
    )  # fmt: skip
    assert (span.span_id, span.parent_span_id) == (by_name(first)["answer"].span_id, root.span_id)
    assert (span.trace_id, span.trace.user_id, span.trace.trace_name) == (
        TRACE.replace("-", ""),
        "ada",
        "weather",
    )
    assert texts(second, span.output_hashes) == [("assistant", "It is warm.")]
    assert (span.ended_ns - span.started_ns, root.preview_input) == (10**9, "How warm?")


async def test_an_event_that_cannot_be_read_leaves_the_others(langfuse: Langfuse) -> None:
    answer = await langfuse.send(
        ("novel-thing", {"id": "x"}), ("span-create", {"id": "s", "traceId": TRACE, "name": "s"})
    )
    assert answer["successes"] == [{"id": "e1", "status": 201}]
    assert [error["id"] for error in answer["errors"]] == ["e0"]  # type: ignore[index,union-attr]
    assert set(by_name(langfuse.desk.written()[0])) == {"s"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"value": 0.5}, ("numeric", 0.5, "")),
        ({"value": 1, "dataType": "BOOLEAN"}, ("boolean", 1.0, "")),
        ({"value": "good", "dataType": "CATEGORICAL"}, ("category", None, "good")),
        ({"value": "good"}, ("category", None, "good")),
    ],
)
async def test_scores_arrive_as_scores(
    langfuse: Langfuse, fields: dict[str, Json], expected: tuple[str, float | None, str]
) -> None:
    body: dict[str, Json] = {
        "id": "s1",
        "traceId": TRACE,
        "observationId": GENERATION,
        "name": "helpful",
        **fields,
    }
    await langfuse.intake.take_scores(json.dumps(body).encode(), OWNER)
    await langfuse.send(("score-create", body))
    one, other = (batch.scores[0] for batch in langfuse.desk.written())
    assert one == other
    assert ((one.kind, one.value, one.label), one.trace_id) == (expected, TRACE.replace("-", ""))


async def test_a_score_without_a_trace_says_so(langfuse: Langfuse) -> None:
    with pytest.raises(BadRequest, match="traceId"):
        await langfuse.intake.take_scores(b'{"name": "x", "value": 1}', OWNER)


async def test_a_list_of_scores_is_taken_one_by_one(langfuse: Langfuse) -> None:
    body = [{"traceId": TRACE, "name": "helpful", "value": 1}, {"name": "lost", "value": 1}, 7]
    taken = await langfuse.intake.take_scores(json.dumps(body).encode(), OWNER)
    (batch,) = langfuse.desk.written()
    assert (taken.status, taken.answer["accepted"], taken.answer["rejected"]) == (207, 1, 2)
    assert [score.name for score in batch.scores] == ["helpful"]


PICTURE = b"\x89PNG\r\n\x1a\n and more"


def opened(langfuse: Langfuse) -> tuple[str, str]:
    digest = b64encode(sha256(PICTURE).digest()).decode()
    asked = {"traceId": TRACE, "contentType": "image/png", "sha256Hash": digest, "field": "input"}
    upload = langfuse.intake.open_upload(json.dumps(asked).encode(), OWNER)
    return upload.media_id, upload.token


async def test_a_medium_sent_apart_is_the_blob_of_its_message(langfuse: Langfuse) -> None:
    media_id, token = opened(langfuse)
    await langfuse.intake.take_medium(token, PICTURE)
    url = f"@@@langfuseMedia:type=image/png|id={media_id}|source=base64_data_uri@@@"
    part: Json = {"type": "image_url", "image_url": {"url": url}}
    await langfuse.send(("generation-create", {**BEGUN, "input": [{"role": "user", "content": [part]}]}))
    sent, told = langfuse.desk.written()
    (blob,) = sent.blobs
    (content,) = (one for one in told.contents if one.hash == told.spans[0].input_hashes[0])
    assert (blob.content, blob.mime_type) == (PICTURE, "image/png")
    assert json.loads(content.body)["parts"][0]["hash"] == blob.hash


async def test_an_upload_needs_its_leave_and_its_bytes(langfuse: Langfuse) -> None:
    _, token = opened(langfuse)
    with pytest.raises(BadRequest, match="SHA-256"):
        await langfuse.intake.take_medium(token, b"others")
    with pytest.raises(KeyRefused):
        await langfuse.intake.take_medium(token + "0", PICTURE)
    langfuse.clock.advance(3600)
    with pytest.raises(KeyRefused, match="expired"):
        await langfuse.intake.take_medium(token, PICTURE)


async def test_a_leave_to_upload_holds_in_every_process_of_the_server(
    langfuse: Langfuse, tmp_path: Path
) -> None:
    media_id, token = opened(langfuse)
    other = Langfuse(tmp_path / "other")
    await other.intake.take_medium(token, PICTURE)
    assert other.desk.written()[0].blobs[0].hash == apart_hash(OWNER.project_id, media_id)
    other.desk.close()


async def test_events_come_packed_and_what_unfolds_too_far_is_refused(langfuse: Langfuse) -> None:
    event = {"id": "e", "type": "span-create", "body": {"id": "s", "traceId": TRACE, "name": "s"}}
    body = json.dumps({"batch": [event]}).encode()
    answer = await langfuse.intake.take_events(gzip.compress(body), OWNER, "gzip")
    assert answer["successes"] == [{"id": "e", "status": 201}]
    with pytest.raises(BodyTooLarge):
        await langfuse.intake.take_events(gzip.compress(b" " * 9_000_000), OWNER, "gzip")
    with pytest.raises(EncodingRefused):
        await langfuse.intake.take_scores(b"{}", OWNER, "compress")


async def test_a_body_of_too_many_fields_is_refused_before_it_is_decoded(langfuse: Langfuse) -> None:
    with pytest.raises(BadRequest, match="fields"):
        await langfuse.intake.take_events(b'{"batch":[' + b'{"a":1},' * 600_000 + b"{}]}", OWNER)


def test_a_link_to_a_medium_reads_that_one_and_no_upload_does(langfuse: Langfuse) -> None:
    media_id, upload = opened(langfuse)
    token, until_ns = langfuse.intake.link_to_medium(media_id, "image/png", OWNER)
    hash_ = apart_hash(OWNER.project_id, media_id)
    assert langfuse.intake.linked_medium(token, media_id) == (OWNER.project_id, hash_)
    assert until_ns > langfuse.clock.now_ns()
    for wrong, id_ in ((token, "other"), (upload, media_id), (token + "0", media_id)):
        with pytest.raises(KeyRefused):
            langfuse.intake.linked_medium(wrong, id_)
