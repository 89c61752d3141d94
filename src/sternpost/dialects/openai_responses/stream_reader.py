"""Reads a Responses stream into events; a caller of the same dialect gets a tap instead."""

from collections.abc import Iterator, Mapping
from typing import Final

from sternpost.contracts.chat import (
    CitationSeen,
    Finish,
    LogprobsSeen,
    MediaSeen,
    OtherSeen,
    RedactedThinking,
    RefusalDelta,
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
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.openai_chat.annotations import read_annotations
from sternpost.dialects.openai_chat.logprobs import read_logprobs
from sternpost.dialects.openai_responses.events import (
    ENDINGS,
    EventUnreadable,
    Item,
    StreamNotes,
    WireEvent,
    decode_event,
    fault_of,
    items_of,
    read_item,
)
from sternpost.dialects.openai_responses.names import finish_read
from sternpost.dialects.openai_responses.seal import tag_origin, unseal
from sternpost.dialects.pairing.citing import shifted

_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_READ: Final = frozenset({*_CALLS, "message", "reasoning", "image_generation_call", ""})


class ResponsesReader(FramedReader[StreamNotes]):
    """Items of tools that ran at the provider show nothing: no other dialect has a place for them."""

    __slots__ = (
        "_has_text",
        "_is_started",
        "_kinds",
        "_part_start",
        "_places",
        "_position",
        "_shown",
        "_tools",
    )

    def __init__(self, quirks: Quirks) -> None:
        super().__init__(StreamNotes(quirks))
        self._tools: dict[int, int] = {}  # output_index -> order of the tool call
        self._shown: set[int] = set()  # output_index of items of which deltas came
        self._kinds: set[str] = set()  # types of items that were finished in the stream
        self._has_text = False
        self._places: dict[str, int] = {}  # of calls, by their id
        self._is_started = False
        self._position = 0  # characters of text so far
        self._part_start = 0  # where the content part began whose places annotations count

    def _read(self, frame: bytes) -> Iterator[StreamEvent]:
        payload = payload_of(frame)
        if not payload or payload == b"[DONE]" or self._is_broken or self._notes.is_complete:
            return
        try:
            event = decode_event(payload)
        except EventUnreadable as unreadable:
            self._is_broken = True
            yield unreadable.fault
            return
        self._notes.take(event)  # a failure, too, says what was used
        fault = fault_of(event)
        if fault is not None:
            self._is_broken = True
            yield fault
            return
        if not self._is_started:
            self._is_started = True
            seen = self._notes.summary()
            yield StreamStart(seen.id, seen.model, self._notes.created_s)
        yield from self._events(event)

    def _events(self, event: WireEvent) -> Iterator[StreamEvent]:
        index = event.output_index if isinstance(event.output_index, int) else 0
        if event.type.endswith(".delta"):
            if isinstance(event.delta, str) and event.delta:
                self._shown.add(index)
                yield from self._delta(event.type, event.delta, index)
                if event.logprobs and (tokens := read_logprobs(event.logprobs)):
                    yield LogprobsSeen(tokens)
            return
        match event.type:
            case "response.output_item.added":
                if (item := read_item(event)) is not None:
                    yield from self._start_tool(item, index)
            case "response.output_item.done":
                if (item := read_item(event)) is not None:
                    yield from self._done(item, index)
            case "response.content_part.added":
                self._part_start = self._position
            case "response.output_text.annotation.added":
                yield from self._cite([event.annotation])
            case "response.reasoning_summary_part.added" if event.summary_index:
                yield ThinkingDelta("\n\n")  # between the parts of a summary
            case kind if kind in ENDINGS:
                yield from self._unstreamed(event)
                yield from self._end(kind)
            case _:  # states of items and events that are new
                return

    def _delta(self, kind: str, text: str, index: int) -> Iterator[StreamEvent]:
        match kind:
            case "response.output_text.delta":
                self._position += len(text)
                self._has_text = True
                yield TextDelta(text)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                if index in self._tools:
                    yield ToolArguments(self._tools[index], text)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield ThinkingDelta(text)
            case "response.refusal.delta":
                self._has_text = True
                yield RefusalDelta(text)
            case _:
                return

    def _start_tool(self, item: Item, index: int) -> Iterator[StreamEvent]:
        if item.type in _CALLS and index not in self._tools:
            self._places[item.call_id or item.id or ""] = index
            order = self._tools[index] = len(self._tools)
            yield ToolStart(order, item.call_id or item.id or "", item.name or "")

    def _cite(self, annotations: Json) -> Iterator[StreamEvent]:
        for citation in read_annotations(annotations):
            yield CitationSeen(shifted(citation, self._part_start))

    def _done(self, item: Item, index: int) -> Iterator[StreamEvent]:
        """Show what only the finished item says: what was not streamed before, a picture, a signature."""
        if item.type not in _CALLS:
            self._kinds.add(item.type)
        if item.type == "reasoning":
            for part in item.summary or () if index not in self._shown else ():
                if text := text_or_empty(part.get("text")):
                    yield ThinkingDelta(text)
            yield from _signed(item)
        if item.type not in _READ:
            yield OtherSeen(f"content.{item.type[:64]}")
        if item.type == "image_generation_call" and item.result:
            yield MediaSeen(BlobPart("image", item.result, f"image/{item.output_format or 'png'}"))
        if index in self._shown:
            return
        self._shown.add(index)
        yield from self._start_tool(item, index)
        if index in self._tools and (text := item.arguments or item.input):
            yield ToolArguments(self._tools[index], text)
        for part in item.content or () if item.type == "message" else ():
            yield from self._whole_part(part)

    def _whole_part(self, part: Mapping[str, Json]) -> Iterator[StreamEvent]:
        text, refusal = part.get("text"), part.get("refusal")
        if isinstance(text, str) and text:
            self._part_start = self._position
            self._position += len(text)
            yield TextDelta(text)
            yield from self._cite(part.get("annotations"))
        elif isinstance(refusal, str) and refusal:
            yield RefusalDelta(refusal)

    def _unstreamed(self, event: WireEvent) -> Iterator[StreamEvent]:
        """Show what stands in the terminal event alone: calls, and kinds of items nothing was shown of."""
        if self._has_text:
            self._kinds.add("message")
        kinds = set(self._kinds)
        place = max((*self._shown, *self._tools), default=-1)
        for item in items_of(event):
            if item is None or item.type in kinds:
                continue
            known = self._places.get(item.call_id or item.id or "") if item.type in _CALLS else None
            place += 1  # of its own, wherever the stream put the others
            yield from self._done(item, place if known is None else known)

    def _end(self, kind: str) -> Iterator[StreamEvent]:
        seen = self._notes.summary()
        if seen.usage is not None:
            yield UsageSeen(seen.usage)
        reason = seen.finish_reasons[0] if seen.finish_reasons else ""
        status = kind.removeprefix("response.")
        yield Finish(finish_read(status, reason, has_calls=bool(self._tools)))
        yield StreamEnd()


def _signed(item: Item) -> Iterator[StreamEvent]:
    """Show what replays a thought: another provider's as it was, this dialect's own with its origin."""
    encrypted = item.encrypted_content or ""
    sealed = unseal(encrypted, "")
    if sealed is None:
        if encrypted:
            yield RedactedThinking(tag_origin(item.id or "", encrypted))
        return
    if sealed.signature is not None:
        yield ThinkingSignature(sealed.signature)
    if sealed.encrypted_content is not None:
        yield RedactedThinking(sealed.encrypted_content)
