"""Finds the traces that can match a filter, by what the store has an index for; `sql` judges them."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sternpost.capabilities.traces.filters.attributes import LISTS, SHORT_CHARACTERS, SHOWN
from sternpost.capabilities.traces.filters.grammar import (
    ATTRIBUTE_PREFIX,
    Both,
    Either,
    Filter,
    Not,
    Term,
    Words,
)
from sternpost.capabilities.traces.filters.span_sql import PROJECT_AND_TIME
from sternpost.capabilities.traces.filters.sql import (
    NAMED_COLUMNS,
    Parameters,
    amount_bound,
    content_condition,
    duration_ns,
)

_ID_COLUMNS: Mapping[str, str] = {"user": "user_id", "session": "session_id"}
_SUM_COLUMNS: Mapping[str, str] = {
    "cost": "cost_nanousd",
    "tokens": "tokens",
    "cached": "cache_read",
    "saved": "saved_nanousd",
}
_OVER = (">", ">=")
# So many messages may hold the words for their spans to be looked up by the index; more is no rare word.
MOST_MESSAGES = 2000


@dataclass(frozen=True, slots=True)
class Candidates:
    """Where traces that can match are: `sql` selects (trace_id, at_ns), with PROJECT_AND_TIME's parameters.

    words: set where the messages have to be counted first, as the index serves only a few of them.
    """

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    words: str = ""
    is_costly: bool = False  # reads a little of every trace or span of the time
    is_exact: bool = False  # what it finds matches; nothing is left to judge


def candidates_of(tree: Filter) -> Candidates | None:
    """Choose what is most selective of what must hold; None where no index helps."""
    by_id = _ids(tree, parameters := Parameters("i"))
    if by_id:
        return Candidates(" UNION ALL ".join(by_id), parameters.values)
    must_hold = tree.parts if isinstance(tree, Both) else (tree,)
    texts = [part for part in must_hold if isinstance(part, Words) and part.text.strip()]
    if texts:
        longest = max(texts, key=lambda words: len(words.text))
        return _by_words(longest.text, is_exact=isinstance(tree, Words))
    terms = [part for part in must_hold if isinstance(part, Term)]
    for part in must_hold:
        parameters = Parameters("v")
        if found := _by_values(part, parameters):
            return Candidates(" UNION ALL ".join(found), parameters.values, is_costly=True)
    for term in terms:
        if term.operator in _OVER and term.field in _SUM_COLUMNS:
            return _by_sum(term)
        if term.operator in _OVER and term.field == "duration":
            return _by_duration(term)
    return None


def _by_values(tree: Filter, parameters: Parameters) -> list[str]:
    """Return one search per value that may match; empty where a trace may match without any."""
    match tree:
        case Either(parts):
            each = [_by_values(part, parameters) for part in parts]
            return [one for found in each for one in found] if all(each) else []
        case Term(_, ":", _):
            return _by_value(tree, parameters)
        case _:
            return []


def _by_value(term: Term, parameters: Parameters) -> list[str]:
    """Look for spans with a value in a column, or among their attributes; empty where no index knows it."""
    name = term.field.removeprefix(ATTRIBUTE_PREFIX)
    is_attribute = term.field != name
    if not term.value or "*" in term.value or len(term.value) >= SHORT_CHARACTERS:
        return []
    value = parameters.add(term.value, "String")
    column = (SHOWN if is_attribute else NAMED_COLUMNS).get(name)
    checks = [f"{column} = {value}"] if column else []
    if is_attribute and name not in LISTS:
        quoted = parameters.add(f'"{term.value}"', "String")
        checks.append(f"hasAny(mapValues(attributes), [{value}, {quoted}])")
    # Each in a search of its own: of two conditions joined by OR, the engine uses no index.
    return [
        f"SELECT trace_id, started_ns AS at_ns FROM spans WHERE {PROJECT_AND_TIME} AND {check}"
        for check in checks
    ]


def _ids(tree: Filter, parameters: Parameters) -> list[str]:
    """Return one search per id that may match; empty where a trace may match without any."""
    match tree:
        case Both(parts):
            each = [found for part in parts if (found := _ids(part, parameters))]
            return each[0] if each else []
        case Either(parts):
            each = [_ids(part, parameters) for part in parts]
            return [one for found in each for one in found] if all(each) else []
        case Term("trace", ":", value):
            place = parameters.add(value, "String")
            return [
                "SELECT trace_id, first_started_ns AS at_ns FROM trace_times "
                f"WHERE project_id = {{project:String}} AND trace_id = {place}"
            ]
        case Term(name, ":", value) if name in _ID_COLUMNS and "*" not in value and value:
            place = parameters.add(value, "String")
            return [
                f"SELECT trace_id, started_ns AS at_ns FROM spans WHERE {PROJECT_AND_TIME} "
                f"AND {_ID_COLUMNS[name]} = {place}"
            ]
        case _:
            return []


def _by_words(text: str, *, is_exact: bool) -> Candidates:
    parameters = Parameters("w")
    hits = (
        "SELECT hash FROM content WHERE project_id = {project:String} "
        "AND first_seen_ns >= {first_day:Int64} AND first_seen_ns < {behind_day:Int64} "
        f"AND {content_condition(text, parameters)}"
    )
    # A scalar, so that the index on hashes knows them; a subquery in IN is not asked of it.
    found = f"(SELECT groupUniqArray({MOST_MESSAGES})(hash) FROM ({hits} LIMIT {MOST_MESSAGES}))"
    sql = (
        f"SELECT trace_id, started_ns AS at_ns FROM spans WHERE {PROJECT_AND_TIME} "
        f"AND hasAny(arrayConcat(input_hashes, output_hashes), {found})"
    )
    words = f"SELECT count() FROM ({hits} LIMIT {MOST_MESSAGES + 1})"
    return Candidates(sql, parameters.values, words, is_exact=is_exact)


def _by_sum(term: Term) -> Candidates:
    parameters = Parameters("s")
    bound = parameters.add(amount_bound(term), "Int64")
    column = _SUM_COLUMNS[term.field]
    times = (
        "project_id = {project:String} AND first_started_ns >= {low:Int64} "
        "AND first_started_ns < {high:Int64}"
    )
    keys = (
        f"SELECT trace_key FROM trace_sums WHERE {times} GROUP BY trace_key "
        f"HAVING sum({column}) {term.operator} {bound} LIMIT 100000"
    )
    sql = (
        f"SELECT trace_id, first_started_ns AS at_ns FROM trace_sums WHERE {times} AND trace_key IN ({keys})"
    )
    return Candidates(sql, parameters.values, is_costly=True)


def _by_duration(term: Term) -> Candidates:
    """Traces whose first and last span lie so far apart; with wrong clocks left out it may be less."""
    parameters = Parameters("s")
    bound = parameters.add(duration_ns(term), "Int64")
    key = "cityHash64(trace_id)"  # quick to group by
    days = "project_id = {project:String} AND day >= toYYYYMMDD(fromUnixTimestamp64Nano({low:Int64}, 'UTC'))"
    keys = (
        f"SELECT {key} AS trace_key FROM trace_times WHERE {days} GROUP BY trace_key "
        f"HAVING max(last_ended_ns) - min(first_started_ns) {term.operator} {bound} LIMIT 100000"
    )
    sql = (
        f"SELECT trace_id, first_started_ns AS at_ns FROM trace_times WHERE {days} "
        f"AND first_started_ns >= {{low:Int64}} AND first_started_ns < {{high:Int64}} AND {key} IN ({keys})"
    )
    return Candidates(sql, parameters.values, is_costly=True)


def has_words(tree: Filter) -> bool:
    match tree:
        case Both(parts) | Either(parts):
            return any(has_words(part) for part in parts)
        case Not(part):
            return has_words(part)
        case _:
            return isinstance(tree, Words)


def batches(found: Sequence[tuple[str, int]], first: int) -> list[Sequence[tuple[str, int]]]:
    """Cut what is to be judged into batches that grow, as the first ones mostly suffice."""
    cut: list[Sequence[tuple[str, int]]] = []
    at, size = 0, first
    while at < len(found):
        cut.append(found[at : at + size])
        at, size = at + size, min(size * 2, 400)
    return cut
