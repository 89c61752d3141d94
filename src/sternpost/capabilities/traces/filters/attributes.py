"""Which SQL answers `attr.<name>` and the fields named after a column; not how a filter is put together."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from sternpost.capabilities.traces.content import CONTENT_REFERENCE
from sternpost.capabilities.traces.filters.span_sql import ENVIRONMENT

# What the page shows as an attribute though a column of its own holds it, as text.
_TEXTS: Final = (
    *("operation", "response_id", "parameters", "service_tier", "usage_source", "price_version", "key_id"),
    *("target", "fallback_from", "user_id", "session_id", "trace_name", "run_id", "feature"),
    *("release", "service", "scope", "error", "error_type", "provider", "route", "request_model"),
    *("response_model", "span_id", "parent_span_id", "cost_status", "cost_reason"),
)
SHOWN: Final[Mapping[str, str]] = {
    **{name: name for name in _TEXTS},
    "environment": ENVIRONMENT,
    "attempt_number": "toString(attempt_number)",
    "http_status": "toString(http_status)",
    "mapping_version": "toString(mapping_version)",
    "overhead_ms": "toString(round(overhead_ns / 1e6, 3))",
    "usage_is_mismatch": "if(usage_is_mismatch, 'true', 'false')",
    "is_rollup": "if(is_rollup, 'true', 'false')",
}
LISTS: Final[Mapping[str, str]] = {"tags": "tags", "finish_reasons": "finish_reasons"}
SHORT_CHARACTERS: Final = 1000  # a longer value may be kept as content: its row holds a hash
# Fields beside `attr.`: what they are called in a filter, and where they are kept.
NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "environment": (ENVIRONMENT,),
    "release": ("release",),
    "service": ("service",),
    "operation": ("operation",),
    "feature": ("feature",),
    "run": ("run_id",),
    "target": ("target",),
    "scope": ("scope",),
    "span": ("span_id",),
    "response_id": ("response_id",),
    "error_type": ("error_type", "attributes['error_type']"),
    "level": ("attributes['level']",),
    "status_message": ("error", "attributes['status_message']"),
    "tool": ("if(type = 'tool', name, '')", "attributes['gen_ai.tool.name']", "attributes['tool.name']"),
    "http_status": ("toString(http_status)",),
}
NAMED_LISTS: Final[Mapping[str, str]] = {"finish_reason": "finish_reasons"}


class AddsParameters(Protocol):
    where: str  # the spans that are judged

    def add(self, value: object, kind: str) -> str: ...


Equals = Callable[[str, str], str]  # an expression and a value as a condition


def attribute_equals(name: str, value: str, parameters: AddsParameters, equals: Equals) -> str:
    """Return the condition on spans that show this value under this name, long ones too."""
    if name in LISTS:
        return f"arrayExists(one -> {equals('one', value)}, {LISTS[name]})"
    key = parameters.add(name, "String")
    text = f"attributes[{key}]"
    # Some senders write texts as JSON, in quotation marks that nobody asks for.
    is_long = _is_long(text, value, parameters.where, equals)
    kept = f"({equals(text, value)} OR {equals(text, _quoted(value))} OR {is_long})"
    found = f"(mapContains(attributes, {key}) AND {kept})"
    return f"({found} OR {equals(SHOWN[name], value)})" if name in SHOWN else found


def attribute_number(name: str, parameters: AddsParameters) -> str:
    """Return the expression for the number that a span shows under this name; null where it is not one."""
    key = parameters.add(name, "String")
    own = f"toFloat64OrNull(attributes[{key}])"
    return f"coalesce({own}, toFloat64OrNull(toString({SHOWN[name]})))" if name in SHOWN else own


def _quoted(value: str) -> str:
    return f'"{value}"'


def _is_long(text: str, value: str, where: str, equals: Equals) -> str:
    """Compare a value above 1 KB, which is kept as content; the row holds its hash."""
    hash_ = f"substring({text}, {len(CONTENT_REFERENCE) + 1})"
    is_long = f"startsWith({text}, '{CONTENT_REFERENCE}')"
    theirs = f"SELECT {hash_} FROM spans WHERE {where} AND {is_long}"
    body = "if(startsWith(body, '\"'), JSONExtractString(body), body)"
    matching = (
        "SELECT hash FROM content WHERE project_id = {project:String} "
        f"AND hash IN ({theirs}) AND {equals(body, value)}"
    )
    return f"({is_long} AND {hash_} IN ({matching}))"
