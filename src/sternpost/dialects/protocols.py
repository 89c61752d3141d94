"""What the gateway asks of a dialect: its codec, streams and errors; not how each of them does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import msgspec

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import AutoCache, ChatReply, ChatRequest, ClientTool, StreamEvent, StreamFault
from sternpost.contracts.message import Json
from sternpost.contracts.provider import STANDARD, AuthStyle, ModelFacts, Quirks
from sternpost.contracts.usage import Usage

# `unsupported`: the target does not support a requested parameter, and nothing was sent to it.
FailureKind: TypeAlias = Literal[
    "bad_request", "unsupported", "too_large", "context_too_long", "policy", "auth", "quota", "permission",
    "not_found", "rate_limited", "timeout", "overloaded", "server",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Omission:
    """What a target refused, in its words: a field of the body as it was sent, or a beta of Anthropic's."""

    path: str = ""
    renamed: str = ""  # the field that it asks for instead
    beta: str = ""  # "*": all of them


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The few fields of a request that the gateway reads, and its top level kept as bytes."""

    model: str
    is_stream: bool
    wants_stream_usage: bool  # the caller asked for the usage chunk
    end_user: str
    metadata: Mapping[str, str]
    fields: Mapping[str, msgspec.Raw]  # in the caller's order, values untouched
    body: bytes = field(default=b"", repr=False)  # what they were read from; b"": changed since
    stored_field: str = ""  # names what only a provider of the same dialect has, kept from an earlier call
    stored_id: str = ""  # the id of that
    auto_cache: AutoCache | None = None  # set by the gateway: `edit` is to mark what the provider may cache
    is_thoughtless: bool = False  # set by the gateway: thinking of earlier turns is to be left out
    omitted: tuple[Omission, ...] = ()  # set by the gateway: what the target has refused


@dataclass(frozen=True, slots=True)
class WrittenRequest:
    body: bytes
    dropped: tuple[str, ...] = ()  # what the dialect or the model can't carry, by the caller's name
    # As written -> the caller's; a call of what stands for "" is no call, its arguments are the reply.
    renamed_tools: Mapping[str, str | ClientTool] = field(default_factory=dict[str, str | ClientTool])
    auto_cached: tuple[str, ...] = ()  # where marks were put because of RequestHead.auto_cache


@dataclass(frozen=True, slots=True)
class ReplySummary:
    """What is read from a reply for prices and the record."""

    usage: Usage | None = None
    model: str = ""
    id: str = ""
    finish_reasons: tuple[str, ...] = ()
    is_unfinished: bool = False  # the provider said that it goes on after this answer
    signatures: Mapping[str, str] = field(default_factory=dict[str, str])  # of tool calls, by their id
    fault: StreamFault | None = None  # of a whole reply: what failed at the provider, in spite of the status


@dataclass(frozen=True, slots=True)
class UpstreamFailure:
    """An error answer of a provider, classed."""

    kind: FailureKind
    status: int
    message: str  # the provider's own words, at most 2,000 characters, keys removed
    error_type: str = ""
    code: str = ""
    is_retryable: bool = False
    retry_after_s: float | None = None
    param: str | None = None
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])  # its other fields, keys removed


@dataclass(frozen=True, slots=True)
class WireError:
    """An error of ours or passed on from upstream, ready for any dialect."""

    status: int
    code: str
    message: str
    error_type: str = ""  # the provider's own, when passed on; empty: by status
    param: str | None = None
    request_id: str = ""
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])  # for callers of its dialect


class StreamReader(Protocol):
    def feed(self, chunk: bytes) -> Sequence[StreamEvent]:
        """Turn bytes, split anywhere, into events; a malformed frame is a StreamFault."""
        ...

    def finish(self) -> Sequence[StreamEvent]:
        """Say what the end of the bytes means; without a terminal marker no StreamEnd is returned."""
        ...

    def summary(self) -> ReplySummary:
        """Return what was seen so far, in the provider's own words."""
        ...


class StreamWriter(Protocol):
    def write(self, event: StreamEvent) -> bytes:
        """Return complete frames, b"" for an event the dialect does not show.

        StreamEnd gives the terminal frames; StreamFault gives none, `fail` writes errors.
        """
        ...

    def fail(self, error: WireError) -> bytes:
        """Return the frames that end a broken stream; no terminal marker follows."""
        ...


class Relay(Protocol):
    """Carries one stream from the upstream's dialect to the caller's.

    Same dialect: frames pass unread but for a tap. Otherwise: reader -> events -> writer.
    The terminal marker is withheld until `closing`, so that the record is written before it.
    """

    @property
    def has_content(self) -> bool:
        """Whether an event with text, tool, refusal or thinking was seen."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether the terminal marker was seen."""
        ...

    @property
    def fault(self) -> StreamFault | None: ...

    def feed(self, chunk: bytes) -> bytes:
        """Take upstream bytes, return whole frames for the caller; b"" when nothing is ready."""
        ...

    def finish(self) -> bytes:
        """Say that the upstream's bytes ended; returns frames still to be sent."""
        ...

    def closing(self, at_s: int = 0) -> bytes:
        """Return the terminal frames the caller's dialect ends with. at_s: the time it is."""
        ...

    def failing(self, error: WireError) -> bytes:
        """Return the frames that tell the caller of a broken stream, instead of the terminal ones."""
        ...

    def summary(self) -> ReplySummary: ...

    def unshown(self) -> Sequence[str]:
        """Return warnings that name what passed and the caller's dialect cannot express."""
        ...


