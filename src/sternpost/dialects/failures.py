"""Classes error answers of providers by code, words and status; writes no error of ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from sternpost.contracts.chat import StreamFault
from sternpost.contracts.message import Json
from sternpost.dialects.protocols import FailureKind, UpstreamFailure
from sternpost.dialects.raw_object import UNREADABLE
from sternpost.dialects.retry_after import read_duration, read_retry_after

MALFORMED: Final = "malformed_frame"
UNREADABLE_FRAME: Final = frozenset({MALFORMED, "unknown_frame"})  # error types of our own faults
_MESSAGE_CHARS = 2000
_BODY_BYTES = 2048
_DETAILS_BYTES = 4096
_TOLD: Final = frozenset({"message", "type", "code", "param"})

_KIND_BY_CODE: Final[Mapping[str, FailureKind]] = {
    "context_length_exceeded": "context_too_long",
    "string_above_max_length": "context_too_long",
    "content_filter": "policy",
    "content_policy_violation": "policy",
    "image_content_policy_violation": "policy",
    "bio_policy": "policy",
    "misalignment_policy_violation": "policy",
    "ResponsibleAIPolicyViolation": "policy",  # Azure's inner code, where the outer one is missing
    "DeploymentNotFound": "not_found",  # Azure
    "invalid_model": "not_found",  # Mistral
    "invalid_api_key": "auth",
    "authentication_error": "auth",
    "insufficient_quota": "quota",
    "billing_error": "quota",
    "billing_hard_limit_reached": "quota",
    "permission_error": "permission",
    "permission_denied": "permission",
    "model_not_found": "not_found",
    "not_found_error": "not_found",
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "timeout_error": "timeout",
    "overloaded_error": "overloaded",
    "engine_overloaded": "overloaded",
    "request_too_large": "too_large",
    "api_error": "server",
    "server_error": "server",
}
# Words of providers whose codes say less than their sentence; the first that matches wins.
_KIND_BY_WORDS: Final[tuple[tuple[re.Pattern[str], FailureKind], ...]] = (
    (
        re.compile(
            r"maximum context length|context[ _]length|context window|prompt is too long"
            r"|exceed(?:s|ed)? (?:the )?(?:model's )?(?:maximum|max) (?:number of |input )?tokens"
            r"|exceed context limit|reduce the length of the (?:messages|prompt)"
            r"|too many (?:input )?tokens in|too many tokens: ",
            re.IGNORECASE,
        ),
        "context_too_long",
    ),
    (
        re.compile(
            r"content (?:management )?policy|safety system|content[ _]filter|usage polic", re.IGNORECASE
        ),
        "policy",
    ),
    (
        re.compile(
            r"exceeded your current quota|credit balance is too low"
            r"|insufficient (?:credits|balance|funds|quota)|limited to [\d,]+ API calls / month",
            re.IGNORECASE,
        ),
        "quota",
    ),
    (
        re.compile(
            r"(?:incorrect|invalid|expired|revoked|missing) api[ _]key"
            r"|api[ _]key (?:is |was |has been |has )?(?:not valid|invalid|expired|revoked|disabled)"
            r"|api key was reported as leaked|unregistered callers",  # Google's for a 403
            re.IGNORECASE,
        ),
        "auth",
    ),
)
_KIND_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    401: "auth",
    402: "quota",
    403: "permission",
    404: "not_found",
    408: "timeout",
    409: "server",
    413: "too_large",
    425: "server",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_STATUS_BY_KIND: Final[Mapping[FailureKind, int]] = {
    "bad_request": 400,
    "too_large": 413,
    "context_too_long": 400,
    "unsupported": 400,
    "policy": 400,
    "auth": 401,
    "quota": 429,
    "permission": 403,
    "not_found": 404,
    "rate_limited": 429,
    "timeout": 504,
    "overloaded": 503,
    "server": 502,
}
# Codes of a response that failed for what was in its request (openai-python, `ResponseError.code`).
_REFUSING_CODE: Final = re.compile(r"^invalid_|image")
_VAGUE: Final = frozenset[FailureKind]({"rate_limited", "permission"})  # the words may say more
_RETRYABLE: Final[frozenset[FailureKind]] = frozenset({"rate_limited", "timeout", "overloaded", "server"})
_SECRETS = re.compile(
    r"(?i:bearer|basic)\s+[\w.~+/=-]{6,}"
    r"|\b(?:sk|pk|rk|wl|gsk|xai|hf|key|r8|fw|nvapi|csk|pplx|tgp_v1|org|proj)[-_][\w*.-]{6,}"
    r"|\bAIza[\w-]{10,}|\bAKIA\w{8,}|\beyJ[\w-]{8,}\.[\w.-]+"
    r"|(?<=\bproject )\d{6,}|(?<=\bprojects/)[\w.:-]+"  # Google's
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b"
)
_LINKS = re.compile(r"https?://[^\s\"'<>)]+")
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
    """Remove keys, account ids, links and addresses from a provider's words, and shorten them."""
    return _LINKS.sub("[link]", _SECRETS.sub("***", text))[:_MESSAGE_CHARS]


def classify(status: int, *, error_type: str, code: str, message: str) -> FailureKind:
    """Class by code, then by words, then by status; the words of a 5xx are not read: they quote others."""
    kind = _KIND_BY_CODE.get(code) or _KIND_BY_CODE.get(error_type)
    if kind is not None and kind not in _VAGUE:
        return kind
    if status < 500 and status != 413:
        for words, worded_kind in _KIND_BY_WORDS:
            if words.search(message):
                return worded_kind
    return kind or _KIND_BY_STATUS.get(status) or ("server" if status >= 500 else "bad_request")


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
        message=scrub(words.message) or "The provider reported an error inside the stream.",
        status=status or _STATUS_BY_KIND[kind],
        code=words.code,
        details=words.details,
    )


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
    value = _decoded(body)
    error = value.get("error") if isinstance(value, Mapping) else None
    return fault_from(error) if error and isinstance(error, Mapping | str) else None


def _decoded(body: bytes) -> Json:
    """Decode a body, None when it is no JSON; Gemini's compatible endpoint wraps the object in an array."""
    try:
        value: Json = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    return value[0] if isinstance(value, list) and value else value


def _read_words(body: bytes) -> _Words:
    value = _decoded(body)
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
