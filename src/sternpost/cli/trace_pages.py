"""Reads a trace with all of its spans, page by page; printing it is `trace`'s."""

from typing import Any, cast

from sternpost.cli.client import ApiClient


def read_trace(client: ApiClient, trace_id: str, *, has_all: bool) -> dict[str, Any]:
    """Return a trace as the API tells it; with `has_all` the spans of every page."""
    detail = cast("dict[str, Any]", client.get(f"/api/traces/{trace_id}"))
    while has_all and detail["spans_cursor"]:
        query = {"spans_cursor": detail["spans_cursor"]}
        page = cast("dict[str, Any]", client.get(f"/api/traces/{trace_id}", query))
        detail["spans"] += page["spans"]
        detail["spans_cursor"] = page["spans_cursor"]
        detail["trace"]["truncated_spans"] = max(page["trace"]["span_count"] - len(detail["spans"]), 0)
    return detail
