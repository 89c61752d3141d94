"""One request per ability of a dialect, each beside the same request without it; asks nobody."""

from dataclasses import dataclass, replace
from typing import Final

from sternpost.contracts.chat import (
    CacheMark,
    ChatRequest,
    ReasoningRequest,
    ReplyFormat,
    ToolChoice,
    ToolDefinition,
)
from sternpost.contracts.message import (
    BlobPart,
    FilePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)

_MEDIA: Final = "cHJvYmUtbWVkaWEtMTIzNDU2Nzg5"  # base64 of a text, for no codec looks into media
_PARAMETERS: Final = {"type": "object", "properties": {"a": {"type": "string"}}}
_TOOL: Final = ToolDefinition("probe_tool", "Probes.", _PARAMETERS)
_QUESTION: Final = TextPart("probe question")
_CALLED: Final = Message("assistant", (ToolCallPart("probe_tool", '{"a":"b"}', "call_probe1"),))
PLAIN: Final = ChatRequest("probe-model", (Message("user", (_QUESTION,)),), max_output_tokens=4096)
_TOOLED: Final = replace(PLAIN, tools=(_TOOL,))
_SCHEMA: Final = {
    "type": "object",
    "properties": {"probe_field": {"type": "string"}},
    "required": ["probe_field"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One ability: a request that uses it, and the same request without it.

    marker: bytes that a request which carries it must hold; empty: any difference will do.
    """

    title: str
    asked: ChatRequest
    base: ChatRequest = PLAIN
    marker: bytes = b""
    is_recorded: bool = False  # Sternpost reads it itself


def _with_part(part: Part) -> ChatRequest:
    return replace(PLAIN, messages=(Message("user", (_QUESTION, part)),))


def _after_call(*parts: Part) -> ChatRequest:
    return replace(_TOOLED, messages=(*PLAIN.messages, _CALLED, Message("tool", parts)))


def _thought(part: ReasoningPart) -> ChatRequest:
    answer = Message("assistant", (part, TextPart("probe answer")))
    return replace(PLAIN, messages=(*PLAIN.messages, answer, Message("user", (TextPart("go on"),))))


_SPOKEN: Final = _thought(ReasoningPart())
_UNTHOUGHT: Final = replace(
    _SPOKEN,
    messages=(*PLAIN.messages, Message("assistant", (TextPart("probe answer"),)), _SPOKEN.messages[-1]),
)

PROBES: Final[tuple[Probe, ...]] = (
    Probe(
        "text", PLAIN, replace(PLAIN, messages=(Message("user", (TextPart("other"),)),)), b"probe question"
    ),
    Probe(
        "system text",
        replace(PLAIN, messages=(Message("system", (TextPart("probe system"),)), *PLAIN.messages)),
        marker=b"probe system",
    ),
    Probe(
        "image, in the request", _with_part(BlobPart("image", _MEDIA, "image/png")), marker=_MEDIA.encode()
    ),
    Probe(
        "image, by address",
        _with_part(UriPart("image", "https://probe.example/a.png")),
        marker=b"probe.example",
    ),
    Probe("sound", _with_part(BlobPart("audio", _MEDIA, "audio/wav")), marker=_MEDIA.encode()),
    Probe(
        "document, in the request",
        _with_part(BlobPart("document", _MEDIA, "application/pdf", "probe.pdf")),
        marker=_MEDIA.encode(),
    ),
    Probe(
        "document, by address",
        _with_part(UriPart("document", "https://probe.example/a.pdf", "application/pdf")),
        marker=b"probe.example",
    ),
    Probe("document, by file id", _with_part(FilePart("document", "file-probe1")), marker=b"file-probe1"),
    Probe("tools", _TOOLED, marker=b"probe_tool"),
    Probe("tool choice: required", replace(_TOOLED, tool_choice=ToolChoice("required")), _TOOLED),
    Probe("tool choice: none", replace(_TOOLED, tool_choice=ToolChoice("none")), _TOOLED),
    Probe("tool choice: one tool", replace(_TOOLED, tool_choice=ToolChoice("named", "probe_tool")), _TOOLED),
    Probe("one tool call at a time", replace(_TOOLED, takes_parallel_tools=False), _TOOLED),
    Probe(
        "tool results", _after_call(ToolResponsePart("probe result", "call_probe1")), _TOOLED, b"probe result"
    ),
    Probe(
        "tool results with an image",
        _after_call(ToolResponsePart("seen", "call_probe1", media=(BlobPart("image", _MEDIA, "image/png"),))),
        _after_call(ToolResponsePart("seen", "call_probe1")),
        _MEDIA.encode(),
    ),
    Probe(
        "failed tool results",
        _after_call(ToolResponsePart("probe fault", "call_probe1", is_error=True)),
        _after_call(ToolResponsePart("probe fault", "call_probe1")),
    ),
    Probe(
        "reply by JSON Schema",
        replace(PLAIN, reply_format=ReplyFormat("json_schema", "probe", _SCHEMA, is_strict=True)),
        marker=b"probe_field",
    ),
    Probe("reply as JSON", replace(PLAIN, reply_format=ReplyFormat("json_object"))),
    Probe("reasoning effort", replace(PLAIN, reasoning=ReasoningRequest(effort="high"))),
    Probe("reasoning budget", replace(PLAIN, reasoning=ReasoningRequest(budget_tokens=2048))),
    Probe(
        "earlier thinking, signed",
        _thought(ReasoningPart("probe thought", signature="cHJvYmUtc2ln")),
        _UNTHOUGHT,
        b"cHJvYmUtc2ln",
    ),
    Probe("reply with sound", replace(PLAIN, modalities=("text", "audio"))),
    Probe("cache marks", replace(PLAIN, cache_marks=(CacheMark(0, 0),))),
    Probe("cache key", replace(PLAIN, cache_key="probe-key"), marker=b"probe-key"),
    Probe("length of the reply", replace(PLAIN, max_output_tokens=4321), marker=b"4321"),
    Probe("temperature", replace(PLAIN, temperature=0.123), marker=b"0.123"),
    Probe("top_p", replace(PLAIN, top_p=0.321), marker=b"0.321"),
    Probe("top_k", replace(PLAIN, top_k=37), marker=b"37"),
    Probe("stop sequences", replace(PLAIN, stop=("PROBE-STOP",)), marker=b"PROBE-STOP"),
    Probe("seed", replace(PLAIN, seed=424242), marker=b"424242"),
    Probe("frequency penalty", replace(PLAIN, frequency_penalty=0.77), marker=b"0.77"),
    Probe("presence penalty", replace(PLAIN, presence_penalty=0.66), marker=b"0.66"),
    Probe("verbosity", replace(PLAIN, verbosity="low")),
    Probe("several choices", replace(PLAIN, choice_count=2)),
    Probe("log-probabilities", replace(PLAIN, wants_logprobs=True, top_logprobs=3)),
    Probe(
        "metadata",
        replace(PLAIN, metadata={"probe_name": "probe-value"}),
        marker=b"probe-value",
        is_recorded=True,
    ),
    Probe("end user", replace(PLAIN, end_user="probe-user"), marker=b"probe-user", is_recorded=True),
    Probe("service tier", replace(PLAIN, service_tier="flex")),
)
