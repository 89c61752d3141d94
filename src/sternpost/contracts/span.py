"""The span, the only record of what happened, and the content it points to; not how it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sternpost.base.ids import ContentHash, KeyId, ProjectId, SpanId, TraceId
from sternpost.contracts.blobs import Blob
from sternpost.contracts.score import Score
from sternpost.contracts.usage import Cost, Usage


class SpanType(StrEnum):
    LLM = "llm"
    EMBEDDING = "embedding"
    RETRIEVER = "retriever"
    RERANKER = "reranker"
    TOOL = "tool"
    AGENT = "agent"
    WORKFLOW = "workflow"
    CHAIN = "chain"
    GATEWAY = "gateway"  # one client request
    ATTEMPT = "attempt"  # one upstream try, child of gateway
    GUARDRAIL = "guardrail"
    EVALUATOR = "evaluator"
    PROMPT = "prompt"
    CACHE = "cache"
    MEMORY = "memory"
    PLAN = "plan"
    APPROVAL = "approval"
    EVENT = "event"


class SpanStatus(StrEnum):
    OK = "ok"
    ERROR = "error"
    TRUNCATED = "truncated"  # a stream without its terminal marker
    CANCELLED = "cancelled"  # the caller left


@dataclass(frozen=True, slots=True)
class TraceAttributes:
    """What holds for the whole trace, copied onto each of its spans at write time."""

    user_id: str = ""
    session_id: str = ""
    tags: tuple[str, ...] = ()
    trace_name: str = ""
    run_id: str = ""
    feature: str = ""
    environment: str = ""
    release: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """Which model a span used and how."""

    provider: str = ""
    request_model: str = ""
    response_model: str = ""
    response_id: str = ""
    parameters: str = ""  # JSON object as text
    finish_reasons: tuple[str, ...] = ()
    time_to_first_token_ns: int | None = None


@dataclass(frozen=True, slots=True)
class GatewayFacts:
    """What only the gateway knows of a call."""

    key_id: KeyId | None = None
    route: str = ""
    target: str = ""
    attempt_number: int = 0
    fallback_from: str = ""
    http_status: int = 0
    overhead_ns: int = 0  # of the call, without its attempts and the waits between them


@dataclass(frozen=True, slots=True)
class Span:
    """One finished operation; append-only, written once, without payloads."""

    project_id: ProjectId
    trace_id: TraceId
    span_id: SpanId
    parent_span_id: SpanId | None
    type: SpanType
    name: str
    started_ns: int  # Unix epoch
    ended_ns: int
    status: SpanStatus = SpanStatus.OK
    operation: str = ""  # gen_ai.operation.name
    error_type: str = ""
    error: str = ""
    trace: TraceAttributes = field(default_factory=TraceAttributes)
    model: ModelUse = field(default_factory=ModelUse)
    usage: Usage | None = None
    cost: Cost | None = None
    is_rollup: bool = False  # repeats the usage of its children; never summed
    gateway: GatewayFacts | None = None
    input_hashes: tuple[ContentHash, ...] = ()  # one per message, in order
    output_hashes: tuple[ContentHash, ...] = ()
    preview_input: str = ""  # 200 characters of the last user message
    preview_output: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    scope: str = ""  # instrumentation scope and version, or "sternpost.gateway"
    mapping_version: int = 1
    received_ns: int = 0
    written_by: KeyId | None = None  # the key that sent it; None: Sternpost itself saw it
    is_time_skewed: bool = False  # its times can't be right: it stands for no bound of its trace


@dataclass(frozen=True, slots=True)
class Content:
    """One message, tool definition or document, stored once per project by its hash."""

    project_id: ProjectId
    hash: ContentHash
    body: bytes  # canonical JSON (RFC 8785 key order)


@dataclass(frozen=True, slots=True)
class SpanBundle:
    """What ingest and the worker write to the trace store in one go."""

    spans: tuple[Span, ...] = ()
    contents: tuple[Content, ...] = ()
    scores: tuple[Score, ...] = ()
    blobs: tuple[Blob, ...] = ()  # what `contents` refer to
