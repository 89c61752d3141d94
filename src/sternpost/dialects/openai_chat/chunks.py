"""The typed shape of one OpenAI stream chunk and what a stream has shown so far; writes nothing.

Every frame is decoded in full (0.8 microseconds measured), so broken JSON syntax is found wherever it is.
Not found: invalid UTF-8 inside strings nobody reads, and values of fields nobody reads.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from sternpost.contracts.chat import StreamFault
from sternpost.contracts.message import Json
from sternpost.contracts.provider import Quirks
from sternpost.dialects.errors.failures import fault_from, fault_in, fault_of_finish
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.openai_chat.usage import read_usage
from sternpost.dialects.protocols import ReplySummary


class FunctionPiece(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None  # some hosts send the object itself


class ToolPiece(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class Delta(msgspec.Struct):
    content: str | list[dict[str, object]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None  # OpenRouter
    thinking_blocks: list[dict[str, object]] | None = None
    refusal: str | None = None
    tool_calls: list[ToolPiece] | None = None
    audio: dict[str, Any] | None = None
    images: list[dict[str, Any]] | None = None
    annotations: list[dict[str, Any]] | None = None
    function_call: FunctionPiece | None = None


class ChunkChoice(msgspec.Struct):
    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    content_filter_results: Any = None
    error: Any = None  # OpenRouter: what failed behind it
    message: Delta | None = None  # some hosts say at the end what they have not streamed


class Chunk(msgspec.Struct):
    id: Any = None  # hosts send numbers and null here; only a string is a name
    model: Any = None
    created: Any = None
    choices: list[ChunkChoice] | None = None
    usage: Any = None
    error: Any = None
    service_tier: Any = None
    prompt_filter_results: Any = None


class _Odd(msgspec.Struct):
    """What is still read from a chunk whose other fields have unexpected types."""

    choices: list[dict[str, Any]] | None = None
    usage: Any = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(Chunk, strict=False)  # some hosts send an index as a string
_ODD = msgspec.json.Decoder(_Odd)
_UNREAD_DELTA = Delta(content=[{}])  # stands for a delta of unknown shape, which counts as content


class ChunkUnreadable(ValueError):
    """Carries the fault a frame stands for."""

    def __init__(self, fault: StreamFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def decode_chunk(payload: bytes, *, is_lenient: bool) -> Chunk:
    """Decode one payload.

    is_lenient: whether valid JSON of an unknown shape is let through with what could be read of it; one who
    translates would lose tokens. Raises: ChunkUnreadable for broken JSON and for an error of the provider.
    """
    try:
        chunk = _CHUNK.decode(payload)
    except msgspec.ValidationError:
        chunk = _decode_odd(payload, is_lenient=is_lenient)
    except UNREADABLE as error:
        raise ChunkUnreadable(
            StreamFault("malformed_frame", "The provider's stream holds a frame that is not valid JSON.")
        ) from error
    if chunk.error:
        raise ChunkUnreadable(fault_from(chunk.error))
    if not chunk.choices and not chunk.usage and (fault := fault_in(payload)) is not None:
        raise ChunkUnreadable(fault)
    return chunk


def _decode_odd(payload: bytes, *, is_lenient: bool) -> Chunk:
    unknown = StreamFault("unknown_frame", "The provider's stream holds a frame of an unknown shape.")
    try:
        odd = _ODD.decode(payload)
    except UNREADABLE as error:
        raise ChunkUnreadable(unknown) from error
    if not is_lenient and not odd.error:
        raise ChunkUnreadable(unknown)
    choices = [_odd_choice(index, choice) for index, choice in enumerate(odd.choices or ())]
    return Chunk(choices=choices, usage=odd.usage, error=odd.error)


def _odd_choice(index: int, choice: dict[str, Any]) -> ChunkChoice:
    finish = choice.get("finish_reason")
    return ChunkChoice(
        index=index,
        delta=_UNREAD_DELTA if choice.get("delta") else None,
        finish_reason=finish if isinstance(finish, str) else None,
    )


def has_content(delta: Delta) -> bool:
    """Whether a delta carries text, a tool call, a refusal, thinking or audio."""
    return bool(
        delta.content
        or delta.reasoning_content
        or delta.reasoning
        or delta.reasoning_details
        or delta.tool_calls
        or delta.refusal
        or delta.thinking_blocks
        or delta.function_call
        or delta.audio
        or delta.images
    )


class StreamNotes:
    """What a stream has shown: names, usage, finish reasons, content and its terminal marker."""

    __slots__ = (
        "_finishes",
        "_is_done",
        "_open",
        "_quirks",
        "_usage",
        "has_content",
        "id",
        "is_late",
        "model",
        "tier",
    )

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks
        self._usage: Mapping[str, Json] | None = None
        self._finishes: dict[int, str] = {}
        self._open: set[int] = set()
        self._is_done = False
        self.has_content = False
        self.is_late = False  # the content stands in the last chunk, whole
        self.id = ""
        self.model = ""
        self.tier = ""

    def take(self, chunk: Chunk) -> None:
        """Raises: ChunkUnreadable for a choice that ended in a failure of the provider."""
        if not self.id and isinstance(chunk.id, str):
            self.id = chunk.id
        if not self.model and isinstance(chunk.model, str):
            self.model = chunk.model
        usage: Json = chunk.usage
        if usage and isinstance(usage, Mapping):
            self._usage = usage  # cumulative where a host repeats it: the last one counts
        if isinstance(chunk.service_tier, str):
            self.tier = chunk.service_tier
        for choice in chunk.choices or ():
            self._take_choice(choice)

    def _take_choice(self, choice: ChunkChoice) -> None:
        if choice.finish_reason or choice.error:
            fault = fault_of_finish(choice.finish_reason or "", choice.error)
            if fault is not None:
                raise ChunkUnreadable(fault)
            self._finishes[choice.index] = choice.finish_reason or ""
        else:
            self._open.add(choice.index)
        if self.has_content:
            return
        if choice.delta is not None and has_content(choice.delta):
            self.has_content = True
        elif choice.finish_reason and choice.message is not None:
            self.has_content = self.is_late = has_content(choice.message)

    def take_done(self) -> None:
        self._is_done = True

    def take_end_of_bytes(self) -> None:
        """A host that never sends `[DONE]` ends with its bytes."""
        if not self._quirks.sends_done:
            self._is_done = True

    @property
    def is_complete(self) -> bool:
        """`[DONE]` was seen, and before it a finish reason for every choice."""
        return self._is_done and bool(self._finishes) and self._open <= self._finishes.keys()

    def summary(self) -> ReplySummary:
        return ReplySummary(
            usage=read_usage(self._usage, self._quirks, self.tier),
            model=self.model,
            id=self.id,
            finish_reasons=tuple(self._finishes[index] for index in sorted(self._finishes)),
        )
