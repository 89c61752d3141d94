import json

import pytest

from sternpost.contracts.provider import STANDARD, Quirks
from sternpost.dialects.protocols import Relay
from tests.unit.dialects.wire import OPENAI, fixture, openai_head, pump


def _tap(quirks: Quirks = STANDARD, **fields: object) -> Relay:
    return OPENAI.open_tap(openai_head(**fields), quirks)


def _chunk(delta: dict[str, object], finish: object = None, **fields: object) -> bytes:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **fields}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


FINISH = _chunk({}, "stop")
DONE = b"data: [DONE]\n\n"


def test_the_usage_chunk_reaches_only_a_caller_who_asked() -> None:
    body = fixture("openai_text.sse")
    usage_chunk = next(frame for frame in body.split(b"\n\n") if b'"choices":[]' in frame) + b"\n\n"
    silent, asked = _tap(), _tap(stream_options={"include_usage": True})
    assert pump(silent, [body]) == body.replace(usage_chunk, b"")
    assert pump(asked, [body]) == body
    assert silent.summary() == asked.summary()
    usage = silent.summary().usage
    assert usage is not None
    assert (usage.in_fresh, usage.in_cache_read, usage.out_text, usage.out_reasoning) == (12, 8, 6, 4)
    assert usage.service_tier == "default"


def test_the_first_azure_chunk_without_choices_passes_and_is_no_content() -> None:
    body = fixture("azure_text.sse")
    end = body.index(b"\n\n") + 2
    tap = _tap()
    assert tap.feed(body[:end]) == body[:end]
    assert not tap.has_content
    tap.feed(body[end:])
    assert (tap.has_content, tap.summary().id, tap.summary().model) == (
        True,
        "chatcmpl-1",
        "gpt-5-mini-2025-08-07",
    )


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"reasoning_content": "x"},
        {"reasoning": "x"},
        {"refusal": "x"},
        {"tool_calls": [{}]},
    ],
)
def test_text_thinking_refusal_and_tools_are_content_and_a_role_is_not(delta: dict[str, object]) -> None:
    tap = _tap()
    tap.feed(_chunk({"role": "assistant", "content": "", "tool_calls": []}) + b": ping\n\n")
    assert not tap.has_content
    tap.feed(_chunk(delta))
    assert tap.has_content


def test_done_is_withheld_until_closing_and_needs_a_finish_reason_before_it() -> None:
    tap = _tap()
    assert tap.feed(_chunk({"content": "x"}) + DONE) == _chunk({"content": "x"})
    assert not tap.is_complete
    tap = _tap()
    assert tap.feed(FINISH + DONE) == FINISH
    assert tap.is_complete
    assert tap.closing() == DONE


def test_every_choice_needs_its_own_finish_reason() -> None:
    tap = _tap()
    both = {"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "b"}}]}
    tap.feed(b"data: " + json.dumps(both).encode() + b"\n\n" + FINISH + DONE)
    assert not tap.is_complete


def test_a_stream_without_done_is_complete_only_at_a_host_known_for_it() -> None:
    for quirks, is_complete in ((STANDARD, False), (Quirks(sends_done=False), True)):
        tap = _tap(quirks)
        tap.feed(FINISH)
        assert not tap.is_complete
        tap.finish()
        assert tap.is_complete is is_complete


def test_a_last_frame_without_its_blank_line_counts_when_its_json_is_whole() -> None:
    tap = _tap()
    tap.feed(FINISH)
    assert tap.feed(b"data: [DONE]") == b""
    assert (tap.finish(), tap.is_complete) == (b"", True)
    tap = _tap()
    tap.feed(FINISH[:-2])
    assert tap.finish() == FINISH


def test_an_error_inside_the_stream_is_a_fault_with_its_key_removed() -> None:
    body = fixture("openrouter_error.sse")
    tap = _tap()
    sent = tap.feed(body)
    assert b": OPENROUTER PROCESSING\n\n" in sent
    assert b"Rate limit" not in sent
    assert tap.fault is not None
    assert (tap.fault.status, tap.fault.code) == (429, "429")
    assert tap.fault.message == "Rate limit exceeded, see https://example.com/keys for ***"
    assert (tap.is_complete, tap.feed(FINISH), tap.finish()) == (False, b"", b"")


@pytest.mark.parametrize("payload", [b'{"choices":[{"delta":{"content":"a"}]', b"{]}", b"oops", b"[1]"])
def test_a_malformed_frame_is_a_fault_and_what_came_before_it_is_sent(payload: bytes) -> None:
    tap = _tap()
    assert tap.feed(FINISH + b"data: " + payload + b"\n\n" + FINISH) == FINISH
    assert tap.fault is not None
    assert tap.fault.error_type in ("malformed_frame", "unknown_frame")


def test_odd_types_pass_and_do_not_hide_content_finish_or_usage() -> None:
    odd = {
        "id": 7,
        "created": "now",
        "choices": [{"index": None, "delta": {"content": 5}, "finish_reason": "stop"}],
    }
    frame = b"data: " + json.dumps(odd | {"usage": {"prompt_tokens": 1}}).encode() + b"\n\n"
    tap = _tap()
    assert tap.feed(frame + DONE) == frame
    assert (tap.fault, tap.has_content, tap.is_complete) == (None, True, True)
    assert tap.summary().usage is not None


def test_usage_in_every_chunk_is_overwritten_and_never_added() -> None:
    tap = _tap()
    for count in (1, 2, 3):
        tap.feed(_chunk({"content": "x"}, usage={"prompt_tokens": 5, "completion_tokens": count}))
    usage = tap.summary().usage
    assert usage is not None
    assert (usage.in_fresh, usage.out_text) == (5, 3)


def test_a_stream_without_usage_has_none() -> None:
    tap = _tap()
    tap.feed(FINISH + DONE)
    assert tap.summary().usage is None
    assert tap.summary().finish_reasons == ("stop",)
