"""One raw span as our span, its content and its scores; the bytes and the journal are elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sternpost.base.ids import ProjectId, SpanId, TraceId
from sternpost.capabilities.traces.content import (
    json_content,
    message_content,
    preview,
    preview_input,
    preview_text,
)
from sternpost.capabilities.traces.media.extract import Media
from sternpost.capabilities.traces.writing.mapping import SCOPE
from sternpost.contracts.blobs import Blob
from sternpost.contracts.message import BlobPart, Json, Message, TextPart
from sternpost.contracts.score import Score
from sternpost.contracts.span import Content, Span, SpanStatus, SpanType, TraceAttributes
from sternpost.contracts.usage import Usage
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.conversation import Conversation, read_conversation
from sternpost.ingest.mapping.free import FOREIGN, free_attributes
from sternpost.ingest.mapping.media import with_hash
from sternpost.ingest.mapping.models import read_model, read_price
from sternpost.ingest.mapping.money import Prices
from sternpost.ingest.mapping.outcome import read_outcome
from sternpost.ingest.mapping.scores import is_score_alone, read_scores
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.times import SpanTimes, straight_times
from sternpost.ingest.mapping.usage import read_usage
from sternpost.ingest.mapping.values import as_json, as_text, is_mapping
from sternpost.ingest.records import RawSpan, Sender

COUNTED_TYPES = frozenset({SpanType.LLM, SpanType.EMBEDDING, SpanType.RERANKER})
_HEX = frozenset("0123456789abcdef")
_TYPE_WORDS = tuple((name, rule.types) for rule in TABLE.types for name in rule.names)
_USAGE_COLUMNS = ("input_tokens", "usage_buckets", "usage_object")
# In objects of several texts, the one that stands for it.
_TELLING = (
    *("question", "query", "input", "prompt", "message", "user_input", "task", "topic"),
    *("answer", "output", "result", "response", "final_output", "text", "content", "completion", "raw"),
)


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
    attributes = Attributes(_values(raw.attributes), raw.resource)
    kind = span_type(attributes)
    media = Media(project_id)
    talk = _without_media(read_conversation(kind, raw.name, attributes, raw.events), media)
    usage = _usage(kind, attributes, talk)
    is_counted = kind in COUNTED_TYPES
    model = read_model(attributes, talk, raw, is_call=is_counted)
    is_priced = is_counted or (usage is not None and kind != SpanType.EVENT)
    cost = read_price(attributes, prices, model, usage, raw.started_ns) if is_priced else None
    contents = _Contents(project_id, media)
    times = straight_times(raw, received_ns)
    outcome = read_outcome(raw, attributes)
    span = Span(
        project_id=project_id,
        trace_id=TraceId(raw.trace_id),
        span_id=SpanId(raw.span_id),
        parent_span_id=_parent(raw),
        type=kind,
        name=raw.name or kind.value,
        started_ns=times.started_ns,
        ended_ns=times.ended_ns,
        status=outcome.status,
        operation=attributes.text("operation"),
        error_type=outcome.error_type,
        error=outcome.error,
        trace=_trace_attributes(attributes),
        model=model,
        usage=usage,
        cost=cost,
        is_rollup=usage is not None and not is_counted,
        input_hashes=tuple(contents.of_message(message).hash for message in talk.inputs),
        output_hashes=tuple(contents.of_message(message).hash for message in talk.outputs),
        preview_input=_preview(talk.inputs) or preview_input(talk.inputs),
        preview_output=_preview(talk.outputs) or _answer(talk.outputs),
        attributes=free_attributes(
            raw, attributes, _extra(raw, talk, times, outcome.notes, kind), talk.tools, contents
        ),
        scope=FOREIGN + raw.scope if raw.scope == SCOPE else raw.scope,
        mapping_version=TABLE.version,
        received_ns=received_ns,
        written_by=sender.key_id,
        is_time_skewed=times.is_skewed,
    )
    return MappedSpan(span, tuple(contents.found.values()), scores, media.blobs)


def plain_span(raw: RawSpan, sender: Sender, received_ns: int) -> MappedSpan:
    """Keep a span that the mapping can't read: its identity, its times, and everything else as attributes."""
    project_id = sender.project_id
    contents = _Contents(project_id, Media(project_id))
    times = straight_times(raw, received_ns)
    attributes = Attributes(raw.attributes, raw.resource)
    span = Span(
        project_id=project_id,
        trace_id=TraceId(raw.trace_id),
        span_id=SpanId(raw.span_id),
        parent_span_id=_parent(raw),
        type=SpanType.CHAIN,
        name=raw.name or SpanType.CHAIN.value,
        started_ns=times.started_ns,
        ended_ns=times.ended_ns,
        status=SpanStatus.ERROR if raw.is_error else SpanStatus.OK,
        error=raw.status_message if raw.is_error else "",
        attributes=free_attributes(
            raw, attributes, {"mapping": "failed; see the server's log"}, (), contents
        ),
        scope=FOREIGN + raw.scope if raw.scope == SCOPE else raw.scope,
        mapping_version=TABLE.version,
        received_ns=received_ns,
        written_by=sender.key_id,
        is_time_skewed=times.is_skewed,
    )
    return MappedSpan(span, tuple(contents.found.values()))