@dataclass(frozen=True, slots=True)
class Traits:
    """What else the gateway must know of a dialect, so that it never asks for a dialect's name."""

    is_openai: bool = False  # hosts that speak it may have OpenAI's other paths
    has_rerank: bool = False
    stores_responses: bool = False  # a provider keeps replies by id, for later calls to go on from
    streams_json_lines: bool = False  # with the content type of a whole answer
    signs_reasoning: bool = False  # and refuses earlier reasoning that another model signed
    signs_tool_calls: bool = False  # and wants the signatures back, which callers of other dialects lose
    counts_elsewhere: Dialect | None = None  # where a host that speaks it, too, counts tokens
    has_betas: bool = False  # in a header of Anthropic's
    takes_tools_elsewhere: Dialect | None = None  # where models that reason take tools
    repeats_version_in_path: bool = False  # SDKs write the version into the path of a pass-through call
    key_parameters: frozenset[str] = frozenset()  # of a query, where SDKs put a key
    request_id_header: bytes = b""  # that SDKs read beside x-request-id


class UpstreamCodec(Protocol):
    """A dialect as it is spoken to a provider; pure."""

    @property
    def name(self) -> Dialect: ...

    @property
    def traits(self) -> Traits: ...

    @property
    def auth(self) -> AuthStyle:
        """Where a host of this dialect expects its key, unless its catalogue file says otherwise."""
        ...

    @property
    def forwarded_headers(self) -> tuple[str, ...]:
        """Name what of the caller's headers goes on; keys, cookies and account ids never do."""
        ...

    @property
    def models_path(self) -> str:
        """Name the path that lists models and costs nothing; what follows the base URL."""
        ...

    def write_request(
        self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest: ...

    def read_reply(self, body: bytes, quirks: Quirks = STANDARD) -> ChatReply:
        """Raises: BadRequest when the body is not a reply of this dialect."""
        ...

    def summarise(self, body: bytes, quirks: Quirks) -> ReplySummary:
        """Read usage and names from a whole reply without building it."""
        ...

    def open_reader(self, quirks: Quirks) -> StreamReader: ...

    def read_failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now_s: float
    ) -> UpstreamFailure: ...

    def upstream_path(self, model: str, *, is_stream: bool, quirks: Quirks = STANDARD) -> str:
        """Return what follows the provider's base URL, escaped as the host wants it."""
        ...

    def upstream_headers(self) -> Mapping[str, str]: ...


class Codec(UpstreamCodec, Protocol):
    """A dialect that callers speak too: both directions."""

    def read_head(self, body: bytes) -> RequestHead:
        """Parse the top level once. Raises: BadRequest with `param` for what is missing or malformed."""
        ...

    def edit(
        self, head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        """Write the caller's bytes back with the model and the few fields the host demands changed."""
        ...

    def read_request(self, body: bytes) -> ChatRequest: ...

    def write_reply(self, reply: ChatReply, head: RequestHead | None = None) -> bytes:
        """Write a whole reply. head: of the request, for dialects that repeat what was asked."""
        ...

    def open_writer(self, head: RequestHead, *, created_s: int = 0) -> StreamWriter:
        """Open a writer for one caller. created_s: for dialects that show a time, where upstream has none."""
        ...

    def open_tap(self, head: RequestHead, quirks: Quirks) -> Relay:
        """Open the relay for a caller of the same dialect."""
        ...

    def write_error(self, error: WireError) -> bytes:
        """Write the body of an error answer."""
        ...

    def keep_alive(self) -> bytes: ...


class TokenCounter(Protocol):
    """How a dialect asks a provider how many tokens a request has."""

    @property
    def uncounted(self) -> frozenset[FailureKind]:
        """Name the refusals that say no more than that this host does not count for this model."""
        ...

    @property
    def counts_by_base_model(self) -> bool:
        """Whether the model behind a deployment or a profile is to be named."""
        ...

    def path(self, model: str, quirks: Quirks) -> str:
        """Return what follows the provider's base URL."""
        ...

    def write(self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
        """Raises: BadRequest for what the dialect can't carry."""
        ...

    def read(self, body: bytes) -> int:
        """Raises: BadRequest when the body is no count."""
        ...


class CallersCounter(TokenCounter, Protocol):
    """Of a dialect in which callers ask for a count, too."""

    def read_head(self, body: bytes) -> RequestHead:
        """Check the structure only. Raises: BadRequest with `param`."""
        ...

    def edit(
        self, head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        """Write the caller's bytes back with the model changed, and what the host demands."""
        ...

    def show(self, tokens: int) -> bytes:
        """Write the answer a caller reads."""
        ...


@dataclass(frozen=True, slots=True)
class Vectors:
    """An embeddings reply. `shown` is what an OpenAI caller reads."""

    summary: ReplySummary
    count: int
    dimensions: int  # of the first vector; 0: written in a way we do not know
    shown: bytes


class Embedder(Protocol):
    """How a dialect asks for embeddings; callers ask and are answered in OpenAI's shape."""

    def most_texts(self, model: str, quirks: Quirks) -> int:
        """Return how many texts one request takes; 0: there is no limit that we know."""
        ...

    def path(self, model: str, quirks: Quirks) -> str: ...

    def write(self, head: RequestHead, model: str, quirks: Quirks) -> WrittenRequest:
        """Raises: BadRequest for what the dialect can't carry."""
        ...

    def read(self, body: bytes, head: RequestHead, quirks: Quirks) -> Vectors:
        """Raises: BadRequest when the body holds no vectors."""
        ...
