"""The chunks of Azure's content filter are neither content nor an end, and a missing model is no fault."""

import json

from sternpost.contracts.chat import Finish, StreamEnd, StreamStart
from sternpost.contracts.provider import STANDARD
from tests.unit.dialects.wire import OPENAI, events_of, fixture, openai_head, text_of

STREAM = fixture("azure_async_filter.sse")


def test_late_chunks_of_the_filter_neither_end_nor_double_anything() -> None:
    events = events_of(OPENAI, [STREAM])
    assert text_of(events) == "Color is"
    assert len([e for e in events if isinstance(e, Finish)]) == 1
    assert len([e for e in events if isinstance(e, StreamStart)]) == 1
    assert isinstance(events[-1], StreamEnd)
    (start,) = (e for e in events if isinstance(e, StreamStart))
    assert (start.id, start.model) == ("chatcmpl-2", "gpt-4o")


def test_the_first_chunk_without_choices_passes_and_is_no_content() -> None:
    first = STREAM[: STREAM.index(b"\n\n") + 2]
    tap = OPENAI.open_tap(openai_head(), STANDARD)
    assert tap.feed(first) == first
    assert not tap.has_content


def test_a_missing_or_null_model_is_no_fault() -> None:
    for model in ({}, {"model": None}):
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
        read = OPENAI.summarise(json.dumps({"id": "c", "choices": [choice], **model}).encode(), STANDARD)
        assert read.model == ""
