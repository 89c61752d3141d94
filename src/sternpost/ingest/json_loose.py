"""Reads OTLP JSON that the strict reader refuses: halves of surrogate pairs, nulls, wrong types, snake case.

Each span or record is read by itself, field by field; what has the wrong type is kept as text.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import Json
from sternpost.ingest.mapping.values import as_text, is_list, is_mapping
from sternpost.ingest.records import RawEvent, RawLog, RawSpan

MOST_DEPTH: Final = 30  # of values inside values
_MOST_LEVELS: Final = 400  # of JSON that Python's reader takes; a value of OTLP has up to five per level
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_HALF = re.compile(r"[\ud800-\udfff]")
_INT64: Final = 2**63
_Thing = TypeVar("_Thing", RawSpan, RawLog)

Object = Mapping[str, Json]
_NOTHING: Final[Object] = {}


def loose_spans(body: bytes) -> list[RawSpan]:
    """Raises: BadRequest when the bytes are no JSON object."""
    return list(_things(body, ("resourceSpans", "scopeSpans", "spans"), _span))


def loose_logs(body: bytes) -> list[RawLog]:
    """Raises: BadRequest when the bytes are no JSON object."""
    return list(_things(body, ("resourceLogs", "scopeLogs", "logRecords"), _log))


def _things(
    body: bytes, path: tuple[str, str, str], read: Callable[[Object, dict[str, Json], str], _Thing]
) -> Iterator[_Thing]:
    for group in _objects(_decoded(body, path[0]), path[0]):
        resource = _attributes(_object(group, "resource"))
        for scoped in _objects(group, path[1]):
            scope = _object(scoped, "scope")
            name, version = _text(scope, "name"), _text(scope, "version")
            for item in _listed(scoped, path[2]):
                yield read(
                    item if is_mapping(item) else _NOTHING, resource, f"{name}@{version}" if version else name
                )


def _decoded(body: bytes, first: str) -> Object:
    try:
        found: Json = json.loads(body.decode("utf-8", "replace"))
    except RecursionError:
        found = _decoded_shallow(body)
    except ValueError as error:
        raise BadRequest(f"the body is not OTLP in JSON: {error}") from None
    groups = _get(found, first) if is_mapping(found) else ""
    if not is_mapping(found) or not (groups is None or is_list(groups)):
        raise BadRequest(f"the body is not OTLP in JSON: it is not an object with a list `{first}`")
    return found


def _decoded_shallow(body: bytes) -> Json:
    """Decode what is nested too deep for any reader, with null where it goes too deep."""
    kept, depth, at = bytearray(), 0, 0
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark in b"[{":
            depth += 1
            if depth == _MOST_LEVELS:
                kept += body[at : token.start()] + b"null"
        elif mark in b"]}":
            if depth == _MOST_LEVELS:
                at = token.end()
            depth -= 1
    kept += body[at:]
    try:
        return json.loads(kept.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise BadRequest("the body is nested too deeply") from None


def _span(item: Object, resource: dict[str, Json], scope: str) -> RawSpan:
    status = _get(item, "status")
    status = status if is_mapping(status) else {"code": status}
    events = [event for event in _listed(item, "events") if is_mapping(event)]
    return RawSpan(
        trace_id=hex_id(_text(item, "traceId")),
        span_id=hex_id(_text(item, "spanId")),
        parent_span_id=hex_id(_text(item, "parentSpanId")),
        name=_text(item, "name"),
        started_ns=_int(item, "startTimeUnixNano"),
        ended_ns=_int(item, "endTimeUnixNano"),
        attributes=_attributes(item),
        events=tuple(
            RawEvent(_text(event, "name"), _int(event, "timeUnixNano"), _attributes(event))
            for event in events
        ),
        is_error=is_error_code(_get(status, "code")),
        status_message=_text(status, "message"),
        dropped_attributes=max(_int(item, "droppedAttributesCount"), 0),
        resource=resource,
        scope=scope,
    )


def _log(item: Object, resource: dict[str, Json], scope: str) -> RawLog:
    body = _get(item, "body")
    return RawLog(
        trace_id=hex_id(_text(item, "traceId")),
        span_id=hex_id(_text(item, "spanId")),
        event_name=_text(item, "eventName"),
        at_ns=_int(item, "timeUnixNano") or _int(item, "observedTimeUnixNano"),
        severity=_int(item, "severityNumber"),
        severity_text=_text(item, "severityText"),
        body=_value(body, 0) if is_mapping(body) else body,
        attributes=_attributes(item),
        resource=resource,
        scope=scope,
    )


def is_error_code(code: Json) -> bool:
    return code in (2, "2", "STATUS_CODE_ERROR", "ERROR", "Error", "error")


def hex_id(text: str) -> str:
    """Return an id in lower-case hex; protobuf's own JSON form writes the bytes as base64."""
    if len(text) in (24, 12) and text.endswith("=" if len(text) == 12 else "=="):
        try:
            return base64.b64decode(text, validate=True).hex()
        except ValueError:
            return text
    return text.lower()


