"""One raw span as our span, its content and its scores; the bytes and the journal are elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from sternpost.base.ids import ProjectId, SpanId, TraceId
from sternpost.capabilities.traces.content import (
    CONTENT_REFERENCE,
    json_content,
    message_content,
    preview,
    preview_input,
    preview_text,
)
from sternpost.capabilities.traces.mapping import PROVIDER_USAGE, SCOPE, UNPARSED
from sternpost.capabilities.traces.media import Media
from sternpost.capabilities.traces.same_ids import SENT_AS
from sternpost.contracts.blobs import Blob
from sternpost.contracts.message import Json, Message, TextPart
from sternpost.contracts.score import Score
from sternpost.contracts.span import Content, ModelUse, Span, SpanStatus, SpanType, TraceAttributes
from sternpost.contracts.usage import Cost, CostStatus, Usage
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.conversation import (
    MESSAGE_EVENTS,
    Conversation,
    our_finish_reason,
    read_conversation,
)
from sternpost.ingest.mapping.money import Prices, read_cost
from sternpost.ingest.mapping.scores import EVALUATION, is_score_alone, read_scores
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.times import first_token_ns, straight_times
from sternpost.ingest.mapping.usage import read_usage
from sternpost.ingest.mapping.values import as_json, as_text, is_mapping
from sternpost.ingest.records import RawEvent, RawSpan, Sender

COUNTED_TYPES = frozenset({SpanType.LLM, SpanType.EMBEDDING, SpanType.RERANKER})
_NOTHING: Mapping[str, Json] = {}
_MAX_INLINE = 1024
_MAX_ATTRIBUTES = 256
FOREIGN = "otlp."  # in front of a name that the gateway gives
# What the gateway writes on its own spans, and readers go by.
_GATEWAYS = frozenset(
    {
        "background", "counted_tokens", "dialect_in", "dialect_out", "is_reply_cut", "is_stream",
        PROVIDER_USAGE, "prompt_cache.placed", SENT_AS, "sternpost.cost_usd", "sternpost.key_id", UNPARSED,
        "upstream_request_id", "vector_count", "warnings",
    }
)  # fmt: skip
_DULL_RESOURCE = ("telemetry.", "process.", "host.", "os.", "service.", "deployment.")


@dataclass(frozen=True, slots=True)
class MappedSpan:
    """`span` is None for one that only carried scores."""

    span: Span | None
    contents: tuple[Content, ...] = ()
    scores: tuple[Score, ...] = ()
    blobs: tuple[Blob, ...] = ()


@dataclass(slots=True)
class _Contents:
    """Content objects as they are met, each once, and the media that were in them."""

    project_id: ProjectId
    media: Media
    found: dict[str, Content] = field(default_factory=dict[str, Content])

    def of_message(self, message: Message) -> Content:
        return self._keep(message_content(self.project_id, message))

    def of_json(self, value: Json) -> Content:
        return self._keep(json_content(self.project_id, self.media.taken_from_json(value)))

    def _keep(self, content: Content) -> Content:
        return self.found.setdefault(content.hash, content)


def map_span(raw: RawSpan, sender: Sender, received_ns: int, prices: Prices) -> MappedSpan:
    """Give a raw span its columns, messages, price and scores.

    What only the gateway says of a call is not taken from anybody else.

    Deterministic but for `received_ns`: the same span sent twice is the same row.
    """
    project_id = sender.project_id
    scores = tuple(read_scores(raw, sender, received_ns))
    if is_score_alone(raw):
        return MappedSpan(None, (), scores)
    attributes = Attributes(raw.attributes, raw.resource)
    exception = next((event.attributes for event in raw.events if event.name == "exception"), _NOTHING)
    kind = span_type(raw, attributes)
    usage = read_usage(attributes)
    media = Media(project_id)
    talk = _without_media(read_conversation(kind, attributes, raw.events), media)
    model = _model_use(attributes, talk, raw)
    is_rollup = usage is not None and kind not in COUNTED_TYPES
    cost = _cost(attributes, prices, model, usage, raw.started_ns, is_counted=kind in COUNTED_TYPES)
    contents = _Contents(project_id, media)
    times = straight_times(raw, received_ns)
    error_type, error = _error(raw, attributes, exception)
    status = SpanStatus.ERROR if raw.is_error or attributes.text("level") == "ERROR" else SpanStatus.OK
    span = Span(
        project_id=project_id,
        trace_id=TraceId(raw.trace_id),
        span_id=SpanId(raw.span_id),
        parent_span_id=SpanId(raw.parent_span_id) if raw.parent_span_id else None,
        type=kind,
        name=raw.name or kind.value,
        started_ns=times.started_ns,
        ended_ns=times.ended_ns,
        status=status,
        operation=attributes.text("operation"),
        error_type=error_type if status == SpanStatus.ERROR else "",
        error=error if status == SpanStatus.ERROR else "",
        trace=_trace_attributes(attributes),
        model=model,
        usage=usage,
        cost=cost,
        is_rollup=is_rollup,
        input_hashes=tuple(contents.of_message(message).hash for message in talk.inputs),
        output_hashes=tuple(contents.of_message(message).hash for message in talk.outputs),
        preview_input=_preview(talk.inputs) or preview_input(talk.inputs),
        preview_output=_preview(talk.outputs) or preview(talk.outputs),
        attributes=_free_attributes(raw, attributes, talk, contents, times.is_skewed),
        scope=FOREIGN + raw.scope if raw.scope == SCOPE else raw.scope,
        mapping_version=TABLE.version,
        received_ns=received_ns,
        written_by=sender.key_id,
    )
    return MappedSpan(span, tuple(contents.found.values()), scores, media.blobs)


def _without_media(talk: Conversation, media: Media) -> Conversation:
    return replace(
        talk,
        inputs=tuple(media.taken_from(message) for message in talk.inputs),
        outputs=tuple(media.taken_from(message) for message in talk.outputs),
    )


def span_type(raw: RawSpan, attributes: Attributes) -> SpanType:
    """Resolve the type: each convention's word in order of trust, then what the span carries."""
    for rule in TABLE.types:
        for name in rule.names:
            word = as_text(attributes.named(name)).lower()
            if word in rule.types:
                return rule.types[word]
    has_model = attributes.value("request_model") or attributes.value("response_model")
    has_usage = attributes.value("input_tokens") is not None or attributes.value("usage_buckets") is not None
    return SpanType.LLM if has_model and has_usage else SpanType.CHAIN


