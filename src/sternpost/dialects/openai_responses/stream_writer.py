"""Writes events as a Responses stream with gapless numbers; the terminal frame comes with StreamEnd."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sternpost.contracts.chat import (
    Citation,
    CitationSeen,
    ClientCall,
    ClientTool,
    Finish,
    FinishReason,
    LogprobsSeen,
    MediaSeen,
    RedactedThinking,
    RefusalDelta,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    TokenLogprob,
    ToolArguments,
    ToolStart,
    UsageSeen,
)
from sternpost.contracts.message import BlobPart, Json, ReasoningPart, ToolCallPart
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat.annotations import write_flat
from sternpost.dialects.openai_chat.names import CUT_SHORT
from sternpost.dialects.openai_responses.call_items import call_item, has_payload, id_prefix
from sternpost.dialects.openai_responses.errors import frame, write_failure
from sternpost.dialects.openai_responses.items import (
    image_item,
    message_item,
    place_id,
    reasoning_item,
    refusal_content,
    text_content,
)
from sternpost.dialects.openai_responses.reply import open_response, tier_of, write_response
from sternpost.dialects.pairing.citing import shifted
from sternpost.dialects.protocols import WireError

_TEXT = msgspec.json.encode


@dataclass(slots=True)
class _Open:
    """An item that is being written; of a message, the content part that is open."""

    kind: str  # text, refusal, thinking, tool
    index: int  # output_index
    id: str
    texts: list[str] = field(default_factory=list[str])
    citations: list[Citation] = field(default_factory=list[Citation])
    logprobs: list[TokenLogprob] = field(default_factory=list[TokenLogprob])
    start: int = 0  # how many characters of text were before it
    call_id: str = ""
    name: str = ""
    tool: ClientTool | None = None  # what the called tool is in this dialect

    def place(self) -> dict[str, Json]:
        return {"item_id": self.id, "output_index": self.index}


def _call_of(opened: _Open, arguments: str) -> ToolCallPart:
    if opened.tool is None:
        return ToolCallPart(opened.name, arguments, opened.call_id)
    return ClientCall(opened.name, arguments, opened.call_id, tool=opened.tool)


class ResponsesWriter:
    """Text, refusals and thoughts close each other; tool calls stay open to the end, as they may interleave.

    Every item's id is its place in the reply, so that it is the same wherever it is named.
    """

    __slots__ = (
        "_asked",
        "_created_s",
        "_finish",
        "_head",
        "_is_started",
        "_number",
        "_open",
        "_output",
        "_position",
        "_start",
        "_tools",
        "_usage",
    )

    def __init__(self, *, created_s: int, asked: Mapping[str, Any]) -> None:
        self._created_s = created_s
        self._asked = asked  # what the response repeats
        self._start = StreamStart("", "")
        self._is_started = False
        self._number = 0
        self._position = 0  # characters of text so far
        self._open: _Open | None = None
        self._head = b""  # of a text delta of the open item
        self._output: dict[int, Json] = {}  # by output_index; None: not done yet
        self._tools: dict[int, _Open] = {}
        self._usage: Usage | None = None
        self._finish: FinishReason = "unknown"

    def write(self, event: StreamEvent) -> bytes:
        match event:
            case TextDelta(text):
                is_open = self._open is not None and self._open.kind == "text"
                return self._text(text) if is_open else self._message("text") + self._text(text)
            case ToolArguments(index, text):
                return self._arguments(index, text)
            case ThinkingDelta(text):
                return self._thinking(text)
            case ToolStart():
                return self._tool_start(event)
            case _:
                return self._write_rare(event)

    def fail(self, error: WireError) -> bytes:
        started = self._ready()
        response = {**self._response(), "output": self._done_items()}
        return started + write_failure(error, self._number, response)

    def _write_rare(self, event: StreamEvent) -> bytes:
        match event:
            case StreamStart():
                self._start = event
                return self._ready()
            case RefusalDelta(text):
                is_open = self._open is not None and self._open.kind == "refusal"
                return (b"" if is_open else self._message("refusal")) + self._refusal(text)
            case ThinkingSignature(signature):
                return self._sign(ReasoningPart(signature=signature))
            case RedactedThinking(sealed):
                return self._close() + self._sign(ReasoningPart(encrypted_content=sealed))
            case UsageSeen(usage):
                self._usage = usage
                return b""
            case Finish(reason):
                self._finish = reason
                return self._ready() + self._close() + self._close_tools()
            case StreamEnd(at_s):
                return self._ending(at_s)
            case MediaSeen(part) if part.modality == "image":
                return self._image(part)
            case CitationSeen(citation) if citation.choice == 0:
                return self._cite(citation)
            case LogprobsSeen(tokens) if self._open is not None and self._open.kind == "text":
                self._open.logprobs += tokens  # shown with the finished text: its deltas are gone
                return b""
            case _:
                return b""

    def _cite(self, citation: Citation) -> bytes:
        """Annotate the open text; behind it there is none that the citation could stand in."""
        opened = self._open
        if opened is None or opened.kind != "text":
            return b""
        citation = shifted(citation, -opened.start)
        place: dict[str, Json] = {**opened.place(), "content_index": 0}
        place |= {"annotation_index": len(opened.citations), "annotation": write_flat([citation])[0]}
        opened.citations.append(citation)
        return self._frame("response.output_text.annotation.added", place)

    def _image(self, image: BlobPart) -> bytes:
        closed = self._ready() + self._close()
        index = len(self._output)
        item = image_item(place_id("ig", self._start.id, index), image)
        added = self._add(_Open("image", index, ""), {**item, "status": "in_progress", "result": None})
        return closed + added + self._done(index, item)

    def _frame(self, kind: str, fields: Mapping[str, Json]) -> bytes:
        number, self._number = self._number, self._number + 1
        return frame(kind, number, fields)

    def _response(self) -> dict[str, Json]:
        start = self._start
        created_s = start.created_s or self._created_s
        return open_response(start.id, start.model, created_s=created_s, base=self._asked)

    def _ready(self) -> bytes:
        """Write the events that open a stream, once."""
        if self._is_started:
            return b""
        self._is_started = True
        response = self._response()
        created = self._frame("response.created", {"response": response})
        return created + self._frame("response.in_progress", {"response": response})

    def _add(self, opened: _Open, item: Json) -> bytes:
        self._output[opened.index] = None
        return self._frame("response.output_item.added", {"output_index": opened.index, "item": item})

    def _message(self, kind: str) -> bytes:
        closed = self._ready() + self._close()
        index = len(self._output)
        item_id = place_id("msg", self._start.id, index)
        opened = self._open = _Open(kind, index, item_id, start=self._position)
        part = text_content("") if kind == "text" else refusal_content("")
        place = {**opened.place(), "content_index": 0}
        head: dict[str, Json] = {"type": "response.output_text.delta", **place, "logprobs": []}
        self._head = b"event: response.output_text.delta\ndata: " + _TEXT(head)[:-1]
        added = self._add(opened, message_item(opened.id, [], "in_progress"))
        return closed + added + self._frame("response.content_part.added", {**place, "part": part})

    def _text(self, text: str) -> bytes:
        if self._open is not None:
            self._open.texts.append(text)
        self._position += len(text)
        number, self._number = self._number, self._number + 1
        return b'%b,"delta":%b,"sequence_number":%d}\n\n' % (self._head, _TEXT(text), number)

    def _refusal(self, text: str) -> bytes:
        if self._open is None:
            return b""
        self._open.texts.append(text)
        return self._frame(
            "response.refusal.delta", {**self._open.place(), "content_index": 0, "delta": text}
        )

    def _thinking(self, text: str) -> bytes:
        opened = self._open
        begun = b""
        if opened is None or opened.kind != "thinking":
            begun = self._ready() + self._close()
            index = len(self._output)
            item = reasoning_item(self._start.id, index, ReasoningPart())
            opened = self._open = _Open("thinking", index, str(item["id"]))
            part: Json = {"type": "summary_text", "text": ""}
            begun += self._add(opened, item)
            begun += self._frame(
                "response.reasoning_summary_part.added", {**opened.place(), "summary_index": 0, "part": part}
            )
        opened.texts.append(text)
        told = {**opened.place(), "summary_index": 0, "delta": text}
        return begun + self._frame("response.reasoning_summary_text.delta", told)

    def _sign(self, sealed: ReasoningPart) -> bytes:
        """Close the open thought with what replays it; without one it is a thought that shows nothing."""
        opened = self._open
        if opened is not None and opened.kind == "thinking":
            return self._close(sealed)
        closed = self._ready() + self._close()
        index = len(self._output)
        item = reasoning_item(self._start.id, index, sealed)
        added = self._add(_Open("thinking", index, ""), item)
        return closed + added + self._done(index, item)

    def _tool_start(self, start: ToolStart) -> bytes:
        closed = self._ready() + self._close()
        index = len(self._output)
        tool_id = place_id(id_prefix(start.tool), self._start.id, index)
        opened = self._tools[start.index] = _Open(
            "tool", index, tool_id, call_id=start.id, name=start.name, tool=start.tool
        )
        return closed + self._add(opened, call_item(tool_id, _call_of(opened, ""), "in_progress"))

    def _arguments(self, index: int, text: str) -> bytes:
        tool = self._tools.get(index)
        if tool is None:
            return b""
        if text:
            tool.texts.append(text)
        if tool.tool is None or tool.tool.kind == "function":
            return self._frame("response.function_call_arguments.delta", {**tool.place(), "delta": text})
        if tool.tool.kind == "custom":
            return self._frame("response.custom_tool_call_input.delta", {**tool.place(), "delta": text})
        return b""  # shown as an object, once it is whole

    def _close(self, sealed: ReasoningPart | None = None) -> bytes:
        opened, self._open = self._open, None
        if opened is None:
            return b""
        text = "".join(opened.texts)
        if opened.kind == "thinking":
            return self._close_thinking(opened, text, sealed or ReasoningPart())
        place = {**opened.place(), "content_index": 0}
        if opened.kind == "text":
            part = text_content(text, opened.citations, opened.logprobs)
            told = {**place, "text": text, "logprobs": part["logprobs"]}
            done = self._frame("response.output_text.done", told)
        else:
            part = refusal_content(text)
            done = self._frame("response.refusal.done", {**place, "refusal": text})
        done += self._frame("response.content_part.done", {**place, "part": part})
        return done + self._done(opened.index, message_item(opened.id, [part], "completed"))

    def _close_thinking(self, opened: _Open, text: str, sealed: ReasoningPart) -> bytes:
        place = {**opened.place(), "summary_index": 0}
        part: Json = {"type": "summary_text", "text": text}
        thought = ReasoningPart(text, sealed.signature, sealed.encrypted_content)
        done = self._frame("response.reasoning_summary_text.done", {**place, "text": text})
        done += self._frame("response.reasoning_summary_part.done", {**place, "part": part})
        return done + self._done(opened.index, reasoning_item(self._start.id, opened.index, thought))

    def _close_tools(self) -> bytes:
        frames: list[bytes] = []
        for order, tool in self._tools.items():
            is_custom = tool.tool is not None and tool.tool.kind == "custom"
            if not tool.texts and self._finish not in CUT_SHORT and not is_custom:
                frames.append(self._arguments(order, "{}"))  # parsers can't read an empty text
            text = "".join(tool.texts)
            if is_custom:
                told: dict[str, Json] = {**tool.place(), "input": text}
                frames.append(self._frame("response.custom_tool_call_input.done", told))
            elif not has_payload(tool.tool):
                told = {**tool.place(), "name": tool.name, "arguments": text}
                frames.append(self._frame("response.function_call_arguments.done", told))
            frames.append(self._done(tool.index, call_item(tool.id, _call_of(tool, text), "completed")))
        self._tools.clear()
        return b"".join(frames)

    def _done(self, index: int, item: Json) -> bytes:
        self._output[index] = item
        return self._frame("response.output_item.done", {"output_index": index, "item": item})

    def _done_items(self) -> list[Json]:
        return [item for item in self._output.values() if item is not None]

    def _ending(self, at_s: int) -> bytes:
        closed = self._ready() + self._close() + self._close_tools()
        start, usage = self._start, self._usage
        response = write_response(
            start.id,
            start.model,
            finish=self._finish,
            output=self._done_items(),
            usage=usage,
            times=(start.created_s or self._created_s, at_s),
            base={**self._asked, **tier_of(usage.service_tier)} if usage else self._asked,
        )
        kind = f"response.{response['status']}"
        return closed + self._frame(kind, {"response": response})
