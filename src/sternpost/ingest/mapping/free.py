"""What no column took of a span, kept as attributes: values, events, levels and words of no error."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from sternpost.base.fact_values import FACT_PREFIX
from sternpost.capabilities.traces.content import CONTENT_REFERENCE
from sternpost.capabilities.traces.same_ids import SENT_AS
from sternpost.capabilities.traces.writing.mapping import PROVIDER_USAGE, UNPARSED
from sternpost.contracts.message import Json
from sternpost.contracts.span import Content
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.conversation import MESSAGE_EVENTS
from sternpost.ingest.mapping.scores import EVALUATION
from sternpost.ingest.mapping.values import as_json, as_text
from sternpost.ingest.records import RawEvent, RawSpan

MAX_INLINE: Final = 1024
_MAX_ATTRIBUTES: Final = 256
_DULL_RESOURCE: Final = ("telemetry.", "process.", "host.", "os.", "service.", "deployment.")
FOREIGN: Final = "otlp."  # in front of a name that the gateway gives
# What the gateway writes on its own spans, and readers go by.
_GATEWAYS: Final = frozenset(
    {
        "background", "counted_tokens", "dialect_in", "dialect_out", "is_reply_cut", "is_stream",
        PROVIDER_USAGE, "prompt_cache.placed", SENT_AS, "sternpost.cost_usd", "sternpost.key_id", UNPARSED,
        "upstream_request_id", "vector_count", "warnings",
    }
)  # fmt: skip
# Emitters that write each text as JSON, too, so that it comes in quotes.
_QUOTED: Final = ("langfuse.trace.metadata.", "langfuse.observation.metadata.", "mlflow.")


class Keeper(Protocol):
    """Keeps JSON apart from the row and returns what holds it."""

    def of_json(self, value: Json) -> Content: ...


def free_attributes(
    raw: RawSpan, attributes: Attributes, extra: Mapping[str, Json], tools: Sequence[Json], keeper: Keeper
) -> dict[str, str]:
    """extra: what the mapping itself has to say, which goes before what is left over."""
    left = {_not_ours(name): value for name, value in attributes.left_over().items()}
    for name, value in raw.resource.items():
        if not name.startswith(_DULL_RESOURCE):
            left.setdefault(f"resource.{name}", value)
    other = [event for event in raw.events if event.name not in MESSAGE_EVENTS and event.name != EVALUATION]
    first: dict[str, Json] = {name: value for name, value in extra.items() if value not in (None, "")}
    if other:
        first["events"] = [_event_fields(event) for event in other]
    kept = list(left.items())[: _MAX_ATTRIBUTES - len(first)]
    found = {name: _inline(value, keeper) for name, value in first.items()}
    found |= {name: _inline(_unquoted(name, value), keeper) for name, value in kept if name not in found}
    dropped = raw.dropped_attributes + len(left) - len(kept)
    if dropped:
        found["dropped_attributes"] = str(dropped)
    if tools:
        found["tools_hash"] = keeper.of_json({"tools": list(tools)}).hash
    return found


def _not_ours(name: str) -> str:
    return FOREIGN + name if name in _GATEWAYS or name.startswith(FACT_PREFIX) else name


def _unquoted(name: str, value: Json) -> Json:
    return (
        as_json(value) if isinstance(value, str) and value[:1] == '"' and name.startswith(_QUOTED) else value
    )


def _event_fields(event: RawEvent) -> Json:
    return {"name": event.name, "at_ns": event.at_ns, **event.attributes}


def _inline(value: Json, keeper: Keeper) -> str:
    text = as_text(value)
    if len(text) <= MAX_INLINE:
        return text
    return CONTENT_REFERENCE + keeper.of_json(as_json(value)).hash
