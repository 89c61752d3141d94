"""Reads a Gemini stream into events; each chunk is an answer of its own, and the end has no marker.

A stream is complete when its bytes end after every candidate said why it finished, or after a refused prompt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from sternpost.contracts.chat import (
    CitationSeen,
    Finish,
    LogprobsSeen,
    MediaSeen,
    OtherSeen,
    SafetyResult,
    SafetySeen,
    StreamEnd,
    StreamEvent,
    StreamFault,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolArguments,
    ToolStart,
    UsageSeen,
)
from sternpost.contracts.message import BlobPart, Json, OtherPart, Part, ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.usage import Usage
from sternpost.dialects.errors.failures import fault_from
from sternpost.dialects.framing.framed import FramedReader
from sternpost.dialects.framing.sse import payload_of
from sternpost.dialects.gemini.metadata import (
    count_searches,
    is_prompt_blocked,
    read_citations,
    read_logprobs,
    read_safety,
)
from sternpost.dialects.gemini.parts import CallIds
from sternpost.dialects.gemini.reply import (
    beside,
    choice_of,
    empty_fault,
    finish_of,
    plain_text_of,
    read_parts,
    seed_of,
    signatures_of,
)
from sternpost.dialects.gemini.usage import read_usage
from sternpost.dialects.gemini.wire import WireAnswer, WireCandidate, decode_answer, read_counts
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import ReplySummary


@dataclass(slots=True)
class _Choice:
    """What one candidate has shown."""

    texts: list[str] = field(default_factory=list[str])
    finish: str = ""
    message: Json = None  # beside the finish reason
    has_calls: bool = False
    searches: int = 0
    sources: WireCandidate | None = None  # the last that named any


@dataclass(slots=True)
class _Notes:
    """What the stream has shown."""

    id: str = ""
    model: str = ""
    counts: msgspec.Raw = field(default_factory=msgspec.Raw)  # cumulative, so the last ones stand
    safety: tuple[SafetyResult, ...] = ()
    is_blocked: bool = False
    has_content: bool = False
    is_complete: bool = False
    choices: dict[int, _Choice] = field(default_factory=dict[int, _Choice])
    signatures: dict[str, str] = field(default_factory=dict[str, str])

    def choice(self, index: int) -> _Choice:
        found = self.choices.get(index)
        if found is None:
            found = self.choices[index] = _Choice()
        return found

    def usage(self) -> Usage | None:
        searches = sum(choice.searches for choice in self.choices.values())
        return read_usage(read_counts(self.counts), searches=searches)

    def summary(self) -> ReplySummary:
        finishes = tuple(choice.finish for choice in self.choices.values() if choice.finish)
        return ReplySummary(self.usage(), self.model, self.id, finishes, signatures=self.signatures)


class GeminiReader(FramedReader[_Notes]):
    """Arguments of calls come whole; sources and ratings are told at the end, when they are complete."""

    __slots__ = ("_call_count", "_ids")

    def __init__(self) -> None:
        super().__init__(_Notes())
        self._ids: CallIds | None = None
        self._call_count = 0

    def finish(self) -> Sequence[StreamEvent]:
        events = list(super().finish())
        if self._is_broken:
            return events
        notes = self._notes
        is_finished = bool(notes.choices) and all(choice.finish for choice in notes.choices.values())
        fault = self._empty_fault() if is_finished and not notes.has_content else None
        if fault is not None:
            self._is_broken = True
            return [*events, fault]
        if (is_finished or notes.is_blocked) and not notes.is_complete:
            notes.is_complete = True
            events += self._ending()
        return events

    def _read(self, frame: bytes) -> Iterator[StreamEvent]:
        payload = payload_of(frame)
        if not payload or payload == b"[DONE]" or self._is_broken:
            return
        try:
            answer = decode_answer(payload)
        except msgspec.ValidationError:
            yield self._fault("unknown_frame", "The provider's stream holds a frame of an unknown shape.")
            return
        except UNREADABLE:
            yield self._fault(
                "malformed_frame", "The provider's stream holds a frame that is not valid JSON."
            )
            return
        if answer.error is not None:
            self._is_broken = True
            yield fault_from(answer.error)
            return
        if self._ids is None:
            self._ids = CallIds(seed_of(answer, payload))
            notes = self._notes
            notes.id, notes.model = text_or_empty(answer.response_id), text_or_empty(answer.model_version)
            self._take(answer)
            yield StreamStart(notes.id, notes.model, usage=notes.usage())
        else:
            self._take(answer)
        for candidate in answer.candidates or ():
            if text := plain_text_of(candidate):  # nearly all of a stream
                yield self._text(text, choice_of(candidate))
            else:
                yield from self._show(candidate)
            yield from self._beside(candidate)

    def _empty_fault(self) -> StreamFault | None:
        faults = [empty_fault(choice.finish, choice.message) for choice in self._notes.choices.values()]
        return faults[0] if all(fault is not None for fault in faults) else None

    def _fault(self, kind: str, words: str) -> StreamFault:
        self._is_broken = True
        return StreamFault(kind, words)

    def _take(self, answer: WireAnswer) -> None:
        notes = self._notes
        if memoryview(answer.usage_metadata).nbytes:
            notes.counts = answer.usage_metadata
        rated = [one.safety_ratings for one in answer.candidates or () if one.safety_ratings]
        if answer.prompt_feedback is not None or rated:
            notes.safety = read_safety(answer) or notes.safety
            notes.is_blocked = notes.is_blocked or is_prompt_blocked(answer)

    def _show(self, candidate: WireCandidate) -> Iterator[StreamEvent]:
        index = choice_of(candidate)
        parts = list(read_parts(candidate, self._ids or CallIds(""), index))
        if len(parts) > 1:  # a signature is a part of its own
            self._notes.signatures |= signatures_of(parts)
        for part in parts:
            yield from self._events(part, index)

    def _text(self, text: str, index: int) -> TextDelta:
        self._notes.has_content = True
        self._notes.choice(index).texts.append(text)
        return TextDelta(text, index)

    def _beside(self, candidate: WireCandidate) -> Iterator[StreamEvent]:
        index = choice_of(candidate)
        choice = self._notes.choice(index)
        if candidate.logprobs_result and (tokens := read_logprobs(candidate.logprobs_result)):
            yield LogprobsSeen(tokens, index)
        if candidate.grounding_metadata:
            choice.searches = count_searches(candidate, self._notes.model) or choice.searches
        if candidate.grounding_metadata or candidate.citation_metadata or candidate.url_context_metadata:
            choice.sources = candidate
        choice.finish = candidate.finish_reason or choice.finish
        choice.message = candidate.finish_message or choice.message

    def _events(self, part: Part, index: int) -> Iterator[StreamEvent]:
        self._notes.has_content = True
        match part:
            case TextPart(text):
                yield self._text(text, index)
            case ReasoningPart(content, signature):
                if content:
                    yield ThinkingDelta(content, index)
                if signature:
                    yield ThinkingSignature(signature)
            case ToolCallPart(name, arguments, call_id):
                self._notes.choice(index).has_calls = True
                order, self._call_count = self._call_count, self._call_count + 1
                yield ToolStart(order, call_id or "", name, index)
                yield ToolArguments(order, arguments, index)
            case BlobPart():
                yield MediaSeen(part, index)
            case OtherPart(payload):
                yield OtherSeen(f"content.{str(payload.get('type', 'other'))[:64]}")
            case _:
                return

    def _ending(self) -> Iterator[StreamEvent]:
        notes = self._notes
        for index, choice in sorted(notes.choices.items()):
            if choice.sources is not None:
                found = read_citations(choice.sources, "".join(choice.texts), index)
                yield from (CitationSeen(citation) for citation in found)
                yield from (OtherSeen(name) for name in beside([choice.sources]))
        if notes.safety:
            yield SafetySeen(notes.safety)
        if (usage := notes.usage()) is not None:
            yield UsageSeen(usage)
        for index, choice in sorted(notes.choices.items()):
            yield Finish(finish_of(choice.finish, has_calls=choice.has_calls), choice=index)
        if not notes.choices:
            yield Finish("filtered")
        yield StreamEnd()
