"""One call through the gateway: who asks, where it may go, and the record of what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from sternpost.base.config_section import STRICT, told
from sternpost.base.ids import KeyId, ProjectId, SpanId, TraceId
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT, ENVIRONMENTS
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.span import SpanStatus, TraceAttributes
from sternpost.contracts.usage import Cost, Usage

# Grows with `dialects/`. Callers speak the first three; the others are spoken to providers only.
Dialect: TypeAlias = Literal[
    "openai_chat", "anthropic", "openai_responses", "gemini", "bedrock", "cohere", "ollama"
]
Unsupported: TypeAlias = Literal["drop", "refuse"]
FallbackCause: TypeAlias = Literal[
    "down", "rate_limited", "context_too_long", "timeout", "policy", "not_found", "unsupported"
]
Operation: TypeAlias = Literal["chat", "embeddings", "count_tokens", "pass_through"]
LimitScope: TypeAlias = Literal["project", "key", "user", "model", "route"]
# Who a principal is: an application's key, a person who signed in, a part of Sternpost.
CallSource: TypeAlias = Literal["key", "session", "worker"]
# What a call serves; empty: an application's own purpose, which Sternpost does not know.
Purpose: TypeAlias = Literal["", "batch", "evaluator", "playground", "embedding", "guardrail"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose key it is; what admission, prices and traces are attributed to."""

    project_id: ProjectId
    key_id: KeyId
    key_name: str
    models: tuple[str, ...] = ()  # empty: every model and route
    scopes: frozenset[KeyScope] = frozenset()  # what the key may do
    source: CallSource = "key"
    environment: str = DEFAULT_ENVIRONMENT
    environments: frozenset[str] = frozenset(ENVIRONMENTS)  # that a call or a span may name instead


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Time-outs of one attempt, in seconds."""

    connect_s: float = 5.0
    first_token_s: float = 120.0
    idle_s: float = 60.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Target:
    """One model at one provider that a route may try."""

    provider: str
    model: str  # the name the provider knows
    when: tuple[FallbackCause, ...] = ()  # empty: for every cause that allows a fallback


@dataclass(frozen=True, slots=True)
class Route:
    """A name callers use as `model`, and its targets in order."""

    name: str
    targets: tuple[Target, ...]
    time_limits: TimeLimits | None = None
    hold_ms: int = 1500  # how long the status line waits for the first content
    cache_ttl: Literal["5m", "1h"] | None = None  # marks for the provider's prompt cache; None: no marks
    unsupported: Unsupported = "drop"  # what becomes of a call that asks for what its target can't do


@dataclass(frozen=True, slots=True)
class LimitEntry:
    """A limit on calls within one scope; 0 denies, None does not limit."""

    __pydantic_config__: ClassVar = STRICT  # it is an entry of `limits:` in sternpost.yaml

    scope: LimitScope
    name: str = field(default="", metadata=told("Which one; empty: each of them separately."))
    requests_per_minute: int | None = field(default=None, metadata={"ge": 0})
    concurrency: int | None = field(default=None, metadata={"ge": 0})


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One try at one target."""

    span_id: SpanId
    number: int  # from 1
    provider: str
    model: str
    started_ns: int
    ended_ns: int
    status: SpanStatus
    http_status: int = 0
    error_type: str = ""
    error: str = ""
    upstream_request_id: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What the gateway writes to the journal, once per call; the worker makes spans of it.

    Bodies are the bytes on the wire: parsing them is the worker's job, not the call's.
    """

    project_id: ProjectId
    key_id: KeyId
    trace_id: TraceId
    span_id: SpanId
    parent_span_id: SpanId | None
    operation: Operation
    started_ns: int
    ended_ns: int
    status: SpanStatus
    http_status: int
    dialect_in: Dialect
    dialect_out: Dialect | None = None  # None: no provider answered
    is_stream: bool = False
    request_model: str = ""  # as the caller wrote it
    route: str = ""
    provider: str = ""
    target_model: str = ""
    response_model: str = ""
    error_type: str = ""
    error: str = ""
    first_token_ns: int | None = None
    trace: TraceAttributes = field(default_factory=TraceAttributes)
    usage: Usage | None = None
    cost: Cost | None = None
    attempts: tuple[AttemptRecord, ...] = ()
    waited_ns: int = 0  # between attempts, on purpose
    request_body: bytes = b""  # in dialect_in
    reply_body: bytes = b""  # in dialect_out; the concatenated frames of a stream
    is_reply_cut: bool = False  # reply_body was longer than is kept
    warnings: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    environment: str = ""  # in which the call counts, whatever `trace` says; empty: a record of before
