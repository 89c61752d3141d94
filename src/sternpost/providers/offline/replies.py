"""Writes OpenAI chat replies and streams for the offline answerer; not a dialect for other providers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from sternpost.base.tokens import estimate_tokens
from sternpost.providers.offline import embedder
from sternpost.providers.offline.answer import STRENGTHS, Answer
from sternpost.providers.offline.requests import OfflineRequest, Refusal
from sternpost.providers.offline.tools import ToolCall

FINGERPRINT = "sternpost-offline-extractive-1"
_WORD = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class OfflineReply:
    """An answer cut to the size asked for, with its counts."""

    request: OfflineRequest
    answer: Answer
    text: str
    finish_reason: str
    completion_tokens: int


def fit(request: OfflineRequest, found: Answer) -> OfflineReply:
    """Cut the answer at the caller's token limit, between words."""
    if found.tool_call is not None:
        return OfflineReply(request, found, "", "tool_calls", estimate_tokens(found.tool_call.arguments) + 4)
    tokens = estimate_tokens(found.text)
    if request.max_tokens is None or tokens <= request.max_tokens:
        return OfflineReply(request, found, found.text, "stop", tokens)
    kept: list[str] = []
    spent = 0
    for word in _WORD.findall(found.text):
        spent += estimate_tokens(word)
        if spent > request.max_tokens:
            break
        kept.append(word)
    text = "".join(kept)
    return OfflineReply(request, found, text, "length", estimate_tokens(text))


def write_reply(reply: OfflineReply) -> bytes:
    message: dict[str, object] = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.answer.tool_call is not None:
        message |= {"content": None, "tool_calls": [_call(reply, reply.answer.tool_call)]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    return msgspec.json.encode(
        {
            **_head(reply, "chat.completion"),
            "choices": [choice],
            "usage": _usage(reply),
            "sternpost": _note(reply),
        }
    )


def write_frames(reply: OfflineReply) -> Iterator[bytes]:
    """Yield server-sent events, one per word; usage when asked for; `[DONE]` last."""
    head = _head(reply, "chat.completion.chunk")
    yield _frame({**head, "choices": [_delta({"role": "assistant", "content": ""})]})
    if (call := reply.answer.tool_call) is not None:
        begun = {"index": 0, **_call(reply, ToolCall(call.name, ""))}
        yield _frame({**head, "choices": [_delta({"tool_calls": [begun]})]})
        for piece in _WORD.findall(call.arguments):
            part = {"index": 0, "function": {"arguments": piece}}
            yield _frame({**head, "choices": [_delta({"tool_calls": [part]})]})
    for word in _WORD.findall(reply.text):
        yield _frame({**head, "choices": [_delta({"content": word})]})
    yield _frame({**head, "choices": [_delta({}, reply.finish_reason)], "sternpost": _note(reply)})
    if reply.request.wants_usage:
        yield _frame({**head, "choices": [], "usage": _usage(reply)})
    yield b"data: [DONE]\n\n"


def write_refusal(refusal: Refusal) -> bytes:
    error = {
        "message": refusal.message,
        "type": "invalid_request_error",
        "param": refusal.param,
        "code": refusal.code,
    }
    return msgspec.json.encode({"error": error})


def write_models() -> bytes:
    described = {name: strength.description for name, strength in STRENGTHS.items()}
    described[embedder.MODEL] = embedder.DESCRIPTION
    models = [
        {"id": name, "object": "model", "created": 0, "owned_by": "sternpost", "description": description}
        for name, description in described.items()
    ]
    return msgspec.json.encode({"object": "list", "data": models})


def _call(reply: OfflineReply, call: ToolCall) -> Mapping[str, object]:
    call_id = reply.request.id.replace("chatcmpl-offline-", "call_")
    return {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _head(reply: OfflineReply, kind: str) -> dict[str, object]:
    # `created` is 0 because the same request must give the same bytes.
    return {
        "id": reply.request.id,
        "object": kind,
        "created": 0,
        "model": reply.request.model,
        "system_fingerprint": FINGERPRINT,
    }


def _note(reply: OfflineReply) -> Mapping[str, object]:
    return {
        "answerer": "extractive",
        "is_language_model": False,
        "is_known": reply.answer.is_known,
        "match": round(reply.answer.share, 3),
        "sources": reply.answer.sources,
        "tokens_are": "estimated",
    }


def _usage(reply: OfflineReply) -> Mapping[str, int]:
    return {
        "prompt_tokens": reply.request.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.request.prompt_tokens + reply.completion_tokens,
    }


def _delta(delta: Mapping[str, object], finish_reason: str | None = None) -> Mapping[str, object]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _frame(chunk: Mapping[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
