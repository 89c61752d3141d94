"""The typed shape of a Bedrock stream's events and what a stream has shown so far; reads no frames."""

from typing import Any

import msgspec

from sternpost.contracts.chat import StreamFault
from sternpost.contracts.message import Json
from sternpost.dialects.bedrock.event_stream import EventFrame
from sternpost.dialects.bedrock.usage import read_tier, read_usage
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import ReplySummary


class ToolHead(msgspec.Struct, rename="camel"):
    tool_use_id: str = ""
    name: str = ""
    type: str = ""  # `server_tool_use`: run at the provider


class Start(msgspec.Struct, rename="camel"):
    tool_use: ToolHead | None = None
    image: dict[str, Any] | None = None


class ToolPiece(msgspec.Struct):
    input: str = ""


class Reasoning(msgspec.Struct, rename="camel"):
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class Delta(msgspec.Struct, rename="camel"):
    """One field is set."""

    text: str | None = None
    tool_use: ToolPiece | None = None
    reasoning_content: Reasoning | None = None
    citation: dict[str, Any] | None = None
    image: dict[str, Any] | None = None


class WireEvent(msgspec.Struct, rename="camel"):
    """Every event's fields in one; which are set depends on the event."""

    content_block_index: int = 0
    start: Start | None = None
    delta: Delta | None = None
    stop_reason: str = ""
    additional_model_response_fields: Any = None
    usage: Any = None
    service_tier: Any = None
    performance_config: Any = None
    trace: Any = None


_EVENT = msgspec.json.Decoder(WireEvent)
KNOWN_EVENTS = frozenset(
    {
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    }
)


class EventUnreadable(ValueError):
    """Carries the fault a frame stands for."""

    def __init__(self, fault: StreamFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def decode_event(frame: EventFrame) -> WireEvent:
    """Raises: EventUnreadable for what is no JSON, or none of this event's shape."""
    try:
        return _EVENT.decode(frame.payload)
    except msgspec.ValidationError as error:
        fault = StreamFault("unknown_frame", "The provider's stream holds a frame of an unknown shape.")
        raise EventUnreadable(fault) from error
    except UNREADABLE as error:
        fault = StreamFault("malformed_frame", "The provider's stream holds a frame that is not valid JSON.")
        raise EventUnreadable(fault) from error


class StreamNotes:
    """What a stream has shown: stop reason, usage and whether both came, which is its end."""

    __slots__ = ("_values", "has_metadata", "stop_reason")

    def __init__(self) -> None:
        self._values: dict[str, Json] = {}
        self.stop_reason = ""
        self.has_metadata = False

    @property
    def is_complete(self) -> bool:
        return bool(self.stop_reason) and self.has_metadata

    def take(self, name: str, event: WireEvent) -> None:
        if name == "messageStop":
            self.stop_reason = event.stop_reason or "unknown"
        elif name == "metadata":
            self.has_metadata = bool(self.stop_reason)  # before the stop it ends nothing
            self._values = {
                "usage": event.usage,
                "serviceTier": event.service_tier,
                "performanceConfig": event.performance_config,
                "trace": event.trace,
            }

    def summary(self) -> ReplySummary:
        return summary_of(self._values, self.stop_reason)


def summary_of(values: dict[str, Json], stop_reason: str) -> ReplySummary:
    """Read what prices and the record need; only a prompt router says which model answered."""
    router = _object(_object(values.get("trace")).get("promptRouter"))
    return ReplySummary(
        usage=read_usage(values.get("usage"), read_tier(values)),
        model=text_or_empty(router.get("invokedModelId")),
        finish_reasons=(stop_reason,) if stop_reason else (),
    )


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