def _values(values: Mapping[str, Json]) -> Mapping[str, Json]:
    """Decode the attributes of MLflow, each of which is JSON in a text."""
    if "mlflow.spanType" not in values and "mlflow.spanInputs" not in values:
        return values
    return {name: as_json(value) if name.startswith("mlflow.") else value for name, value in values.items()}


def _parent(raw: RawSpan) -> SpanId | None:
    """Return the parent; none for zeros and for what is no id, which is kept among the attributes."""
    text = raw.parent_span_id
    is_id = len(text) == 16 and _HEX.issuperset(text) and text.strip("0")
    return SpanId(text) if is_id else None


def _usage(kind: SpanType, attributes: Attributes, talk: Conversation) -> Usage | None:
    output = talk.rest.get("output.rest") if kind in COUNTED_TYPES else None
    return read_usage(attributes, output if is_mapping(output) else None)


def _extra(
    raw: RawSpan, talk: Conversation, times: SpanTimes, notes: Mapping[str, str], kind: SpanType
) -> dict[str, Json]:
    """Name what the mapping itself has to say of a span."""
    extra: dict[str, Json] = {**notes, **talk.rest}
    if times.is_skewed:
        extra |= {
            "is_time_skewed": "true",
            "started_ns_as_sent": raw.started_ns,
            "ended_ns_as_sent": raw.ended_ns,
        }
    if raw.parent_span_id.strip("0") and _parent(raw) is None:
        extra["parent_span_id_as_sent"] = raw.parent_span_id
    return extra


def _without_media(talk: Conversation, media: Media) -> Conversation:
    return Conversation(
        tuple([media.taken_from(_with_apart(message, media)) for message in talk.inputs]),
        tuple([media.taken_from(_with_apart(message, media)) for message in talk.outputs]),
        talk.tools,
        talk.rest,
    )


def _with_apart(message: Message, media: Media) -> Message:
    """Point parts whose bytes Langfuse's SDKs send apart at the blob that they become."""
    for part in message.parts:
        if isinstance(part, BlobPart) and part.content[:3] == "@@@":
            break
    else:
        return message
    parts = (
        with_hash(part, media.project_id) if isinstance(part, BlobPart) else part for part in message.parts
    )
    return replace(message, parts=tuple(parts))


def span_type(attributes: Attributes) -> SpanType:
    """Resolve the type: each convention's word in order of trust, then what the span carries."""
    for name, types in _TYPE_WORDS:
        if (told := attributes.named(name)) is None:
            continue
        if found := types.get(as_text(told).lower()):
            return found
    has_model = attributes.value("request_model") or attributes.value("response_model")
    has_usage = any(attributes.value(name) is not None for name in _USAGE_COLUMNS)
    if has_model and (has_usage or attributes.peek("gcp.vertex.agent.llm_response") is not None):
        return SpanType.LLM
    return SpanType.CHAIN


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


def _answer(messages: Sequence[Message]) -> str:
    """Preview the answer; of a whole history, as graphs return it, the last one."""
    if all(message.role == "assistant" for message in messages):
        return preview(messages)
    return preview(reversed(messages), role="assistant") or preview(messages)


def _preview(messages: Sequence[Message]) -> str:
    """Preview JSON that a function took or gave by its only text, or by the one that a person would name."""
    if len(messages) != 1 or len(messages[0].parts) != 1:
        return ""
    part = messages[0].parts[0]
    value = as_json(part.content) if isinstance(part, TextPart) else None
    if isinstance(value, str):
        return preview_text(value)
    if not is_mapping(value):
        return ""
    texts = [text for text in value.values() if isinstance(text, str)]
    named = (text for name in _TELLING if isinstance(text := value.get(name), str) and text)
    return preview_text(texts[0] if len(texts) == 1 else next(named, ""))
