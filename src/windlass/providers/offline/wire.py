"""Reads and writes OpenAI chat JSON for the offline answerer; not a dialect for other providers."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from windlass.base.tokens import estimate_tokens
from windlass.providers.offline.answer import STRENGTHS, Answer
from windlass.providers.offline.context import Turn

FINGERPRINT = "windlass-offline-extractive-1"
_WORD = re.compile(r"\s*\S+")
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
class _Body:
    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: _Format | None = None


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


@dataclass(frozen=True, slots=True)
class OfflineReply:
    """An answer cut to the size asked for, with its counts."""

    request: OfflineRequest
    answer: Answer
    text: str
    finish_reason: str
    completion_tokens: int


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
    prompt_tokens = sum(_MESSAGE_TOKENS + estimate_tokens(turn.text) for turn in turns)
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
    )


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


def fit(request: OfflineRequest, found: Answer) -> OfflineReply:
    """Cut the answer at the caller's token limit, between words."""
    tokens = estimate_tokens(found.text)
    if request.max_tokens is None or tokens <= request.max_tokens:
        return OfflineReply(request, found, found.text, "stop", tokens)
    kept: list[str] = []
    spent = 0
    for word in _WORD.findall(found.text):
        spent += estimate_tokens(word)
        if spent > request.max_tokens:
            break
        kept.append(word)
    text = "".join(kept)
    return OfflineReply(request, found, text, "length", estimate_tokens(text))


def write_reply(reply: OfflineReply) -> bytes:
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    return msgspec.json.encode(
        {
            **_head(reply, "chat.completion"),
            "choices": [choice],
            "usage": _usage(reply),
            "windlass": _note(reply),
        }
    )


def write_frames(reply: OfflineReply) -> Iterator[bytes]:
    """Yield server-sent events, one per word; usage when asked for; `[DONE]` last."""
    head = _head(reply, "chat.completion.chunk")
    yield _frame({**head, "choices": [_delta({"role": "assistant", "content": ""})]})
    for word in _WORD.findall(reply.text):
        yield _frame({**head, "choices": [_delta({"content": word})]})
    yield _frame({**head, "choices": [_delta({}, reply.finish_reason)], "windlass": _note(reply)})
    if reply.request.wants_usage:
        yield _frame({**head, "choices": [], "usage": _usage(reply)})
    yield b"data: [DONE]\n\n"


def write_refusal(refusal: Refusal) -> bytes:
    error = {
        "message": refusal.message,
        "type": "invalid_request_error",
        "param": refusal.param,
        "code": refusal.code,
    }
    return msgspec.json.encode({"error": error})


def write_models() -> bytes:
    models = [
        {
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": "windlass",
            "description": strength.description,
        }
        for name, strength in STRENGTHS.items()
    ]
    return msgspec.json.encode({"object": "list", "data": models})


def _head(reply: OfflineReply, kind: str) -> dict[str, object]:
    # `created` is 0 because the same request must give the same bytes.
    return {
        "id": reply.request.id,
        "object": kind,
        "created": 0,
        "model": reply.request.model,
        "system_fingerprint": FINGERPRINT,
    }


def _note(reply: OfflineReply) -> Mapping[str, object]:
    return {
        "answerer": "extractive",
        "is_language_model": False,
        "is_known": reply.answer.is_known,
        "match": round(reply.answer.share, 3),
        "sources": reply.answer.sources,
        "tokens_are": "estimated",
    }


def _usage(reply: OfflineReply) -> Mapping[str, int]:
    return {
        "prompt_tokens": reply.request.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.request.prompt_tokens + reply.completion_tokens,
    }


def _delta(delta: Mapping[str, str], finish_reason: str | None = None) -> Mapping[str, object]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _frame(chunk: Mapping[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
