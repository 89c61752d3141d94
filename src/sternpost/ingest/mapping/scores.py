"""Evaluation results that arrive as span events, as scores; evaluations of our own are not made here."""

from collections.abc import Iterator
from hashlib import blake2b

from sternpost.base.ids import KeyId, ScoreId, SpanId, TraceId
from sternpost.contracts.score import Score, ScoreKind, ScoreSource
from sternpost.ingest.mapping.values import as_number, as_text
from sternpost.ingest.records import RawEvent, RawSpan, Sender

EVALUATION = "gen_ai.evaluation.result"
_SOURCES: dict[str, ScoreSource] = {
    "api": "api",
    "human": "human",
    "judge": "judge",
    "code": "code",
    "guardrail": "guardrail",
    "user_feedback": "user_feedback",
}
_TRUTHS = {"true": 1.0, "false": 0.0}


def is_score_alone(span: RawSpan) -> bool:
    """Say whether a span is only the envelope of a score, as the SDK's `feedback` sends it."""
    return span.name == EVALUATION and "sternpost.target.trace_id" in span.attributes


def read_scores(span: RawSpan, sender: Sender, received_ns: int) -> Iterator[Score]:
    """Read each evaluation event; the same event read again is the same score."""
    is_aimed = "sternpost.target.trace_id" in span.attributes
    trace_id = as_text(span.attributes.get("sternpost.target.trace_id")) if is_aimed else span.trace_id
    target_span = as_text(span.attributes.get("sternpost.target.span_id")) if is_aimed else span.span_id
    source = _SOURCES.get(
        as_text(span.attributes.get("sternpost.score.source")), "user_feedback" if is_aimed else "api"
    )
    has_target = bool(trace_id.strip("0"))
    for number, event in enumerate(event for event in span.events if event.name == EVALUATION):
        name = as_text(event.attributes.get("gen_ai.evaluation.name"))
        if not name:
            continue
        value, label, kind = _judgement(event)
        yield Score(
            project_id=sender.project_id,
            score_id=_score_id(span, event, number, sender.key_id),
            trace_id=TraceId(trace_id if has_target else ""),
            span_id=SpanId(target_span) if target_span else None,
            name=name,
            kind=kind,
            source=source,
            created_ns=event.at_ns if 0 < event.at_ns <= received_ns else received_ns,
            value=value,
            label=label,
            explanation=as_text(event.attributes.get("gen_ai.evaluation.explanation")),
            response_id="" if has_target else as_text(event.attributes.get("gen_ai.response.id")),
            author=as_text(span.attributes.get("user.id")) if is_aimed else "",
        )


def _judgement(event: RawEvent) -> tuple[float | None, str, ScoreKind]:
    value = as_number(event.attributes.get("gen_ai.evaluation.score.value"))
    label = as_text(event.attributes.get("gen_ai.evaluation.score.label"))
    truth = _TRUTHS.get(label.lower())
    if truth is not None and value in (None, truth):
        return truth, label, "boolean"
    if value is not None:
        return value, label, "numeric"
    return None, label, "category"


def _score_id(span: RawSpan, event: RawEvent, number: int, key_id: KeyId) -> ScoreId:
    """Make an id of what is the same when it is sent again, by the same key: no key replaces another's."""
    text = f"{key_id}/{span.trace_id}/{span.span_id}/{event.at_ns}/{number}"
    return ScoreId(f"score_{blake2b(text.encode(), digest_size=13).hexdigest()}")
