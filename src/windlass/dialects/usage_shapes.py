"""Finds model and usage in replies of any shape we know, whole or streamed; for calls nobody translated."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from windlass.contracts.dialect import ReplySummary
from windlass.contracts.message import Json
from windlass.contracts.provider import Quirks
from windlass.contracts.usage import Usage
from windlass.dialects.anthropic import usage as anthropic_usage
from windlass.dialects.cohere import usage as cohere_usage
from windlass.dialects.json_fields import text_or_empty
from windlass.dialects.openai_chat import usage as openai_usage
from windlass.dialects.sse import FrameSplitter, FrameTooLarge, payload_of

_RENAMED = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}


class _Inner(msgspec.Struct):
    model: Any = None
    usage: Any = None


class _Outer(msgspec.Struct):
    model: Any = None
    usage: Any = None
    service_tier: Any = None
    message: msgspec.Raw = msgspec.Raw()  # Anthropic's `message_start`
    response: msgspec.Raw = msgspec.Raw()  # the events of OpenAI's Responses
    delta: msgspec.Raw = msgspec.Raw()  # Cohere's `message-end`
    meta: Any = None  # Cohere, beside chat
    prompt_eval_count: Any = None  # Ollama
    eval_count: Any = None


_INNER = msgspec.json.Decoder(_Inner)
_OUTER = msgspec.json.Decoder(_Outer)


def summarise(body: bytes, quirks: Quirks, *, is_stream: bool) -> ReplySummary:
    """Read what is known of a reply; usage stays None where no shape fits, which is not zero."""
    counts: dict[str, Json] = {}
    model = tier = ""
    for payload in _frames(body) if is_stream else (body,):
        for found in _read(payload) or _read(_last_line(payload)):
            model = model or text_or_empty(found.model)
            anthropic_usage.merge_usage(counts, found.usage)
            if isinstance(found, _Outer) and found.eval_count is not None:
                anthropic_usage.merge_usage(counts, _of_ollama(found))
            if isinstance(found, _Outer) and cohere_usage.is_usage(found.meta):
                anthropic_usage.merge_usage(counts, found.meta)
            tier = text_or_empty(found.service_tier) if isinstance(found, _Outer) else tier
    return ReplySummary(usage=_usage_of(counts, quirks, tier), model=model)


def _last_line(body: bytes) -> bytes:
    """Return the end of a stream of JSON lines, which is where its counts are."""
    return body.rstrip().rpartition(b"\n")[2]


def _of_ollama(found: _Outer) -> dict[str, Json]:
    return {"prompt_tokens": found.prompt_eval_count, "completion_tokens": found.eval_count}


def _frames(body: bytes) -> Iterable[bytes]:
    splitter = FrameSplitter()
    try:
        frames = [*splitter.feed(body), splitter.finish()[0]]
    except FrameTooLarge:
        return []
    return [payload_of(frame) for frame in frames if b'"usage"' in frame or b'"model"' in frame]


def _read(payload: bytes) -> list[_Outer | _Inner]:
    try:
        outer = _OUTER.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return []
    inner = [
        raw for raw in (outer.message, outer.response, outer.delta) if bytes(memoryview(raw)[:1]) == b"{"
    ]
    return [outer, *map(_INNER.decode, inner)]


def _usage_of(counts: Mapping[str, Json], quirks: Quirks, service_tier: str) -> Usage | None:
    if cohere_usage.is_usage(counts):
        return cohere_usage.read_usage(counts)
    if "prompt_tokens" in counts or "completion_tokens" in counts:
        return openai_usage.read_usage(counts, quirks, service_tier)
    if "total_tokens" not in counts:
        return anthropic_usage.read_usage(counts)
    details = counts.get("input_tokens_details")
    if isinstance(details, Mapping) and "image_tokens" in details:
        return None  # the images API: its output is priced by a table of its own
    renamed: dict[str, Json] = {_RENAMED.get(name, name): value for name, value in counts.items()}
    return openai_usage.read_usage(renamed, quirks, service_tier)
