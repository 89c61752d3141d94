"""Bedrock's words: stop reasons, exceptions, tiers, formats; no logic."""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import FinishReason
from sternpost.contracts.message import Modality
from sternpost.dialects.protocols import FailureKind

# The tool whose call is the whole reply, for models that know no other way to answer in a form.
REPLY_TOOL: Final = "sternpost_reply"

STOP_READ: Final[Mapping[str, FinishReason]] = {
    "end_turn": "end",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_full",
    "tool_use": "tool",
    "content_filtered": "filtered",
    "guardrail_intervened": "filtered",
    "malformed_tool_use": "malformed_tool",
    "malformed_model_output": "malformed_tool",
}
# An exception's name in lower case, without `exception` -> its class.
KIND_BY_EXCEPTION: Final[Mapping[str, FailureKind]] = {
    "throttling": "rate_limited",
    "toomanyrequests": "rate_limited",
    "modelnotready": "rate_limited",
    "servicequotaexceeded": "quota",
    "accessdenied": "permission",
    "unrecognizedclient": "auth",
    "expiredtoken": "auth",
    "invalidsignature": "auth",
    "incompletesignature": "auth",
    "missingauthenticationtoken": "auth",
    "invalidclienttokenid": "auth",
    "notauthorized": "auth",
    "resourcenotfound": "not_found",
    "modeltimeout": "timeout",
    "modelerror": "server",
    "modelstreamerror": "server",
    "internalserver": "server",
    "internalfailure": "server",
    "serviceunavailable": "overloaded",
    "validation": "bad_request",
}
STATUS_BY_KIND: Final[Mapping[FailureKind, int]] = {
    "bad_request": 400,
    "context_too_long": 400,
    "policy": 400,
    "auth": 401,
    "permission": 403,
    "not_found": 404,
    "rate_limited": 429,
    "quota": 429,
    "timeout": 504,
    "overloaded": 503,
    "server": 502,
}
# A caller's word for a tier -> Bedrock's; "" asks for nothing.
TIERS: Final[Mapping[str, str]] = {
    "auto": "",
    "default": "default",
    "standard": "default",
    "standard_only": "default",
    "flex": "flex",
    "priority": "priority",
    "reserved": "reserved",
}
# Media type or file ending -> Bedrock's name of the format.
FORMATS: Final[Mapping[Modality, Mapping[str, str]]] = {
    "image": {
        "image/png": "png", "png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "jpg": "jpeg",
        "jpeg": "jpeg", "image/gif": "gif", "gif": "gif", "image/webp": "webp", "webp": "webp",
    },
    "document": {
        "application/pdf": "pdf", "pdf": "pdf", "text/csv": "csv", "csv": "csv",
        "application/msword": "doc", "doc": "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx", "docx": "docx",
        "application/vnd.ms-excel": "xls", "xls": "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx", "xlsx": "xlsx",
        "text/html": "html", "html": "html", "text/plain": "txt", "txt": "txt", "text/markdown": "md",
        "md": "md",
    },
    "audio": {
        "audio/mpeg": "mp3", "audio/mp3": "mp3", "mp3": "mp3", "audio/opus": "opus", "opus": "opus",
        "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "wav": "wav", "audio/aac": "aac",
        "aac": "aac", "audio/flac": "flac", "flac": "flac", "audio/mp4": "mp4", "audio/m4a": "m4a",
        "audio/x-m4a": "m4a", "m4a": "m4a", "audio/ogg": "ogg", "ogg": "ogg", "audio/webm": "webm",
        "audio/pcm": "pcm", "audio/l16": "pcm", "pcm": "pcm", "pcm16": "pcm",
    },
    "video": {
        "video/mp4": "mp4", "mp4": "mp4", "video/quicktime": "mov", "mov": "mov", "video/webm": "webm",
        "webm": "webm", "video/x-matroska": "mkv", "mkv": "mkv", "video/x-flv": "flv", "flv": "flv",
        "video/mpeg": "mpeg", "mpeg": "mpeg", "mpg": "mpg", "video/x-ms-wmv": "wmv", "wmv": "wmv",
        "video/3gpp": "three_gp", "3gp": "three_gp",
    },
}  # fmt: skip
DEFAULT_FORMATS: Final[Mapping[Modality, str]] = {"image": "png", "document": "pdf"}
MIME_BY_IMAGE_FORMAT: Final[Mapping[str, str]] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
# Thinking tokens for models that know budgets and no effort; capped by the output limit.
EFFORT_BUDGETS: Final[Mapping[str, int]] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 24576,
    "xhigh": 1_000_000,
    "max": 1_000_000,
}
# Betas of Anthropic that Bedrock documents; it answers 400 to any other. Source:
# https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
BETAS: Final = frozenset(
    {
        "computer-use-2025-01-24",
        "token-efficient-tools-2025-02-19",
        "interleaved-thinking-2025-05-14",
        "output-128k-2025-02-19",
        "dev-full-thinking-2025-05-14",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "effort-2025-11-24",
        "tool-search-tool-2025-10-19",
        "tool-examples-2025-10-29",
    }
)
