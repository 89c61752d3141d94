"""What an answer holds in a shape that nobody knows is read past and named: the answer is paid for."""

import json
from typing import Any

import pytest

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import OtherSeen
from sternpost.dialects.losses.unshown import unshown
from sternpost.dialects.registry import CODECS, UPSTREAM_CODECS
from tests.unit.dialects.wire import events_of, text_of

NEW = {"type": "hologram", "hologram": {"depth": 3}}
CALL = {
    "id": "c",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
    "extra_content": {"a": 1},
}
NEW_BLOCK = {"hologram": {"depth": 3}}
TEXT = {"type": "text", "text": "said"}
MOODY = {"type": "output_text", "text": "said", "annotations": [], "mood": "calm"}


def chat(**message: Any) -> dict[str, Any]:
    return {
        "id": "c",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "said", **message}}],
    }


def bedrock(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"output": {"message": {"content": [{"text": "said"}, *blocks]}}, "stopReason": "end_turn"}


WHOLE: list[tuple[Dialect, dict[str, Any], str]] = [
    ("openai_chat", chat(mood="calm"), "mood"),
    ("openai_chat", chat(tool_calls=[CALL]), "messages.*.tool_calls.*.extra_content"),
    ("anthropic", {"content": [TEXT, NEW]}, "content.hologram"),
    ("anthropic", {"content": [TEXT | {"mood": "calm"}]}, "content.*.mood"),
    ("openai_responses", {"output": [NEW, {"type": "message", "content": [TEXT]}]}, "content.hologram"),
    (
        "openai_responses",
        {"output": [{"type": "message", "content": [MOODY]}]},
        "output.*.content.*.mood",
    ),
    ("bedrock", bedrock(NEW_BLOCK), "content.hologram"),
    ("bedrock", bedrock({"audio": {"format": "mp3", "source": {"bytes": "UklGRg=="}}}), "content.audio"),
    ("bedrock", bedrock({"toolResult": {"toolUseId": "s", "content": []}}), "content.toolResult"),
    ("cohere", {"message": {"content": [TEXT, NEW]}}, "content.hologram"),
    ("cohere", {"message": {"content": [TEXT], "mood": "calm"}}, "mood"),
    ("ollama", {"message": {"content": "said", "images": ["iVBORw0KGgo="]}, "done": True}, "images"),
]


@pytest.mark.parametrize(("dialect", "body", "name"), WHOLE, ids=[f"{d}-{n}" for d, _, n in WHOLE])
def test_it_is_named_for_a_caller_of_another_dialect_who_gets_the_rest(
    dialect: Dialect, body: dict[str, Any], name: str
) -> None:
    reply = UPSTREAM_CODECS[dialect].read_reply(json.dumps(body).encode())
    for caller, codec in CODECS.items():
        if caller != dialect:
            assert f"unshown:{name}" in unshown(reply, caller)
            assert b"said" in codec.write_reply(reply)


@pytest.mark.parametrize(
    ("dialect", "body", "name"),
    [
        (
            "cohere",
            b"".join(
                f"data: {json.dumps(event)}\n\n".encode()
                for event in (
                    {"type": "content-start", "index": 0, "delta": {"message": {"content": NEW}}},
                    {
                        "type": "content-delta",
                        "index": 1,
                        "delta": {"message": {"content": {"text": "said"}}},
                    },
                    {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
                )
            ),
            "content.hologram",
        ),
        (
            "ollama",
            b'{"model":"m","message":{"content":"said","images":["iVBO"]},"done":false}\n'
            b'{"model":"m","message":{"content":""},"done":true,"done_reason":"stop"}\n',
            "images",
        ),
    ],
    ids=["cohere", "ollama"],
)
def test_it_is_named_in_a_stream_that_goes_on(dialect: Dialect, body: bytes, name: str) -> None:
    events = events_of(UPSTREAM_CODECS[dialect], [body])
    assert OtherSeen(name) in events
    assert text_of(events) == "said"
