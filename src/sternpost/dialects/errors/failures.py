"""Classes error answers of providers by code, words and status; writes no error of ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import msgspec

from sternpost.contracts.chat import StreamFault
from sternpost.contracts.message import Json
from sternpost.dialects.errors.failure_words import (
    BUSY,
    KIND_BY_CODE,
    KIND_BY_STATUS,
    KIND_BY_WORDS,
    STATUS_BY_KIND,
    VAGUE,
    VAGUE_STATUSES,
)
from sternpost.dialects.errors.retry_after import read_duration, read_retry_after
from sternpost.dialects.json_text.halves import without_halves
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import FailureKind, UpstreamFailure

MALFORMED: Final = "malformed_frame"
UNREADABLE_FRAME: Final = frozenset({MALFORMED, "unknown_frame"})  # error types of our own faults
# Finish reasons that say in a 200 that the provider failed: OpenRouter and Mistral `error`, DeepSeek
# `insufficient_system_resource`, Zhipu `network_error`, vLLM and SGLang `abort`, and what others call these.
FAILED_FINISHES: Final[Mapping[str, FailureKind]] = {
    **dict.fromkeys(
        (
            "error",
            "failed",
            "abort",
            "aborted",
            "cancelled",
            "network_error",
            "internal_error",
            "server_error",
        ),
        "server",
    ),
    "insufficient_system_resource": "overloaded",
    "overloaded": "overloaded",
    "timeout": "timeout",
}
_UNTOLD: Final = "The provider reported an error inside the stream."
_MESSAGE_CHARS = 2000
_BODY_BYTES = 2048
_DETAILS_BYTES = 4096
_NAMING: Final = frozenset(
    {"code", "__type", "status_code", "statusCode"}
)  # beside the words of a bare error
_ANSWERING: Final = frozenset({"choices", "output", "content", "candidates", "data", "done"})
_TOLD: Final = frozenset({"message", "type", "code", "param"})

# Codes of a response that failed for what was in its request (openai-python, `ResponseError.code`).
_REFUSING_CODE: Final = re.compile(r"^invalid_|image")
_RETRYABLE: Final[frozenset[FailureKind]] = frozenset({"rate_limited", "timeout", "overloaded", "server"})
_SECRETS = re.compile(
    r"(?i:bearer|basic)\s+[\w.~+/=-]{6,}"
    r"|\b(?:sk|pk|rk|wl|gsk|xai|hf|key|r8|fw|nvapi|csk|pplx|tgp_v1|org|proj)[-_][\w*.-]{6,}"
    r"|\bAIza[\w-]{10,}|\bAKIA\w{8,}|\beyJ[\w-]{8,}\.[\w.-]+"
    r"|(?<=\bproject )\d{6,}|(?<=\bprojects/)[\w.:-]+|(?<=[?&]project=)[\w.:-]+"  # Google's
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b"
)
_LINKS = re.compile(r"https?://[^\s\"'<>)]+")
# Names that stand in addresses of a private net, and what a link asks with that opens something.
_PRIVATE: Final = frozenset({"internal", "intranet", "private", "local", "localdomain", "lan", "corp", "svc"})
_OPENING = re.compile(r"key|token|secret|sig|password|credential|auth", re.IGNORECASE)
_TAGS = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)|<[^>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Words:
    message: str
    error_type: str = ""
    code: str = ""
    param: str | None = None
    retry_s: float | None = None
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])


def scrub(text: str) -> str:
    """Remove keys, account ids, addresses and private links from a provider's words, and shorten them."""
    return _SECRETS.sub("***", _LINKS.sub(_shown_link, text))[:_MESSAGE_CHARS]


def _shown_link(link: re.Match[str]) -> str:
    return link[0] if _is_public(link[0]) else "[link]"


