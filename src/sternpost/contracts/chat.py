"""The one internal request, reply and stream of events through which any dialect reaches any other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sternpost.contracts.message import BlobPart, Json, Message, ToolCallPart
from sternpost.contracts.usage import Usage

FinishReason: TypeAlias = Literal[
    "end",
    "stop_sequence",
    "length",
    "context_full",
    "tool",
    "filtered",
    "paused",
    "malformed_tool",
    "unknown",
]
ToolChoiceMode: TypeAlias = Literal["auto", "none", "required", "named"]
ClientToolKind: TypeAlias = Literal[
    "function",
    "custom",
    "tool_search",
    "local_shell",
    "shell",
    "apply_patch",
    "computer",
    "computer_use_preview",
]
FormatKind: TypeAlias = Literal["text", "json_object", "json_schema"]


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    name: str
    description: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])  # JSON Schema
    is_strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ClientTool:
    """What a tool is in the caller's dialect, where it is more than a function with a name."""

    kind: ClientToolKind
    name: str
    namespace: str = ""
    format: Mapping[str, Json] | None = None  # of the text that a custom tool takes
    is_native: bool = False  # the target knows it as it is: its calls carry what the caller expects


@dataclass(frozen=True, slots=True)
class ClientCall(ToolCallPart):
    """A call as the caller's dialect writes it. Only in replies on their way to a caller, never recorded."""

    tool: ClientTool = ClientTool("function", "")


@dataclass(frozen=True, slots=True)
class ToolChoice:
    mode: ToolChoiceMode
    name: str = ""  # with mode "named"


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    kind: FormatKind
    name: str = ""
    schema: Mapping[str, Json] | None = None
    is_strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ReasoningRequest:
    effort: str | None = None  # none, minimal, low, medium, high, xhigh
    budget_tokens: int | None = None
    is_adaptive: bool = False
    asked_as: str = "reasoning"  # what the caller's dialect calls it, for reports


@dataclass(frozen=True, slots=True)
class CacheMark:
    """The provider is to cache everything up to here. Kept apart from the parts, whose hashes stay equal."""

    message: int  # index into `messages`; -1: into `tools`
    part: int  # index into the message's parts, or of the tool
    ttl: Literal["5m", "1h"] = "5m"


@dataclass(frozen=True, slots=True)
class AutoCache:
    """What a route wants of the provider's prompt cache."""

    ttl: Literal["5m", "1h"]
    key: str  # the same for all calls that share a prefix


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat call in no dialect. System texts are messages with role `system`, in their place."""

    model: str
    messages: tuple[Message, ...]
    is_stream: bool = False
    tools: tuple[ToolDefinition, ...] = ()
    client_tools: Mapping[str, ClientTool] = field(default_factory=dict[str, ClientTool])  # by name
    custom_calls: frozenset[str] = frozenset()  # ids of earlier calls whose arguments are text, not JSON
    tool_choice: ToolChoice | None = None
    takes_parallel_tools: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    choice_count: int = 1
    reply_format: ReplyFormat | None = None
    reasoning: ReasoningRequest | None = None
    end_user: str | None = None
    service_tier: str | None = None
    cache_marks: tuple[CacheMark, ...] = ()
    cache_key: str | None = None  # groups calls that share a prefix
    wants_logprobs: bool = False
    top_logprobs: int | None = None
    verbosity: str | None = None  # low, medium, high
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    betas: tuple[str, ...] = ()  # of Anthropic, from its header
    modalities: tuple[str, ...] = ()  # of the reply: text, audio, image; empty: what the model does
    unread: tuple[str, ...] = ()  # names of fields this shape can't carry, reported to the caller
    extras: Mapping[str, Json] = field(default_factory=dict[str, Json])  # unread fields that a host may know


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    token: str
    logprob: float
    top: tuple["TokenLogprob", ...] = ()
    token_bytes: bytes | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """What a piece of the reply rests on. `start` and `end` are characters of the choice's text."""

    title: str = ""
    url: str = ""
    cited_text: str = ""
    document: str = ""  # id or index of a document that the request held
    start: int | None = None
    end: int | None = None
    choice: int = 0


@dataclass(frozen=True, slots=True)
class SafetyResult:
    """One verdict of the provider's own filter."""

    category: str  # in the provider's words
    severity: str = ""
    is_blocked: bool = False
    is_prompt: bool = False  # about the prompt, not the reply


@dataclass(frozen=True, slots=True)
class ChatReply:
    """One message per choice; each `finish_reason` is a FinishReason."""

    id: str
    model: str
    choices: tuple[Message, ...]
    usage: Usage | None
    created_s: int = 0
    stop_sequence: str | None = None
    service_tier: str = ""
    logprobs: tuple[tuple[TokenLogprob, ...], ...] = ()  # per choice
    citations: tuple[Citation, ...] = ()
    safety: tuple[SafetyResult, ...] = ()
    completed_s: int = 0  # when it was whole, for dialects that show it
    beside: tuple[str, ...] = ()  # names of fields this shape can't carry


@dataclass(frozen=True, slots=True)
class OtherSeen:
    """Something of the reply that no event represents; only its kind is shown."""

    kind: str


@dataclass(frozen=True, slots=True)
class StreamStart:
    id: str
    model: str
    created_s: int = 0
    usage: Usage | None = None  # where the provider counts the prompt before it answers


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str
    choice: int = 0  # other than 0 only where a caller asked for several


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ThinkingSignature:
    signature: str


@dataclass(frozen=True, slots=True)
class RedactedThinking:
    encrypted_content: str


@dataclass(frozen=True, slots=True)
class ToolStart:
    index: int  # order of tool calls within the reply, from 0
    id: str
    name: str
    choice: int = 0
    tool: ClientTool | None = None  # on its way to a caller: what the tool is in the caller's dialect


@dataclass(frozen=True, slots=True)
class ToolArguments:
    index: int
    text: str  # a piece of the JSON text
    choice: int = 0


@dataclass(frozen=True, slots=True)
class MediaSeen:
    """An image or a piece of audio of the reply; pieces of audio follow each other."""

    part: BlobPart
    choice: int = 0


@dataclass(frozen=True, slots=True)
class LogprobsSeen:
    tokens: tuple[TokenLogprob, ...]  # of the text just written
    choice: int = 0


@dataclass(frozen=True, slots=True)
class CitationSeen:
    citation: Citation


@dataclass(frozen=True, slots=True)
class SafetySeen:
    results: tuple[SafetyResult, ...]


@dataclass(frozen=True, slots=True)
class UsageSeen:
    """Cumulative: replaces what was seen before, is never added to it."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finish:
    reason: FinishReason
    stop_sequence: str | None = None
    choice: int = 0


@dataclass(frozen=True, slots=True)
class StreamFault:
    """The upstream reported an error inside the stream, or a frame could not be read."""

    error_type: str
    message: str
    status: int = 502
    code: str = ""
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])  # what else the error says


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The dialect's terminal marker was seen."""

    at_s: int = 0  # when, for dialects that show it


StreamEvent: TypeAlias = (
    StreamStart
    | TextDelta
    | RefusalDelta
    | ThinkingDelta
    | ThinkingSignature
    | RedactedThinking
    | ToolStart
    | ToolArguments
    | MediaSeen
    | LogprobsSeen
    | CitationSeen
    | SafetySeen
    | OtherSeen
    | UsageSeen
    | Finish
    | StreamFault
    | Ping
    | StreamEnd
)
