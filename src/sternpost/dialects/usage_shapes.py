"""Finds model and usage in replies of any shape we know, whole or streamed; for calls nobody translated."""

import builtins
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from sternpost.contracts.message import Json
from sternpost.contracts.provider import Quirks
from sternpost.contracts.usage import Usage
from sternpost.dialects.anthropic import usage as anthropic_usage
from sternpost.dialects.bedrock import usage as bedrock_usage
from sternpost.dialects.bedrock.event_stream import EventStreamSplitter, FrameBroken
from sternpost.dialects.cohere import usage as cohere_usage
from sternpost.dialects.framing.sse import FrameSplitter, FrameTooLarge, payload_of
from sternpost.dialects.gemini import reply as gemini_reply
from sternpost.dialects.gemini.stream_reader import GeminiReader
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.openai_chat import usage as openai_usage
from sternpost.dialects.openai_responses import usage as responses_usage
from sternpost.dialects.openai_responses.reply import item_types
from sternpost.dialects.protocols import ReplySummary


class _Inner(msgspec.Struct):
    model: Any = None
    usage: Any = None
    service_tier: Any = None
    output: msgspec.Raw = msgspec.Raw()  # the items of OpenAI's Responses


class _Outer(msgspec.Struct):
    model: Any = None
    usage: Any = None
    service_tier: Any = None
    output: msgspec.Raw = msgspec.Raw()
    serviceTier: Any = None  # noqa: N815  # Bedrock's, as is the next
    performanceConfig: Any = None  # noqa: N815
    message: msgspec.Raw = msgspec.Raw()  # Anthropic's `message_start`
    response: msgspec.Raw = msgspec.Raw()  # the events of OpenAI's Responses
    delta: msgspec.Raw = msgspec.Raw()  # Cohere's `message-end`
    meta: Any = None  # Cohere, beside chat
    prompt_eval_count: Any = None  # Ollama
    eval_count: Any = None


class _Chunk(msgspec.Struct):
    bytes: builtins.bytes = b""  # base64 in JSON


_OF_OPENAI: Final = frozenset({"prompt_tokens", "completion_tokens", "cost_in_usd_ticks"})
_CHUNK = msgspec.json.Decoder(_Chunk)
_INNER = msgspec.json.Decoder(_Inner)
_OUTER = msgspec.json.Decoder(_Outer)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def summarise(body: bytes, quirks: Quirks, *, is_stream: bool, is_binary: bool = False) -> ReplySummary:
    """Read what is known of a reply; usage stays None where no shape fits, which is not zero.

    is_binary: whether a stream is one of AWS's, not of server-sent events.
    """
    if b'"usageMetadata"' in body:  # inside a text of another dialect its quotes would be escaped
        return _summarise_gemini(body, is_stream=is_stream)
    counts: dict[str, Json] = {}
    model = tier = ""
    items: list[str] = []
    payloads = _binary_frames(body) if is_binary else _frames(body)
    for payload in payloads if is_stream else (body,):
        for found in _read(payload) or _read(_last_line(payload)):
            model = model or text_or_empty(found.model)
            anthropic_usage.merge_usage(counts, found.usage)
            tier = _tier_of(found) or tier
            items = item_types(found.output) or items
            if isinstance(found, _Outer) and found.eval_count is not None:
                anthropic_usage.merge_usage(counts, _of_ollama(found))
            if isinstance(found, _Outer) and cohere_usage.is_usage(found.meta):
                anthropic_usage.merge_usage(counts, found.meta)
    return ReplySummary(usage=_usage_of(counts, quirks, tier, items), model=model)


def _summarise_gemini(body: bytes, *, is_stream: bool) -> ReplySummary:
    """Read an answer of Gemini's, its event stream, or the array that its streams are without `alt=sse`."""
    if not is_stream and body.lstrip()[:1] != b"[":
        return gemini_reply.summarise(body)
    reader = GeminiReader()
    reader.feed(body if is_stream else _as_events(body))
    reader.finish()
    return reader.summary()


def _as_events(body: bytes) -> bytes:
    try:
        items = _ITEMS.decode(body)
    except UNREADABLE:
        return b""
    return b"".join(b"data: " + msgspec.json.format(bytes(item), indent=0) + b"\n\n" for item in items)


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


def _binary_frames(body: bytes) -> Iterable[bytes]:
    """Read the frames up to the first broken one; a frame of InvokeModel has the model's own event inside."""
    with contextlib.suppress(FrameBroken):
        for frame in EventStreamSplitter().feed(body):
            yield _inner_event(frame.payload) if frame.name == "chunk" else frame.payload


def _inner_event(payload: bytes) -> bytes:
    try:
        return _CHUNK.decode(payload).bytes
    except UNREADABLE:
        return b""


def _tier_of(found: _Outer | _Inner) -> str:
    if isinstance(found, _Inner):
        return text_or_empty(found.service_tier)
    written = {"serviceTier": found.serviceTier, "performanceConfig": found.performanceConfig}
    return text_or_empty(found.service_tier) or bedrock_usage.read_tier(written)


def _read(payload: bytes) -> list[_Outer | _Inner]:
    try:
        outer = _OUTER.decode(payload)
    except UNREADABLE:
        return []
    inner = [
        raw for raw in (outer.message, outer.response, outer.delta) if bytes(memoryview(raw)[:1]) == b"{"
    ]
    return [outer, *map(_INNER.decode, inner)]


def _usage_of(
    counts: Mapping[str, Json], quirks: Quirks, service_tier: str, items: Iterable[str]
) -> Usage | None:
    if cohere_usage.is_usage(counts):
        return cohere_usage.read_usage(counts)
    if _OF_OPENAI & counts.keys():
        return openai_usage.read_usage(counts, quirks, service_tier)
    if "inputTokens" in counts:
        return bedrock_usage.read_usage(counts, service_tier)
    if "total_tokens" not in counts:
        return anthropic_usage.read_usage(counts)
    return responses_usage.read_usage(_of_media(counts), quirks, service_tier, item_types=items)


def _of_media(counts: Mapping[str, Json]) -> Mapping[str, Json]:
    """Name the counts of OpenAI's images and transcriptions as its Responses name theirs.

    Source: developers.openai.com/api/reference/resources/images and .../resources/audio.
    """
    if "input_token_details" in counts:  # of a transcription
        return {**counts, "input_tokens_details": counts["input_token_details"]}
    details = counts.get("input_tokens_details")
    if isinstance(details, Mapping) and "image_tokens" in details and "output_tokens_details" not in counts:
        return {**counts, "output_tokens_details": {"image_tokens": counts.get("output_tokens")}}
    return counts
