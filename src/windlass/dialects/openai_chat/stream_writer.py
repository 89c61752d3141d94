"""Writes events as an OpenAI stream; the terminal frames come with StreamEnd."""

from collections.abc import Mapping, Sequence

import msgspec

from windlass.contracts.chat import (
    CitationSeen,
    Finish,
    LogprobsSeen,
    MediaSeen,
    RedactedThinking,
    RefusalDelta,
    SafetyResult,
    SafetySeen,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolArguments,
    ToolStart,
    UsageSeen,
)
from windlass.contracts.dialect import WireError
from windlass.contracts.message import BlobPart, Json
from windlass.contracts.usage import Usage
from windlass.dialects.openai_chat.annotations import write_nested
from windlass.dialects.openai_chat.errors import write_error_event
from windlass.dialects.openai_chat.logprobs import write_logprobs
from windlass.dialects.openai_chat.media import audio_piece, is_image, write_image
from windlass.dialects.openai_chat.names import FINISH_WRITTEN, TIERS
from windlass.dialects.openai_chat.safety import write_safety
from windlass.dialects.openai_chat.tap import DONE_FRAME
from windlass.dialects.openai_chat.usage import write_usage

_TEXT = msgspec.json.encode


class OpenAiWriter:
    """Signed thinking goes out whole in the extension field `thinking_blocks`, so that it can be replayed."""

    __slots__ = ("_created_s", "_head", "_id", "_tail", "_thinking", "_usage", "_wants_usage")

    def __init__(self, *, wants_usage: bool, created_s: int) -> None:
        self._wants_usage = wants_usage
        self._created_s = created_s
        self._usage: Usage | None = None
        self._thinking: list[str] = []
        self._head = b""
        self._tail = b',"finish_reason":null}]'
        self._begin(StreamStart("", ""))

    def _begin(self, start: StreamStart) -> None:
        created_s = start.created_s or self._created_s
        self._id = start.id
        head: dict[str, Json] = {
            "id": start.id,
            "object": "chat.completion.chunk",
            "created": created_s,
            "model": start.model,
        }
        self._head = b"data: " + _TEXT(head)[:-1]

    def write(self, event: StreamEvent) -> bytes:
        match event:
            case TextDelta(text):
                return self._delta(b'{"content":' + _TEXT(text) + b"}")
            case ToolArguments(index, text):
                call: dict[str, Json] = {"index": index, "function": {"arguments": text}}
                return self._delta(_TEXT({"tool_calls": [call]}))
            case ThinkingDelta(text):
                self._thinking.append(text)
                return self._delta(b'{"reasoning_content":' + _TEXT(text) + b"}")
            case RefusalDelta(text):
                return self._delta(_TEXT({"refusal": text}))
            case ToolStart(index, id, name):
                function: dict[str, Json] = {"name": name, "arguments": ""}
                start: dict[str, Json] = {"index": index, "id": id, "type": "function", "function": function}
                return self._delta(_TEXT({"tool_calls": [start]}))
            case _:
                return self._write_rare(event)

    def fail(self, error: WireError) -> bytes:
        return write_error_event(error)

    def _write_rare(self, event: StreamEvent) -> bytes:
        match event:
            case StreamStart():
                self._begin(event)
                return self._delta(b'{"role":"assistant","content":""}')
            case ThinkingSignature(signature):
                thought = "".join(self._thinking)
                self._thinking.clear()
                return self._block({"type": "thinking", "thinking": thought, "signature": signature})
            case RedactedThinking(sealed):
                return self._block({"type": "redacted_thinking", "data": sealed})
            case Finish(reason):
                return self._finish(FINISH_WRITTEN[reason])
            case UsageSeen(usage):
                self._usage = usage
                return b""
            case StreamEnd():
                return self._usage_chunk() + DONE_FRAME
            case _:
                return self._write_extra(event)

    def _write_extra(self, event: StreamEvent) -> bytes:
        match event:
            case MediaSeen(BlobPart("audio") as sound):
                return self._delta(_TEXT({"audio": audio_piece(sound, self._id)}))
            case MediaSeen(part) if is_image(part):
                return self._delta(_TEXT({"images": [write_image(part)]}))
            case CitationSeen(citation):
                return self._delta(_TEXT({"annotations": write_nested([citation])}))
            case LogprobsSeen(tokens):
                logprobs: Json = {"content": write_logprobs(tokens), "refusal": None}
                return self._choice(b'"delta":{},"logprobs":' + _TEXT(logprobs) + b',"finish_reason":null')
            case SafetySeen(results):
                return self._safety(results)
            case _:
                return b""

    def _safety(self, results: Sequence[SafetyResult]) -> bytes:
        on_reply, on_choice = write_safety(results)
        frames = b""
        if on_reply:
            frames = self._head + b',"choices":[],' + _TEXT(on_reply)[1:-1] + self._no_usage() + b"}\n\n"
        if on_choice:
            frames += self._choice(b'"delta":{},"finish_reason":null,' + _TEXT(on_choice)[1:-1])
        return frames

    def _choice(self, fields: bytes) -> bytes:
        return self._head + b',"choices":[{"index":0,' + fields + b"}]" + self._no_usage() + b"}\n\n"

    def _delta(self, delta: bytes) -> bytes:
        return (
            self._head + b',"choices":[{"index":0,"delta":' + delta + self._tail + self._no_usage() + b"}\n\n"
        )

    def _no_usage(self) -> bytes:
        return b',"usage":null' if self._wants_usage else b""

    def _block(self, block: Mapping[str, Json]) -> bytes:
        return self._delta(_TEXT({"thinking_blocks": [block]}))

    def _finish(self, reason: str) -> bytes:
        choice = b',"choices":[{"index":0,"delta":{},"finish_reason":' + _TEXT(reason) + b"}]"
        return self._head + self._tier() + choice + self._no_usage() + b"}\n\n"

    def _tier(self) -> bytes:
        """Say what the call was served as, once that is known."""
        tier = TIERS.get(self._usage.service_tier) if self._usage else None
        return b',"service_tier":' + _TEXT(tier) if tier else b""

    def _usage_chunk(self) -> bytes:
        if not self._wants_usage or self._usage is None:
            return b""
        return (
            self._head + self._tier() + b',"choices":[],"usage":' + _TEXT(write_usage(self._usage)) + b"}\n\n"
        )
