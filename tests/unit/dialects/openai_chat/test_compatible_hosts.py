"""What hosts that speak OpenAI's chat do otherwise, one test each."""

import json
from typing import Any

import pytest

from sternpost.contracts.chat import Finish, StreamEnd, ThinkingDelta, UsageSeen
from sternpost.contracts.message import ReasoningPart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat.usage import read_usage
from tests.unit.dialects.wire import OPENAI, events_of, openai_head, pump, text_of

DETAILS = [{"type": "reasoning.text", "text": "hm"}, {"type": "reasoning.encrypted", "data": "x"}]
SPELLINGS: list[dict[str, Any]] = [
    {"reasoning_content": "hm"},  # DeepSeek, vLLM, xAI
    {"reasoning": "hm"},  # OpenRouter, Groq, Cerebras
    {"reasoning_details": DETAILS},  # OpenRouter
    {"reasoning": "hm", "reasoning_details": DETAILS},  # both, and still said once
]


def stream(*chunks: dict[str, Any]) -> bytes:
    frames = [f"data: {json.dumps({'id': 'c', 'model': 'm', **chunk})}\n\n" for chunk in chunks]
    return "".join([*frames, "data: [DONE]\n\n"]).encode()


def choice(delta: dict[str, Any], finish: str | None = None) -> list[Any]:
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_reasoning_is_read_in_three_spellings(spelling: dict[str, Any]) -> None:
    body = stream({"choices": choice(spelling)}, {"choices": choice({"content": "ok"}, "stop")})
    assert [e.text for e in events_of(OPENAI, [body]) if isinstance(e, ThinkingDelta)] == ["hm"]
    message = {"role": "assistant", "content": "ok", **spelling}
    whole = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    assert OPENAI.read_reply(json.dumps(whole).encode()).choices[0].parts[0] == ReasoningPart("hm")
    tap = OPENAI.open_tap(openai_head(), STANDARD)
    tap.feed(stream({"choices": choice(spelling)}))
    assert tap.has_content


def test_deepseeks_hits_and_misses_make_the_prompt() -> None:
    given = {"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36, "completion_tokens": 5}
    assert read_usage(given, STANDARD) == Usage(in_fresh=36, in_cache_read=64, out_text=5)
    assert read_usage({**given, "prompt_tokens": 100, "total_tokens": 105}, STANDARD) == Usage(
        in_fresh=36, in_cache_read=64, out_text=5
    )


def test_usage_in_each_chunk_is_the_last_of_them() -> None:
    def used(count: int) -> dict[str, Any]:
        return {"usage": {"prompt_tokens": 4, "completion_tokens": count, "total_tokens": 4 + count}}

    body = stream(
        {"choices": choice({"content": "a"}), **used(1)},
        {"choices": choice({"content": "b"}), **used(2)},
        {"choices": choice({}, "stop"), **used(2)},
    )
    events = events_of(OPENAI, [body])
    assert [e.usage.out_text for e in events if isinstance(e, UsageSeen)][-1] == 2
    assert text_of(events) == "ab"
    relay = OPENAI.open_tap(openai_head(), STANDARD)
    assert pump(relay, [body]) == body  # it came with content, so nothing of it is taken away
    assert relay.summary().usage == Usage(in_fresh=4, out_text=2)


def test_a_finish_that_comes_again_with_the_usage_is_one_finish() -> None:
    body = stream(
        {"choices": choice({"content": "a"}, "stop")},
        {"choices": choice({}, "stop"), "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
    )
    events = events_of(OPENAI, [body])
    assert len([e for e in events if isinstance(e, Finish)]) == 1
    assert isinstance(events[-1], StreamEnd)