def _model_use(attributes: Attributes, talk: Conversation, raw: RawSpan) -> ModelUse:
    provider = attributes.text("provider").lower()
    reasons = attributes.texts("finish_reasons") or tuple(m.finish_reason or "" for m in talk.outputs)
    return ModelUse(
        provider=TABLE.providers.get(provider, provider),
        request_model=attributes.text("request_model"),
        response_model=attributes.text("response_model"),
        response_id=attributes.text("response_id"),
        parameters=_parameters(attributes),
        finish_reasons=tuple(our_finish_reason(reason) for reason in reasons) if any(reasons) else (),
        time_to_first_token_ns=first_token_ns(attributes, raw.started_ns),
    )


def _parameters(attributes: Attributes) -> str:
    found: dict[str, Json] = {}
    whole = attributes.json("parameters")
    if is_mapping(whole):
        found.update(whole)
    for attribute, name in TABLE.parameters.items():
        value = attributes.named(attribute)
        if value is not None:
            found.setdefault(name, value)
    return msgspec.json.encode(found, order="sorted").decode() if found else ""


def _cost(
    attributes: Attributes,
    prices: Prices,
    model: ModelUse,
    usage: Usage | None,
    started_ns: int,
    *,
    is_counted: bool,
) -> Cost | None:
    """Price what is counted; what the client says it cost stands in where we have no price."""
    reported = read_cost(attributes)
    if not is_counted or (usage is None and reported is None):
        return None
    cost = prices.price(
        provider=TABLE.price_providers.get(model.provider, model.provider),
        model=model.response_model,
        fallback_model=model.request_model.removeprefix(f"{model.provider}/"),
        usage=usage,
        started_ns=started_ns,
    )
    if cost.status == CostStatus.UNKNOWN and reported is not None:
        return Cost(
            CostStatus.ESTIMATED, reported, price_version=cost.price_version, reason="client_reported"
        )
    return cost


def _trace_attributes(attributes: Attributes) -> TraceAttributes:
    return TraceAttributes(
        user_id=attributes.text("user_id"),
        session_id=attributes.text("session_id"),
        tags=attributes.texts("tags"),
        trace_name=attributes.text("trace_name"),
        run_id=attributes.text("run_id"),
        feature=attributes.text("feature"),
        environment=attributes.text("environment"),
        release=attributes.text("release"),
        service=attributes.text("service"),
    )


def _error(raw: RawSpan, attributes: Attributes, exception: Mapping[str, Json]) -> tuple[str, str]:
    kind = attributes.text("error_type") or as_text(exception.get("exception.type"))
    words = raw.status_message or attributes.text("status_message")
    return kind, words or as_text(exception.get("exception.message"))


def _preview(messages: Sequence[Message]) -> str:
    """Preview JSON that a function took or gave by its only text, as a person would name it."""
    if len(messages) != 1 or len(messages[0].parts) != 1:
        return ""
    part = messages[0].parts[0]
    value = as_json(part.content) if isinstance(part, TextPart) else None
    if isinstance(value, str):
        return preview_text(value)
    texts = [text for text in value.values() if isinstance(text, str)] if is_mapping(value) else []
    return preview_text(texts[0]) if len(texts) == 1 else ""


def _free_attributes(
    raw: RawSpan, attributes: Attributes, talk: Conversation, contents: _Contents, is_skewed: bool
) -> dict[str, str]:
    left: dict[str, Json] = {
        FOREIGN + name if name in _GATEWAYS else name: value for name, value in attributes.left_over().items()
    }
    for name, value in raw.resource.items():
        if not name.startswith(_DULL_RESOURCE):
            left.setdefault(f"resource.{name}", value)
    other = [event for event in raw.events if event.name not in MESSAGE_EVENTS and event.name != EVALUATION]
    if other:
        left["events"] = [_event_fields(event) for event in other]
    found = {name: _inline(value, contents) for name, value in list(left.items())[:_MAX_ATTRIBUTES]}
    dropped = raw.dropped_attributes + max(len(left) - _MAX_ATTRIBUTES, 0)
    if dropped:
        found["dropped_attributes"] = str(dropped)
    if is_skewed:
        found["is_time_skewed"] = "true"
    if talk.tools:
        found["tools_hash"] = contents.of_json({"tools": list(talk.tools)}).hash
    return found


def _event_fields(event: RawEvent) -> Json:
    return {"name": event.name, "at_ns": event.at_ns, **event.attributes}


def _inline(value: Json, contents: _Contents) -> str:
    text = as_text(value)
    if len(text) <= _MAX_INLINE:
        return text
    return CONTENT_REFERENCE + contents.of_json(as_json(value)).hash
