"""Reads an OpenAI stream into events; a caller of the same dialect gets a tap instead."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from sternpost.contracts.chat import (
    CitationSeen,
    Finish,
    LogprobsSeen,
    MediaSeen,
    RedactedThinking,
    RefusalDelta,
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
from sternpost.contracts.message import BlobPart, Json
from sternpost.contracts.provider import Quirks
from sternpost.dialects.framing.framed import FramedReader
from sternpost.dialects.framing.sse import payload_of
from sternpost.dialects.openai_chat.annotations import read_annotations
from sternpost.dialects.openai_chat.chunks import (
    Chunk,
    ChunkChoice,
    ChunkUnreadable,
    Delta,
    FunctionPiece,
    StreamNotes,
    ToolPiece,
    decode_chunk,
)
from sternpost.dialects.openai_chat.logprobs import read_choice_logprobs
from sternpost.dialects.openai_chat.media import image_blob
from sternpost.dialects.openai_chat.names import FINISH_READ
from sternpost.dialects.openai_chat.parts import details_text
from sternpost.dialects.openai_chat.safety import read_prompt_results, read_results

_NO_FUNCTION = FunctionPiece()


@dataclass(slots=True)
class _Tool:
    order: int  # among the calls of its choice
    is_started: bool = False
    id: str = ""
    name: str = ""
    early: list[str] = field(default_factory=list[str])  # arguments that came before the name


class OpenAiReader(FramedReader[StreamNotes]):
    """Tool calls are assembled by `index`; hosts that repeat id and name or leave the index out are read."""

    __slots__ = ("_finished", "_is_ended", "_is_started", "_orders", "_tools")

    def __init__(self, quirks: Quirks) -> None:
        super().__init__(StreamNotes(quirks))
        self._tools: dict[tuple[int, int], _Tool] = {}  # by choice and index: the last one there
        self._orders: Counter[int] = Counter()
        self._is_started = False
        self._is_ended = False
        self._finished: set[int] = set()

    def finish(self) -> Sequence[StreamEvent]:
        events = list(super().finish())
        self._notes.take_end_of_bytes()
        return [*events, *self._end()]

    def _end(self) -> Iterator[StreamEvent]:
        if self._notes.is_complete and not self._is_ended and not self._is_broken:
            self._is_ended = True
            yield StreamEnd()

    def _read(self, frame: bytes) -> Iterator[StreamEvent]:
        payload = payload_of(frame)
        if not payload or self._is_broken:
            return
        if payload == b"[DONE]":
            self._notes.take_done()
            yield from self._end()
            return
        try:
            chunk = decode_chunk(payload, is_lenient=False)
            self._notes.take(chunk)
        except ChunkUnreadable as unreadable:
            self._is_broken = True
            yield unreadable.fault
            return
        yield from self._events(chunk)

    def _events(self, chunk: Chunk) -> Iterator[StreamEvent]:
        if chunk.prompt_filter_results and (seen := read_prompt_results(chunk.prompt_filter_results)):
            yield SafetySeen(seen)
        for choice in chunk.choices or ():
            if not self._is_started:
                self._is_started = True
                created = chunk.created
                created_s = int(created) if isinstance(created, int | float) else 0
                usage = self._notes.summary().usage if chunk.usage else None
                yield StreamStart(self._notes.id, self._notes.model, created_s, usage)
            if choice.delta is not None:
                yield from self._delta(choice.delta, choice.index)
            if choice.logprobs or choice.content_filter_results:
                yield from _verdicts(choice)
            if choice.finish_reason and choice.index not in self._finished:
                self._finished.add(choice.index)  # some hosts repeat it with the usage
                if self._notes.is_late and choice.message is not None:
                    self._notes.is_late = False
                    yield from self._delta(choice.message, choice.index)
                yield from self._finish(choice)
        if chunk.usage:
            usage = self._notes.summary().usage
            if usage is not None:
                yield UsageSeen(usage)

    def _delta(self, delta: Delta, choice: int) -> Iterator[StreamEvent]:
        thinking = delta.reasoning_content or delta.reasoning or details_text(delta.reasoning_details)
        if thinking:
            yield ThinkingDelta(thinking, choice)
        for block in delta.thinking_blocks or ():
            yield from _thinking_block(block)
        if isinstance(delta.content, str):
            if delta.content:
                yield TextDelta(delta.content, choice)
        elif delta.content:
            yield from _content_parts(delta.content, choice)
        if delta.refusal:
            yield RefusalDelta(delta.refusal, choice)
        if delta.audio or delta.images or delta.annotations:
            yield from _media(delta, choice)
        for piece in delta.tool_calls or ():
            yield from self._tool(piece, choice)
        if delta.function_call is not None:
            yield from self._tool(ToolPiece(index=0, function=delta.function_call), choice)

    def _tool(self, piece: ToolPiece, choice: int) -> Iterator[StreamEvent]:
        index = piece.index if piece.index is not None else self._guess_index(piece, choice)
        tool = self._tools.get((choice, index))
        if tool is None or _is_another(tool, piece):
            tool = self._tools[choice, index] = _Tool(self._orders[choice])
            self._orders[choice] += 1
        function = piece.function or _NO_FUNCTION
        tool.id = tool.id or piece.id or ""
        tool.name = tool.name or function.name or ""
        arguments = _text_of(function.arguments)
        if tool.is_started:
            if arguments:
                yield ToolArguments(tool.order, arguments, choice)
            return
        if arguments:
            tool.early.append(arguments)
        if tool.name:
            yield from self._start_tool(tool, choice)

    def _start_tool(self, tool: _Tool, choice: int) -> Iterator[StreamEvent]:
        tool.is_started = True
        yield ToolStart(tool.order, tool.id or f"call_{self._notes.id}_{tool.order}", tool.name, choice)
        for text in tool.early:
            yield ToolArguments(tool.order, text, choice)

    def _guess_index(self, piece: ToolPiece, choice: int) -> int:
        """Without an index a new id opens the next call, and a piece without id goes on with the last."""
        known = [index for of_choice, index in self._tools if of_choice == choice]
        if not known:
            return 0
        if not piece.id:
            return known[-1]
        for index in known:
            if self._tools[choice, index].id == piece.id:
                return index
        return known[-1] + 1

    def _finish(self, choice: ChunkChoice) -> Iterator[StreamEvent]:
        for (of_choice, _), tool in self._tools.items():
            if of_choice == choice.index and not tool.is_started:
                yield from self._start_tool(tool, of_choice)
        reason = FINISH_READ.get(choice.finish_reason or "", "unknown")
        has_tools = any(of_choice == choice.index for of_choice, _ in self._tools)
        if reason == "end" and has_tools:  # some hosts say `stop` after tool calls
            reason = "tool"
        yield Finish(reason, choice=choice.index)


def _is_another(tool: _Tool, piece: ToolPiece) -> bool:
    """Tell a call that a host put at an index already used: Gemini's and others number every call 0.

    An id alone is none, since some hosts make up a new one for each piece; a call begins with its name.
    """
    is_named = piece.function is not None and bool(piece.function.name)
    return is_named and bool(piece.id) and bool(tool.id) and piece.id != tool.id


def _text_of(arguments: str | Mapping[str, object] | None) -> str:
    if isinstance(arguments, Mapping):
        return msgspec.json.encode(arguments).decode()
    return arguments or ""


def _verdicts(choice: ChunkChoice) -> Iterator[StreamEvent]:
    if tokens := read_choice_logprobs(choice.logprobs):
        yield LogprobsSeen(tokens, choice.index)
    if results := tuple(read_results(choice.content_filter_results)):
        yield SafetySeen(results)


def _media(delta: Delta, choice: int) -> Iterator[StreamEvent]:
    """Read sound with the words of it, pictures, and citations."""
    audio = delta.audio or {}
    sound: Json = audio.get("data")
    words: Json = audio.get("transcript")
    if isinstance(sound, str) and sound:
        yield MediaSeen(BlobPart("audio", sound), choice)
    if isinstance(words, str) and words:
        yield TextDelta(words, choice)
    for image in delta.images or ():
        address: Json = image.get("image_url")
        url = address.get("url") if isinstance(address, Mapping) else None
        if isinstance(url, str) and (blob := image_blob(url)):
            yield MediaSeen(blob, choice)
    for citation in read_annotations(delta.annotations or [], choice=choice):
        yield CitationSeen(citation)


def _thinking_block(block: Mapping[str, object]) -> Iterator[StreamEvent]:
    signature, sealed = block.get("signature"), block.get("data")
    if isinstance(signature, str) and signature:
        yield ThinkingSignature(signature)
    if block.get("type") == "redacted_thinking" and isinstance(sealed, str):
        yield RedactedThinking(sealed)


class _TextBit(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: "list[_TextBit] | str" = ""


def _content_parts(parts: Sequence[Mapping[str, object]], choice: int) -> Iterator[StreamEvent]:
    """Mistral streams content as parts: `text`, and `thinking` that holds text parts."""
    for part in parts:
        try:
            bit = msgspec.convert(part, _TextBit)
        except msgspec.ValidationError:
            continue
        if bit.text:
            yield TextDelta(bit.text, choice)
        inner = bit.thinking
        thought = inner if isinstance(inner, str) else "".join(piece.text for piece in inner)
        if thought:
            yield ThinkingDelta(thought, choice)
