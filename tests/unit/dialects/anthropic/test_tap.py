import json

import pytest

from sternpost.contracts.chat import StreamFault
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.protocols import Relay
from tests.unit.dialects.wire import ANTHROPIC, anthropic_head, events_of, fixture


def _tap() -> Relay:
    return ANTHROPIC.open_tap(anthropic_head(), STANDARD)


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _delta(**delta: object) -> bytes:
    return _event("content_block_delta", index=0, delta=delta)


def test_cumulative_usage_is_overwritten_and_the_cache_split_of_the_start_is_kept() -> None:
    tap = _tap()
    tap.feed(fixture("anthropic_text.sse"))
    usage = tap.summary().usage
    assert usage is not None
    assert (usage.in_fresh, usage.in_cache_read, usage.out_text) == (25, 100, 15)
    assert (usage.in_cache_write_5m, usage.in_cache_write_1h) == (10, 20)
    assert usage.service_tier == "standard"
    assert tap.summary().finish_reasons == ("end_turn",)


@pytest.mark.parametrize(
    ("frame", "has_content"),
    [
        (_event("ping"), False),
        (_event("content_block_start", index=0, content_block={"type": "text", "text": ""}), False),
        (_event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}), False),
        (_delta(type="text_delta", text=""), False),
        (_delta(type="text_delta", text="a"), True),
        (_delta(type="thinking_delta", thinking="a"), True),
        (_delta(type="signature_delta", signature="a"), True),
        (_delta(type="input_json_delta", partial_json=""), True),
        (_event("content_block_start", index=0, content_block={"type": "tool_use", "name": "f"}), True),
        (_event("content_block_start", index=0, content_block={"type": "redacted_thinking"}), True),
    ],
)
def test_text_thinking_and_tools_are_content_and_empty_starts_are_not(
    frame: bytes, has_content: bool
) -> None:
    tap = _tap()
    assert tap.feed(frame) == frame
    assert tap.has_content is has_content


def test_unknown_events_pass_and_message_stop_waits_for_closing() -> None:
    body = fixture("anthropic_text.sse")
    stop = body.index(b"event: message_stop")
    tap = _tap()
    sent = tap.feed(body)
    assert b"some_new_event" in sent
    assert (sent, tap.closing(), tap.is_complete) == (body[:stop], body[stop:], True)


def test_the_terminal_frame_keeps_its_own_bytes() -> None:
    tap = _tap()
    tap.feed(b'data: { "type" : "message_stop", "x": 1 }\n\n')
    assert tap.closing() == b'data: { "type" : "message_stop", "x": 1 }\n\n'


def test_an_error_after_the_start_is_a_fault_and_nothing_follows_it() -> None:
    tap = _tap()
    sent = tap.feed(fixture("anthropic_overloaded.sse"))
    assert b"event: error" not in sent
    assert tap.fault is not None
    assert (tap.fault.error_type, tap.fault.status) == ("overloaded_error", 503)
    assert (tap.feed(_delta(type="text_delta", text="late")), tap.finish(), tap.is_complete) == (
        b"",
        b"",
        False,
    )


def test_a_malformed_frame_is_a_fault() -> None:
    tap = _tap()
    assert tap.feed(_event("ping") + b'event: x\ndata: {"type":"ping"\n\n') == _event("ping")
    assert tap.fault is not None
    assert tap.fault.error_type == "malformed_frame"


def test_a_last_frame_without_its_blank_line_counts_when_its_json_is_whole() -> None:
    body = fixture("anthropic_text.sse")
    tap = _tap()
    sent = tap.feed(body[:-2]) + tap.finish() + tap.closing()
    assert tap.is_complete
    assert sent == body


def test_odd_types_of_a_new_event_pass_unread() -> None:
    frame = _event("usage_report", usage=[1], delta="x")
    tap = _tap()
    assert tap.feed(frame) == frame
    assert tap.fault is None
    assert events_of(ANTHROPIC, [frame]) == []


def test_odd_types_of_a_known_event_are_a_fault_only_for_one_who_translates() -> None:
    frame = _delta(type="text_delta", text=5)
    tap = _tap()
    assert (tap.feed(frame), tap.fault) == (frame, None)
    assert [type(event) for event in events_of(ANTHROPIC, [frame])] == [StreamFault]
