"""How a span ended: its status, its error, and messages and levels that are not errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sternpost.contracts.message import Json
from sternpost.contracts.span import SpanStatus
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.values import as_number, as_text
from sternpost.ingest.records import RawSpan

_ERROR_LEVELS: Final = frozenset({"ERROR", "FATAL", "CRITICAL"})
_USUAL_LEVELS: Final = frozenset({"", "DEFAULT", "INFO"})
_NOTHING: Final[Mapping[str, Json]] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`notes` are a level and words that don't make an error; they are shown as attributes."""

    status: SpanStatus
    error_type: str
    error: str
    notes: Mapping[str, str]


def read_outcome(raw: RawSpan, attributes: Attributes) -> Outcome:
    exception = next((event.attributes for event in raw.events if event.name == "exception"), _NOTHING)
    level = attributes.text("level").upper() or _logfire_level(attributes)
    error_type = attributes.text("error_type") or as_text(exception.get("exception.type"))
    words = raw.status_message or attributes.text("status_message")
    notes = {} if level in _USUAL_LEVELS else {"level": level}
    if raw.is_error or level in _ERROR_LEVELS:
        error = words or as_text(exception.get("exception.message"))
        return Outcome(SpanStatus.ERROR, error_type, error, notes)
    if words:
        notes["status_message"] = words
    if error_type:
        notes["error_type"] = error_type
    return Outcome(SpanStatus.OK, "", "", notes)


def severity_level(number: int) -> str:
    """Return the word for OpenTelemetry's severity; "" for one that says nothing."""
    if number <= 0:
        return ""
    return ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL")[min((number - 1) // 4, 5)]


def _logfire_level(attributes: Attributes) -> str:
    told = attributes.peek("logfire.level_num")
    number = None if told is None else as_number(told)
    return severity_level(round(number)) if number is not None else ""
