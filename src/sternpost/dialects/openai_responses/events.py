"""The typed shape of one Responses event and what a stream has shown so far; writes nothing.

Every frame is decoded in full, so broken JSON syntax is found wherever it is. Not found: invalid UTF-8
inside strings nobody reads, and values of fields nobody reads.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sternpost.contracts.chat import StreamFault
from sternpost.contracts.message import Json
from sternpost.contracts.provider import Quirks
from sternpost.dialects.errors.failures import fault_from
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.openai_responses.reply import (
    is_failed,
    open_response,
    read_response_head,
    summary_of,
)
from sternpost.dialects.protocols import ReplySummary


class Item(msgspec.Struct):
    """What is read of an output item; which fields are set depends on `type`."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    encrypted_content: str | None = None
    content: list[dict[str, Any]] | None = None
    summary: list[dict[str, Any]] | None = None
    result: str | None = None
    output_format: str | None = None


class WireEvent(msgspec.Struct):
    type: str = ""
    sequence_number: Any = None
    output_index: Any = None
    summary_index: Any = None
    delta: Any = None
    logprobs: Any = None
    annotation: Any = None
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    code: Any = None
    message: Any = None
    param: Any = None
    error: Any = None


_EVENT: Final = msgspec.json.Decoder(WireEvent)
_ITEM: Final = msgspec.json.Decoder(Item)
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])
ENDINGS: Final = frozenset({"response.completed", "response.incomplete"})
_FAILURES: Final = frozenset({"error", "response.error", "response.failed", "response.cancelled"})
_SILENT_ITEMS: Final = frozenset({"message", "reasoning", ""})


class EventUnreadable(ValueError):
    """Carries the fault a frame stands for."""

    def __init__(self, fault: StreamFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def decode_event(payload: bytes) -> WireEvent:
    """Decode one payload. Raises: EventUnreadable when it is no JSON object with a type."""
    try:
        return _EVENT.decode(payload)
    except msgspec.ValidationError as error:
        raise EventUnreadable(
            StreamFault("unknown_frame", "The provider's stream holds a frame of an unknown shape.")
        ) from error
    except UNREADABLE as error:
        raise EventUnreadable(
            StreamFault("malformed_frame", "The provider's stream holds a frame that is not valid JSON.")
        ) from error


def read_item(event: WireEvent) -> Item | None:
    """Return the item of an event; None without one that can be read."""
    return _item_of(event.item)


def _item_of(raw: msgspec.Raw) -> Item | None:
    try:
        return _ITEM.decode(raw)
    except UNREADABLE:
        return None


def items_of(event: WireEvent) -> list[Item | None]:
    """Return the items of the response that a terminal event carries, each in its place."""
    head = read_response_head(event.response)
    try:
        return [_item_of(raw) for raw in _ITEMS.decode(head.output)] if head is not None else []
    except UNREADABLE:
        return []


def fault_of(event: WireEvent) -> StreamFault | None:
    """Return the error an event reports: `error` itself, or the one inside a failed response."""
    if event.type not in _FAILURES and not (event.type in ENDINGS and _is_failed(event)):
        return None
    error: Json = event.error
    if bytes(memoryview(event.response)[:1]) == b"{":
        head = read_response_head(event.response)
        error = head.error if head is not None else None
    if not isinstance(error, Mapping):
        error = {"code": event.code, "message": event.message, "param": event.param}
    return fault_from(error)


def _is_failed(event: WireEvent) -> bool:
    """Whether the response of a terminal event failed, whatever the event is called."""
    head = read_response_head(event.response)
    return head is not None and is_failed(head)


def has_content(event: WireEvent) -> bool:
    """Whether an event carries text, tool, refusal, thinking or anything else made for the caller."""
    kind = event.type
    if kind.endswith(".delta"):
        return True
    if kind not in ("response.output_item.added", "response.output_item.done"):
        return False
    item = read_item(event)
    return item is None or item.type not in _SILENT_ITEMS or kind.endswith(".done")


class StreamNotes:
    """What a stream has shown: names, usage, status, content, the last number and its terminal marker."""

    __slots__ = ("_number", "_quirks", "_response", "_summary", "created_s", "has_content", "is_complete")

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks
        self._summary = ReplySummary()
        self._response = msgspec.Raw()
        self._number = -1
        self.has_content = False
        self.is_complete = False
        self.created_s = 0

    def take(self, event: WireEvent) -> None:
        number = event.sequence_number
        if event.type not in _FAILURES:  # which are written anew
            self._number = number if type(number) is int else self._number + 1
        if not self.has_content:
            self.has_content = has_content(event)
        if bytes(memoryview(event.response)[:1]) == b"{":
            self._take_response(event)

    def _take_response(self, event: WireEvent) -> None:
        head = read_response_head(event.response)
        if head is None:
            return
        self._response = event.response
        self._summary = summary_of(head, self._quirks)
        self.is_complete = event.type in ENDINGS
        self.created_s = int(head.created_at) if isinstance(head.created_at, int | float) else 0

    def summary(self) -> ReplySummary:
        return self._summary

    @property
    def next_number(self) -> int:
        return self._number + 1

    def response(self) -> Mapping[str, Json]:
        """Return the response object as it was last seen."""
        try:
            return _OBJECT.decode(self._response)
        except UNREADABLE:
            return open_response(text_or_empty(self._summary.id), self._summary.model, created_s=0)
