"""What a request says about itself beside the question: trace, session, user, tags; not who may call."""

from collections.abc import Mapping
from dataclasses import dataclass

from sternpost.base.ids import SpanId, TraceId, new_trace_id
from sternpost.contracts.span import TraceAttributes

_HEX = frozenset("0123456789abcdef")
_MAX_LENGTH = 500
_MAX_TAGS = 20
_NOTHING = TraceAttributes()
# In which clients name their session: Claude Code, Codex (older ones with an underscore), opencode.
_SESSION_HEADERS = ("x-claude-code-session-id", "session-id", "session_id", "x-session-id")


@dataclass(frozen=True, slots=True)
class TraceParent:
    """The trace a call belongs to; `span_id` None: the call begins it."""

    trace_id: TraceId
    span_id: SpanId | None


def read_trace_parent(headers: Mapping[str, str]) -> TraceParent:
    """Join the caller's trace, or begin one when `traceparent` is absent or malformed (W3C says: ignore)."""
    header = headers.get("traceparent")
    if header is not None:
        pieces = header.strip().split("-")
        if len(pieces) >= 4 and pieces[0] != "ff" and _is_id(pieces[1], 32) and _is_id(pieces[2], 16):
            return TraceParent(TraceId(pieces[1]), SpanId(pieces[2]))
    return TraceParent(new_trace_id(), None)


def read_attributes(
    headers: Mapping[str, str], metadata: Mapping[str, str], end_user: str
) -> TraceAttributes:
    """Read `x-sternpost-*` headers over the body's metadata over its end user and what agents send."""
    session = next((headers[name] for name in _SESSION_HEADERS if name in headers), "")
    if not (metadata or end_user or session or any(name.startswith("x-sternpost-") for name in headers)):
        return _NOTHING

    def read(header: str, *names: str) -> str:
        found = headers.get(header) if header else None
        found = found or next((metadata[name] for name in names if metadata.get(name)), "")
        return _as_sent(found).strip()[:_MAX_LENGTH]

    tags = read("x-sternpost-tags", "tags")
    return TraceAttributes(
        user_id=read("x-sternpost-user", "user_id") or end_user[:_MAX_LENGTH],
        session_id=read("x-sternpost-session", "session_id") or _as_sent(session).strip()[:_MAX_LENGTH],
        tags=tuple(tag for tag in (piece.strip() for piece in tags.split(",")) if tag)[:_MAX_TAGS],
        trace_name=read("", "trace_name"),
        run_id=read("x-sternpost-run", "run_id"),
        feature=read("x-sternpost-feature", "feature"),
        environment=read("x-sternpost-environment", "environment"),
        release=read("", "release"),
    )


def _as_sent(text: str) -> str:
    """Undo the server's reading of header bytes as Latin-1 where they are UTF-8, as SDKs and curl send it."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:  # Latin-1 indeed, or from the body
        return text


def _is_id(text: str, length: int) -> bool:
    return len(text) == length and _HEX.issuperset(text) and text.strip("0") != ""