def whole_text(text: str) -> str:
    """Replace halves of surrogate pairs, which no UTF-8 can hold; two that match are one character."""
    if not _HALF.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _get(item: Object, name: str) -> Json:
    """Return a field by its JSON name or by that of the .proto file, which readers must accept as well."""
    found = item.get(name)
    if found is None:
        found = item.get(re.sub("[A-Z]", lambda match: "_" + match[0].lower(), name))
    return found


def _object(item: Object, name: str) -> Object:
    found = _get(item, name)
    return found if is_mapping(found) else _NOTHING


def _listed(item: Object, name: str) -> Sequence[Json]:
    found = _get(item, name)
    return found if is_list(found) else ()


def _objects(item: Object, name: str) -> Iterator[Object]:
    return (one for one in _listed(item, name) if is_mapping(one))


def _text(item: Object, name: str) -> str:
    return whole_text(as_text(_plain(_get(item, name), 0)))


def _int(item: Object, name: str) -> int:
    found = _get(item, name)
    try:
        return int(found) if isinstance(found, str | int | float) else 0
    except (ValueError, OverflowError):
        return 0


def _attributes(item: Object) -> dict[str, Json]:
    found = _get(item, "attributes")
    if is_mapping(found):  # an object instead of a list of pairs
        return {whole_text(name): _plain(value, 0) for name, value in found.items()}
    return {_text(pair, "key"): _value(_get(pair, "value"), 0) for pair in _objects(item, "attributes")}


def _value(value: Json, depth: int) -> Json:
    if not is_mapping(value):
        return _plain(value, depth)
    if depth > MOST_DEPTH:
        return whole_text(json.dumps(value, default=str))
    for kind in ("stringValue", "boolValue", "intValue", "doubleValue", "bytesValue"):
        if (found := _get(value, kind)) is not None:
            return _number(found) if kind == "intValue" else _plain(found, depth)
    array = _get(value, "arrayValue")
    if array is not None:
        items = _listed(array, "values") if is_mapping(array) else array
        return [_value(one, depth + 1) for one in items] if is_list(items) else _plain(items, depth)
    pairs = _get(value, "kvlistValue")
    if is_mapping(pairs):
        return {
            _text(pair, "key"): _value(_get(pair, "value"), depth + 1) for pair in _objects(pairs, "values")
        }
    return _plain(value, depth) if value else None


def _number(value: Json) -> Json:
    """Read a 64-bit integer; anything else is kept as it was written."""
    try:
        number = int(value) if isinstance(value, str | int) else None
    except ValueError:
        number = None
    if number is None or not -_INT64 <= number < _INT64:
        return as_text(_plain(value, 0)) if not isinstance(value, int) else str(value)
    return number


def _plain(value: Json, depth: int) -> Json:
    """Return any JSON with whole text and numbers that can be written again."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -_INT64 <= value < _INT64 else str(value)
    if depth > MOST_DEPTH:
        return whole_text(json.dumps(value, default=str))
    if is_mapping(value):
        return {whole_text(name): _plain(inner, depth + 1) for name, inner in value.items()}
    if is_list(value):
        return [_plain(inner, depth + 1) for inner in value]
    return value
