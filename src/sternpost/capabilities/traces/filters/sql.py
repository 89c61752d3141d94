"""Turns a filter tree into a HAVING condition over the spans of a trace; every value becomes a parameter."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.capabilities.traces.filters.attributes import (
    NAMED,
    NAMED_LISTS,
    attribute_equals,
    attribute_number,
)
from sternpost.capabilities.traces.filters.bounds_sql import LASTED_NS
from sternpost.capabilities.traces.filters.grammar import (
    AMOUNT_FIELDS,
    ATTRIBUTE_PREFIX,
    SCORE_PREFIX,
    Both,
    Either,
    Filter,
    Not,
    Term,
    Words,
)
from sternpost.capabilities.traces.filters.span_sql import (
    INPUT_TOKENS,
    IS_CALL,
    OUTPUT_TOKENS,
    PROJECT_AND_TIME,
    TRACE_STATUS,
    counted,
)
from sternpost.contracts.span import SpanStatus, SpanType

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "model": ("request_model", "response_model"),
    "provider": ("provider",),
    "user": ("user_id",),
    "session": ("session_id",),
    "route": ("route",),
    "key": ("key_id",),
    **NAMED,
}
# Fields that one column answers, as it is.
NAMED_COLUMNS: Mapping[str, str] = {
    name: columns[0] for name, columns in _COLUMNS.items() if len(columns) == 1 and columns[0].isidentifier()
}
_SUMMED = frozenset({"cost", "tokens", "cached", "saved"})
_SECONDS: Mapping[str, float] = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "": 1}
_COUNTS: Mapping[str, float] = {"": 1, "k": 1e3, "m": 1e6}
_AMOUNT = re.compile(r"\$?([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([a-z]*)")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_TRUTHS: Mapping[str, float] = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
# Words that every message holds as JSON; they count only where someone wrote them.
_STRUCTURE = frozenset(
    {"role", "parts", "type", "text", "content", "user", "assistant", "system", "tool", "name", "id"}
    | {"call", "response", "document", "score", "title", "uri", "reasoning", "other", "payload", "tools"}
)
_TEXTS = (
    "arrayStringConcat(arrayMap(part -> JSONExtractString(part, 'content'), "
    "JSONExtractArrayRaw(body, 'parts')), ' ')"
)


# The content of a day is all that its spans refer to, so other days need not be looked at.
_CONTENT_OF_DAYS = (
    "project_id = {project:String} AND first_seen_ns >= {first_day:Int64} "
    "AND first_seen_ns < {behind_day:Int64}"
)


@dataclass(frozen=True, slots=True)
class FilterSql:
    """A condition on groups of spans by `trace_id`; needs the parameters of PROJECT_AND_TIME too."""

    having: str
    parameters: Mapping[str, object]


@dataclass(slots=True)
class Parameters:
    """Values that a query names. prefix: distinguishes those of two parts of one query."""

    prefix: str = "f"
    where: str = PROJECT_AND_TIME
    is_dependent: bool = True
    values: dict[str, object] = field(default_factory=dict[str, object])

    def counted(self) -> str:
        return counted(self.where) if self.is_dependent else IS_CALL

    def add(self, value: object, kind: str) -> str:
        name = f"{self.prefix}{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


def compile_filter(tree: Filter, where: str = PROJECT_AND_TIME, *, is_dependent: bool = True) -> FilterSql:
    """Compile for the groups of spans of `where`. Raises: BadRequest for a value its field can't have.

    is_dependent: whether some of these spans count only where others don't; a caller who knows better saves
    the search for those.
    """
    parameters = Parameters(where=where, is_dependent=is_dependent)
    return FilterSql(_condition(tree, parameters), parameters.values)


def _condition(tree: Filter, parameters: Parameters) -> str:
    match tree:
        case Both(parts):
            return "(" + " AND ".join(_condition(part, parameters) for part in parts) + ")"
        case Either(parts):
            return "(" + " OR ".join(_condition(part, parameters) for part in parts) + ")"
        case Not(part):
            return f"NOT ({_condition(part, parameters)})"
        case Words():
            return _text_condition(tree.text, parameters)
        case Term():
            return _term_condition(tree, parameters)


def _term_condition(term: Term, parameters: Parameters) -> str:
    if term.field in AMOUNT_FIELDS:
        return _amount_condition(term, parameters)
    if term.field.startswith(SCORE_PREFIX):
        return _score_condition(term, parameters)
    if term.field.startswith(ATTRIBUTE_PREFIX):
        return _attribute_condition(term, parameters)
    if term.operator != ":":
        raise _refusal(term, f"{term.field!r} is a text; write {term.field}:value")
    match term.field:
        case "status":
            _check_word(term, [status.value for status in SpanStatus])
            return f"{TRACE_STATUS} = {parameters.add(term.value, 'String')}"
        case "type":
            _check_word(term, [kind.value for kind in SpanType])
            return f"countIf(type = {parameters.add(term.value, 'String')}) > 0"
        case "trace":
            return f"trace_id = {parameters.add(term.value, 'String')}"
        case "error":
            return _error_condition(term.value, parameters)
        case "tag":
            matches = _equals("one_tag", term.value, parameters)
            return f"countIf(arrayExists(one_tag -> {matches}, tags)) > 0"
        case "name":
            text = parameters.add(term.value, "String")
            found = f"positionCaseInsensitiveUTF8(name, {text}) > 0"
            return f"countIf({found} OR positionCaseInsensitiveUTF8(trace_name, {text}) > 0) > 0"
        case field_name if field_name in NAMED_LISTS:
            matches = _equals("one", term.value, parameters)
            return f"countIf(arrayExists(one -> {matches}, {NAMED_LISTS[field_name]})) > 0"
        case _:
            columns = _COLUMNS[term.field]
            matches = " OR ".join(_equals(column, term.value, parameters) for column in columns)
            return f"countIf({matches}) > 0"


def _equals(expression: str, value: str, parameters: Parameters) -> str:
    """Compare as a whole; a `*` matches any characters."""
    if "*" not in value:
        return f"{expression} = {parameters.add(value, 'String')}"
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{expression} LIKE {parameters.add(escaped.replace('*', '%'), 'String')}"


def _error_condition(value: str, parameters: Parameters) -> str:
    if value in ("*", "true"):
        return "countIf(error != '' OR error_type != '') > 0"
    text = parameters.add(value, "String")
    found = " OR ".join(f"positionCaseInsensitiveUTF8({c}, {text}) > 0" for c in ("error", "error_type"))
    return f"countIf({found}) > 0"


def _amount_condition(term: Term, parameters: Parameters) -> str:
    if term.operator == ":":
        raise _refusal(term, f"write {term.field}:>{term.value} or {term.field}:<{term.value}")
    match term.field:
        case "duration":
            bound = parameters.add(duration_ns(term), "Int64")
            return f"{LASTED_NS} {term.operator} {bound}"
        case "ttft":
            bound = parameters.add(round(_amount(term, _SECONDS) * 1e9), "Int64")
            return f"countIf(time_to_first_token_ns {term.operator} {bound}) > 0"
        case "cached":
            bound = parameters.add(amount_bound(term), "Int64")
            return f"sumIf(in_cache_read, {parameters.counted()}) {term.operator} {bound}"
        case "saved":
            bound = parameters.add(amount_bound(term), "Int64")
            return f"sumIf(cache_saved_nanousd, {parameters.counted()}) {term.operator} {bound}"
        case "cost":
            bound = parameters.add(amount_bound(term), "Int64")
            return f"sumIf(cost_nanousd, {parameters.counted()}) {term.operator} {bound}"
        case _:
            bound = parameters.add(amount_bound(term), "Int64")
            return f"sumIf({INPUT_TOKENS} + {OUTPUT_TOKENS}, {parameters.counted()}) {term.operator} {bound}"


def sums_calls(tree: Filter) -> bool:
    """Say whether a filter adds up what calls used."""
    match tree:
        case Both(parts) | Either(parts):
            return any(sums_calls(part) for part in parts)
        case Not(part):
            return sums_calls(part)
        case _:
            return isinstance(tree, Term) and tree.field in _SUMMED


def duration_ns(term: Term) -> int:
    return round(_amount(term, _SECONDS) * 1e9)


def amount_bound(term: Term) -> int:
    """Return the amount of money in nano-USD, or the number of tokens."""
    if term.field in ("cost", "saved"):
        return round(_amount(term, {"": 1, "usd": 1}) * 1e9)
    return round(_amount(term, _COUNTS))


def _amount(term: Term, units: Mapping[str, float]) -> float:
    found = _AMOUNT.fullmatch(term.value.strip().lower())
    if found is None or found[2] not in units:
        allowed = ", ".join(unit for unit in units if unit)
        raise _refusal(
            term, f"{term.value!r} is not a number" + (f" with a unit of {allowed}" if allowed else "")
        )
    amount = float(found[1]) * units[found[2]]
    if amount > 9e9:
        raise _refusal(term, f"{term.value!r} is too large")
    return amount


def _score_condition(term: Term, parameters: Parameters) -> str:
    name = parameters.add(term.field.removeprefix(SCORE_PREFIX), "String")
    number = _TRUTHS.get(term.value.lower(), _float(term.value))
    if term.operator != ":":
        if number is None:
            raise _refusal(term, f"{term.value!r} is not a number")
        matches = f"value {term.operator} {parameters.add(number, 'Float64')}"
    else:
        matches = _equals("label", term.value, parameters)
        if number is not None:
            matches = f"({matches} OR value = {parameters.add(number, 'Float64')})"
    current = (
        "SELECT trace_id, value, label FROM scores WHERE project_id = {project:String} "
        f"AND name = {name} ORDER BY created_ns DESC, score_id DESC "
        "LIMIT 1 BY trace_id, span_id, source, author"
    )
    return f"trace_id IN (SELECT trace_id FROM ({current}) WHERE {matches})"


def _attribute_condition(term: Term, parameters: Parameters) -> str:
    """Compare what a span says under a name; as text, or as a number where the operator asks for one."""
    name = term.field.removeprefix(ATTRIBUTE_PREFIX)
    if term.operator == ":":
        found = attribute_equals(
            name, term.value, parameters, lambda one, value: _equals(one, value, parameters)
        )
        return f"countIf({found}) > 0"
    number = _float(term.value)
    if number is None:
        raise _refusal(term, f"{term.value!r} is not a number")
    bound = parameters.add(number, "Float64")
    return f"countIf({attribute_number(name, parameters)} {term.operator} {bound}) > 0"


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e300 else None


def _text_condition(text: str, parameters: Parameters) -> str:
    """Find all traces with a message that holds the words; only their own messages are read."""
    if not text.strip():
        return "1"
    theirs = f"SELECT arrayJoin(arrayConcat(input_hashes, output_hashes)) FROM spans WHERE {parameters.where}"
    hits = (
        f"SELECT hash FROM content WHERE {_CONTENT_OF_DAYS} AND hash IN ({theirs}) "
        f"AND {content_condition(text, parameters)}"
    )
    return (
        "trace_id IN (SELECT trace_id FROM spans "
        "ARRAY JOIN arrayConcat(input_hashes, output_hashes) AS one_hash "
        f"WHERE {parameters.where} AND one_hash IN ({hits}))"
    )


def content_condition(text: str, parameters: Parameters) -> str:
    """Return the condition on messages that hold the words; the index answers for whole ASCII words."""
    # The index keeps letters outside ASCII inside a word, so it can't answer for a part of one.
    tokens = _ASCII_WORD.findall(text.lower()) if text.isascii() else []
    checks: list[str] = []
    if tokens:
        checks.append(f"hasAllTokens(body, {parameters.add(' '.join(tokens), 'String')})")
    if not tokens or tokens != [text.lower()]:
        # Bodies are JSON, so the text is looked for as JSON writes it.
        literal = msgspec.json.encode(text).decode("utf-8", "replace")[1:-1]
        checks.append(f"positionCaseInsensitiveUTF8(body, {parameters.add(literal, 'String')}) > 0")
    if any(token in _STRUCTURE for token in tokens):
        checks.append(f"positionCaseInsensitiveUTF8({_TEXTS}, {parameters.add(text, 'String')}) > 0")
    return " AND ".join(checks)


def _check_word(term: Term, allowed: list[str]) -> None:
    if term.value not in allowed:
        raise _refusal(term, f"{term.field} is one of {', '.join(allowed)}, not {term.value!r}")


def _refusal(term: Term, sentence: str) -> BadRequest:
    return BadRequest(f"filter, character {term.position + 1}: {sentence}", param="filter")