def _is_public(link: str) -> bool:
    """Whether a link names a page of the public net, without a port, a user or a key."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    labels = parts.netloc.lower().split(".")
    is_named = len(labels) > 1 and labels[-1].isalpha() and not _PRIVATE & set(labels)
    return is_named and "@" not in parts.netloc and not _OPENING.search(parts.query)


def classify(status: int, *, error_type: str, code: str, message: str) -> FailureKind:
    """Class by code, then by words, then by status; the words of a 5xx are not read: they quote others."""
    kind = KIND_BY_CODE.get(code) or KIND_BY_CODE.get(error_type)
    if kind is not None and kind not in VAGUE:
        return kind
    if status < 500 and status != 413:
        for words, worded_kind in KIND_BY_WORDS:
            if words.search(message):
                return worded_kind
        if kind is None and status in VAGUE_STATUSES and BUSY.search(message):
            return "overloaded"
    return kind or KIND_BY_STATUS.get(status) or ("server" if status >= 500 else "bad_request")


def read_failure(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> UpstreamFailure:
    """Read an error answer of any shape: JSON of a known dialect, other JSON, HTML, nothing."""
    words = _read_words(body)
    kind = classify(status, error_type=words.error_type, code=words.code, message=words.message)
    hint = next((v.strip().lower() for k, v in headers.items() if k.lower() == "x-should-retry"), "")
    wait_s = read_retry_after(headers, now_s, is_limited=status == 429)
    return UpstreamFailure(
        kind=kind,
        status=status,
        message=scrub(words.message) or f"The provider answered {status} without a message.",
        error_type=words.error_type,
        code=words.code,
        is_retryable={"true": True, "false": False}.get(hint, kind in _RETRYABLE),
        retry_after_s=wait_s if wait_s is not None else words.retry_s,
        param=words.param,
        details=words.details,
    )


def fault_from(error: Json) -> StreamFault:
    """Read the error object of a stream; its status is the one the same error has as an answer."""
    words = _words_of(error)
    status = int(words.code) if words.code.isdigit() and 400 <= int(words.code) < 600 else 0
    is_refused = words.error_type == "invalid_request_error" or _REFUSING_CODE.search(words.code)
    kind = classify(
        status or (400 if is_refused else 500),
        error_type=words.error_type,
        code=words.code,
        message=words.message,
    )
    return StreamFault(
        error_type=words.error_type or kind,
        message=scrub(words.message) or _UNTOLD,
        status=status or STATUS_BY_KIND[kind],
        code=words.code,
        details=words.details,
    )


def fault_of_finish(reason: str, error: Json = None) -> StreamFault | None:
    """Read why a reply ended: None unless that is a failure of the provider, which has no other place for it.

    error: what the choice says beside it.
    """
    kind = FAILED_FINISHES.get(reason.lower())
    if kind is None and not error:
        return None
    told = fault_from(error) if error else None
    if told is not None and told.message != _UNTOLD:
        return told
    said = f"The provider ended its reply with {scrub(reason)!r}."
    return StreamFault(kind or "server", said, status=STATUS_BY_KIND[kind or "server"])


def kind_of(fault: StreamFault) -> FailureKind:
    """Class an error of a stream as the same error is classed as an answer.

    The words of every limit at Google speak of a quota; whether it is the day's they do not say.
    """
    if fault.error_type == "RESOURCE_EXHAUSTED":
        return "rate_limited"
    return classify(fault.status, error_type=fault.error_type, code=fault.code, message=fault.message)


def wait_of(fault: StreamFault) -> float | None:
    """Return how many seconds an error of a stream asks to wait."""
    return _retry_delay(fault.details.get("details"))


def fault_in(body: bytes) -> StreamFault | None:
    """Read the error in a body that came with the status of an answer; None when it holds none."""
    value = decoded(body)
    error = _error_in(value) if isinstance(value, Mapping) else None
    return fault_from(error) if error else None


def _error_in(value: Mapping[str, Json]) -> Json:
    """Find the error where hosts put it: in `error`, in a list, in MiniMax's or Baidu's words, at the top."""
    error, errors, base = value.get("error"), value.get("errors"), value.get("base_resp")
    if error and isinstance(error, Mapping | str):
        return error
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping | str):
        return errors[0]
    if isinstance(base, Mapping) and base.get("status_code"):
        return {"message": base.get("status_msg"), "code": base.get("status_code")}
    if value.get("error_code") and "error_msg" in value:
        return {"message": value["error_msg"], "code": value["error_code"]}
    is_error = value.get("object") == "error" or value.get("type") == "error" or error is True
    is_bare = isinstance(value.get("message"), str) and bool(_NAMING & value.keys())
    return value if is_error or (is_bare and not _ANSWERING & value.keys()) else None


def decoded(body: bytes) -> Json:
    """Decode a body, its odd bytes replaced; None when it is no JSON.

    Gemini's compatible endpoint wraps the object in an array."""
    try:
        value: Json = msgspec.json.decode(body)
    except UNREADABLE:
        whole = without_halves(body).decode("utf-8", "replace").encode()
        return None if whole == body else decoded(whole)
    return value[0] if isinstance(value, list) and value else value


def _read_words(body: bytes) -> _Words:
    value = decoded(body)
    if not isinstance(value, Mapping):
        return _Words(_plain_text(body))
    error = value.get("error")
    return _words_of(error if isinstance(error, Mapping | str) and error else value)


def _words_of(error: Json) -> _Words:
    if not isinstance(error, Mapping):
        return _Words(error if isinstance(error, str) else "")
    message = next((text for name in ("message", "detail", "error") if (text := _text(error.get(name)))), "")
    return _Words(
        message=message,
        error_type=_text(error.get("type")) or _text(error.get("status")),
        code=_text(error.get("code")) or _text(_inner(error).get("code")),
        param=_text(error.get("param")) or None,
        retry_s=_retry_delay(error.get("details")),
        details=_details_of(error),
    )


def _details_of(error: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return what an error says beside the fields every dialect has; nothing when that is much or deep."""
    rest = {name: value for name, value in error.items() if name not in _TOLD and value is not None}
    try:
        found = {name: _scrubbed(value) for name, value in rest.items()}
        return found if len(msgspec.json.encode(found)) <= _DETAILS_BYTES else {}
    except RecursionError:
        return {}


def _scrubbed(value: Json) -> Json:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    if isinstance(value, dict):
        return {name: _scrubbed(item) for name, item in value.items()}
    return value


def _inner(error: Mapping[str, Json]) -> Mapping[str, Json]:
    inner = error.get("innererror")
    return inner if isinstance(inner, Mapping) else {}


def _retry_delay(details: Json) -> float | None:
    for item in details if isinstance(details, list) else ():
        if isinstance(item, Mapping) and isinstance(delay := item.get("retryDelay"), str):
            return read_duration(delay)
    return None


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return msgspec.json.encode(value).decode() if isinstance(value, list | Mapping) and value else ""


def _plain_text(body: bytes) -> str:
    text = body[:_BODY_BYTES].decode("utf-8", "replace")
    return " ".join(_TAGS.sub(" ", text).split())
