"""Reads a stream of Ollama's chat, a line of JSON each; `done: true` is its terminal marker."""

from collections.abc import Iterator

import msgspec

from sternpost.contracts.chat import (
    Finish,
    LogprobsSeen,
    OtherSeen,
    StreamEnd,
    StreamEvent,
    StreamFault,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ToolArguments,
    ToolStart,
    UsageSeen,
)
from sternpost.dialects.errors.failures import fault_from
from sternpost.dialects.framing.framed import FramedReader, PlainNotes
from sternpost.dialects.framing.ndjson import LineSplitter
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.ollama.reply import (
    DECODER,
    WireReply,
    created_s,
    finish_of,
    read_calls,
    read_logprobs,
    read_usage,
)


class OllamaReader(FramedReader[PlainNotes]):
    """Lines without content show nothing; the last one has the counts."""

    __slots__ = ("_call_count", "_is_started")

    def __init__(self) -> None:
        super().__init__(PlainNotes())
        self._splitter = LineSplitter()
        self._is_started = False
        self._call_count = 0

    def _read(self, frame: bytes) -> Iterator[StreamEvent]:
        if self._is_broken or self._notes.is_complete:
            return
        try:
            reply = DECODER.decode(frame)
        except msgspec.ValidationError:
            yield self._broken("unknown_frame", "The provider's stream holds a line of an unknown shape.")
            return
        except UNREADABLE:
            yield self._broken(
                "malformed_frame", "The provider's stream holds a line that is not valid JSON."
            )
            return
        if reply.error:
            self._is_broken = True
            yield fault_from(reply.error)
            return
        if not self._is_started:
            self._is_started = True
            self._notes.model = text_or_empty(reply.model)
            yield StreamStart("", self._notes.model, created_s(reply))
        yield from self._events(reply)

    def _broken(self, kind: str, message: str) -> StreamFault:
        self._is_broken = True
        return StreamFault(kind, message)

    def _events(self, reply: WireReply) -> Iterator[StreamEvent]:
        message, notes = reply.message, self._notes
        if message is not None and message.thinking:
            notes.has_content = True
            yield ThinkingDelta(message.thinking)
        if message is not None and message.content:
            notes.has_content = True
            yield TextDelta(message.content)
        if message is not None and message.images:
            yield OtherSeen("images")
        if tokens := tuple(read_logprobs(reply.logprobs)):
            yield LogprobsSeen(tokens)
        for call in read_calls(reply, first=self._call_count):
            notes.has_content = True
            yield ToolStart(self._call_count, call.id or "", call.name)
            yield ToolArguments(self._call_count, call.arguments)
            self._call_count += 1
        if reply.done:
            yield from self._end(reply)

    def _end(self, reply: WireReply) -> Iterator[StreamEvent]:
        notes = self._notes
        notes.finish = text_or_empty(reply.done_reason)
        notes.usage = read_usage(reply)
        if notes.usage is not None:
            yield UsageSeen(notes.usage)
        yield Finish(finish_of(reply, has_calls=self._call_count > 0))
        notes.is_complete = True
        yield StreamEnd()
