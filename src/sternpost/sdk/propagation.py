"""Headers that join a gateway call to the trace around it."""

from sternpost.sdk import client
from sternpost.sdk.span import current_span


def headers() -> dict[str, str]:
    """Return the headers of a call to the gateway: the trace, session, user and tags of the open span.

    `client.chat.completions.create(..., extra_headers=sternpost.headers())`; empty outside of a trace.
    A session or user that is not printable ASCII is left out: HTTP can't carry it. It is on the span.
    """
    span = current_span()
    if span is None:
        return {}
    found: dict[str, str] = {}
    if client.is_exporting():  # else the parent that it names would never arrive
        found["traceparent"] = f"00-{span.trace_id}-{span.span_id}-01"
    if _is_printable_ascii(span.owner.session_id):
        found["x-sternpost-session"] = span.owner.session_id
    if _is_printable_ascii(span.owner.user_id):
        found["x-sternpost-user"] = span.owner.user_id
    tags = [tag for tag in span.owner.tags if _is_printable_ascii(tag) and "," not in tag]
    if tags:
        found["x-sternpost-tags"] = ",".join(tags)
    return found


def _is_printable_ascii(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()
