"""Prometheus metrics of the serving process; names follow OpenTelemetry's GenAI conventions where they exist.

Labels never hold a user, a session, a key or text; models and routes beyond the cap count as `other`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sternpost.contracts.call import CallRecord
from sternpost.contracts.journal import JournalState
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import Cost, Usage
from sternpost.ingest.flow import OtlpIntake

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
M = TypeVar("M", Counter, Histogram)
_NAMES_CAP = 200
_NAME_LENGTH = 120  # callers choose what they ask for
_SECONDS = tuple(0.01 * 2**n for n in range(14))  # 0.01 ... 81.92, the convention's buckets
_TOKENS = tuple(4.0**n for n in range(14))  # 1 ... 67,108,864
_BUCKETS = (
    "in_fresh",
    "in_cache_read",
    "in_cache_write_5m",
    "in_cache_write_1h",
    "in_audio",
    "in_image",
    "out_text",
    "out_reasoning",
    "out_audio",
    "out_image",
)


@dataclass(slots=True)
class _Names:
    """Keeps a label's values few."""

    seen: set[str] = field(default_factory=set[str])

    def __call__(self, name: str) -> str:
        if name in self.seen:
            return name
        if len(self.seen) >= _NAMES_CAP or len(name) > _NAME_LENGTH:
            return "other"
        self.seen.add(name)
        return name


class _Family(Generic[M]):
    """One metric's children by label values; `labels` itself takes a lock and builds a tuple at each call."""

    def __init__(self, metric: M) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], M] = {}

    def __call__(self, *values: str) -> M:
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._metric.labels(*values) if values else self._metric
        return child


class GatewayMetrics:
    """A `CallObserver` that counts, and the text `/metrics` answers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._model, self._route = _Names(), _Names()
        call = ["provider", "model"]
        self._requests = self._counter("requests", "Calls by outcome.", ["route", *call, "status_class"])
        self._attempts = self._counter("attempts", "Upstream attempts by outcome.", [*call, "reason"])
        self._cost = self._counter("cost_nano_usd", "Money spent.", ["model", "cost_status"])
        self._saved = self._counter(
            "cache_saved_nano_usd", "Money the provider's prompt cache saved (gain) or cost more (loss).",
            ["model", "kind"],
        )  # fmt: skip
        self._tokens = self._counter("tokens", "Tokens by bucket.", ["model", "bucket"])
        self._truncated = self._counter(
            "stream_truncated", "Streams that were cut off.", ["dialect", "provider"]
        )
        self._left = self._counter(
            "client_disconnect", "Callers who disconnected early.", ["dialect", "provider"]
        )
        self._limited = self._counter("limit_rejections", "Calls refused by a limit of ours.", ["kind"])
        self._refused = self._counter("key_refused", "Calls without a valid key.", [])
        self._lost = self._counter("record_lost", "Call records the journal refused.", [])
        self._no_retry = self._counter("retry_budget_exhausted", "Retries not tried.", ["route", "provider"])
        self._duration = self._histogram("operation_duration_seconds", "Call duration.", call, _SECONDS)
        self._first = self._histogram(
            "operation_time_to_first_chunk_seconds", "To first token.", call, _SECONDS
        )
        self._usage = self._histogram(
            "token_usage", "Tokens of a call.", ["model", "gen_ai_token_type"], _TOKENS
        )

    def watch(self, state: Callable[[], JournalState], intake: OtlpIntake) -> None:
        """Show the state of the journal and the intake at each scrape."""
        self.registry.register(_StateCollector(state, intake))

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def call_ended(self, record: CallRecord) -> None:
        provider, model = record.provider or "none", self._model(record.target_model or "none")
        route = self._route(record.route)
        status_class = f"{record.http_status // 100}xx"
        self._requests(route, provider, model, status_class).inc()
        for attempt in record.attempts:
            self._attempts(attempt.provider, self._model(attempt.model), attempt.error_type or "ok").inc()
        self._duration(provider, model).observe((record.ended_ns - record.started_ns) / 1e9)
        if record.first_token_ns is not None:
            self._first(provider, model).observe((record.first_token_ns - record.started_ns) / 1e9)
        if record.status is SpanStatus.TRUNCATED:
            self._truncated(record.dialect_in, provider).inc()
        elif record.status is SpanStatus.CANCELLED:
            self._left(record.dialect_in, provider).inc()
        if record.error_type == "rate_limit_exceeded" and not record.attempts:
            self._limited("requests").inc()
        if record.cost is not None:
            self._count_money(model, record.cost)
        if record.usage is not None:
            self._count_tokens(model, record.usage)

    def key_refused(self) -> None:
        self._refused().inc()

    def record_lost(self) -> None:
        self._lost().inc()

    def retry_refused(self, route: str, provider: str) -> None:
        self._no_retry(self._route(route), provider).inc()

    def _count_money(self, model: str, cost: Cost) -> None:
        if cost.nanousd is not None:
            self._cost(model, cost.status.value).inc(cost.nanousd)
        if cost.saved_nanousd:  # a counter can't fall, so what writing cost more has its own
            self._saved(model, "gain" if cost.saved_nanousd > 0 else "loss").inc(abs(cost.saved_nanousd))

    def _count_tokens(self, model: str, usage: Usage) -> None:
        totals = {"input": 0, "output": 0}
        for bucket in _BUCKETS:
            count: int = getattr(usage, bucket)
            if count:
                self._tokens(model, bucket).inc(count)
                totals["input" if bucket.startswith("in_") else "output"] += count
        for kind, count in totals.items():
            self._usage(model, kind).observe(count)

    def _counter(self, name: str, text: str, labels: Iterable[str]) -> _Family[Counter]:
        return _Family(Counter(f"sternpost_{name}", text, list(labels), registry=self.registry))

    def _histogram(
        self, name: str, text: str, labels: Iterable[str], buckets: tuple[float, ...]
    ) -> _Family[Histogram]:
        full_name = f"gen_ai_client_{name}"
        return _Family(Histogram(full_name, text, list(labels), registry=self.registry, buckets=buckets))


class _StateCollector(Collector):
    def __init__(self, state: Callable[[], JournalState], intake: OtlpIntake) -> None:
        self._state = state
        self._intake = intake

    def collect(self) -> Iterable[Metric]:
        state, intake = self._state(), self._intake.counts
        gauges = {
            "journal_is_writable": ("1 while records are kept.", int(state.is_writable)),
            "ingest_log_bytes": ("Written and not yet stored.", state.pending_bytes),
            "ingest_queue_depth": ("Records waiting to be written.", state.queue_depth),
        }
        counters = {
            "ingest_spans": ("Spans taken in over OTLP.", intake.spans),
            "ingest_rejected": ("Spans not kept.", intake.rejected_spans),
            "ingest_logs_dropped": ("Log records of no span and no call.", intake.dropped_logs),
            "ingest_requests_refused": ("Requests refused whole.", intake.refused),
            "ingest_process_restarts": (
                "Times that the intake process ended unexpectedly and was started again.",
                self._intake.process_ends,
            ),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"sternpost_{name}", text, value)
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(f"sternpost_{name}", text, value)
