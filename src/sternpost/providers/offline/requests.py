"""Reads OpenAI chat requests for the offline answerer; not a dialect for other providers."""

import hashlib
import re
from dataclasses import dataclass

import msgspec

from sternpost.base.tokens import estimate_tokens
from sternpost.providers.offline.answer import STRENGTHS
from sternpost.providers.offline.context import Turn
from sternpost.providers.offline.tools import Tool, ToolMode

_PATH = re.compile(r"\$\.?(.*)$")
_MESSAGE_TOKENS = 4  # what the framing of a message costs at OpenAI


class Refusal(Exception):
    """A request that is answered with OpenAI's error JSON."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param


@dataclass(frozen=True, slots=True)
class _Part:
    type: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Message:
    role: str
    content: str | list[_Part] | None = None


@dataclass(frozen=True, slots=True)
class _StreamOptions:
    include_usage: bool = False


@dataclass(frozen=True, slots=True)
class _Format:
    type: str = "text"


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class _Tool:
    function: _Function | None = None  # absent: a tool of a kind that is not called here
    type: str = "function"


@dataclass(frozen=True, slots=True)
class _Name:
    name: str


@dataclass(frozen=True, slots=True)
class _NamedChoice:
    function: _Name


@dataclass(frozen=True, slots=True)
class _Body:
    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: _Format | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | _NamedChoice | None = None


_DECODER = msgspec.json.Decoder(_Body)


@dataclass(frozen=True, slots=True)
class OfflineRequest:
    id: str  # of the reply; made from the bytes of the request
    model: str
    turns: tuple[Turn, ...]
    is_stream: bool
    wants_usage: bool
    max_tokens: int | None
    prompt_tokens: int
    tools: tuple[Tool, ...] = ()
    tool_mode: ToolMode = "auto"


def read_request(body: bytes) -> OfflineRequest:
    """Raises: Refusal with the status and the field at fault."""
    try:
        read = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        raise Refusal(400, reason, param=_field(place.strip("`")) or None) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal(400, "the body is not valid JSON") from error
    if read.model not in STRENGTHS:
        known = ", ".join(sorted(STRENGTHS))
        raise Refusal(
            404, f"no model {read.model!r}; there are {known}", code="model_not_found", param="model"
        )
    _refuse_what_cannot_be_done(read)
    turns = tuple(Turn(_role(message.role), _text(message)) for message in read.messages)
    tools, mode = _tools(read)
    prompt_tokens = sum(_MESSAGE_TOKENS + estimate_tokens(turn.text) for turn in turns)
    if tools:
        prompt_tokens += estimate_tokens(msgspec.json.encode(tools).decode())
    limit = STRENGTHS[read.model].context_tokens
    if prompt_tokens > limit:
        raise Refusal(
            400,
            f"this model's maximum context length is {limit} tokens; the messages hold {prompt_tokens}",
            code="context_length_exceeded",
            param="messages",
        )
    return OfflineRequest(
        id="chatcmpl-offline-" + hashlib.blake2b(body, digest_size=12).hexdigest(),
        model=read.model,
        turns=turns,
        is_stream=bool(read.stream),
        wants_usage=read.stream_options is not None and read.stream_options.include_usage,
        max_tokens=read.max_tokens if read.max_completion_tokens is None else read.max_completion_tokens,
        prompt_tokens=prompt_tokens,
        tools=tools,
        tool_mode=mode,
    )


def _tools(read: _Body) -> tuple[tuple[Tool, ...], ToolMode]:
    """Return the tools that may be called; a named choice leaves that one."""
    functions = [tool.function for tool in read.tools or () if tool.function is not None]
    tools = tuple(Tool(one.name, one.description or "", one.parameters or {}) for one in functions)
    choice = read.tool_choice
    if isinstance(choice, _NamedChoice):
        named = tuple(tool for tool in tools if tool.name == choice.function.name)
        if not named:
            raise Refusal(400, f"tools hold no {choice.function.name!r}", param="tool_choice")
        return named, "required"
    if choice == "none":
        return tools, "none"
    return tools, "required" if choice == "required" else "auto"


def _refuse_what_cannot_be_done(read: _Body) -> None:
    if not read.messages:
        raise Refusal(400, "messages must hold at least one message", param="messages")
    if read.n not in (None, 1):
        raise Refusal(400, "the offline answerer gives one choice; leave n out", param="n")
    if any(limit is not None and limit < 1 for limit in (read.max_tokens, read.max_completion_tokens)):
        raise Refusal(400, "max_tokens must be at least 1", param="max_tokens")
    if read.response_format is not None and read.response_format.type != "text":
        raise Refusal(400, "the offline answerer quotes text and can't write JSON", param="response_format")


def _field(place: str) -> str:
    match = _PATH.search(place)
    return match.group(1) if match else ""


def _role(role: str) -> str:
    return {"developer": "system", "function": "tool"}.get(role, role)


def _text(message: _Message) -> str:
    if isinstance(message.content, list):
        return "\n".join(part.text for part in message.content if part.type == "text")
    return message.content or ""
