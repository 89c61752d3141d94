"""Reads the filter text of the traces list into a tree; what the tree means in SQL belongs to `sql`.

expression = conjunction {"OR" conjunction}
conjunction = negation {["AND"] negation}
negation = ("NOT" | "-") negation | "(" expression ")" | term
term = field (":" | ">" | "<" | ">=" | "<=") value | word | "quoted words"
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from sternpost.base.errors import BadRequest
from sternpost.base.fact_values import FACT_PREFIX, fact_text
from sternpost.contracts.span_facts import Facts, SpanFact

Operator: TypeAlias = Literal[":", ">", "<", ">=", "<="]

TEXT_FIELDS = frozenset(
    {"model", "provider", "user", "session", "tag", "name", "route", "key", "error", "trace"}
    | {"environment", "release", "service", "operation", "feature", "run", "target", "scope", "span"}
    | {"response_id", "error_type", "level", "status_message", "tool", "http_status", "finish_reason"}
)
WORD_FIELDS = frozenset({"status", "type"})
AMOUNT_FIELDS = frozenset({"duration", "ttft", "cost", "tokens", "cached", "saved"})
SCORE_PREFIX = "score."
ATTRIBUTE_PREFIX = "attr."
_PREFIXES = (SCORE_PREFIX, ATTRIBUTE_PREFIX)  # behind them stands a name of the user's own
_FIELDS = sorted(TEXT_FIELDS | WORD_FIELDS | AMOUNT_FIELDS)
_NO_FACTS: Facts = {}
_MAX_LENGTH = 2000
_MAX_DEPTH = 30
_MAX_TERMS = 50

_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=[^\s)-]))
    |(?P<field>[A-Za-z_][\w.\-]*?)\s*(?P<operator>:(?:>=|<=|>|<)?|>=|<=|>|<)\s*
        (?:"(?P<quoted_value>(?:[^"\\]|\\.)*)"|(?P<value>[^\s()"]+))
    |"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[^\s()"]+))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison of one field."""

    field: str
    operator: Operator
    value: str
    position: int


@dataclass(frozen=True, slots=True)
class Words:
    """Text looked for in the messages; a quoted text stays together."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Filter"


Filter: TypeAlias = "Term | Words | Both | Either | Not"
_Token: TypeAlias = re.Match[str]


def parse_filter(text: str, facts: Facts = _NO_FACTS) -> "Filter | None":
    """Read a filter; None for an empty one. facts: fields beside those of every span.

    Raises: BadRequest with the position of the fault, and the nearest field for an unknown one.
    """
    if len(text) > _MAX_LENGTH:
        raise BadRequest(f"the filter is longer than {_MAX_LENGTH} characters", param="filter")
    tokens = _tokens(text)
    if not tokens:
        return None
    reader = _Reader(tokens, len(text), facts)
    tree = reader.expression(0)
    if (rest := reader.peek()) is not None:
        raise _fault("this parenthesis has no opening one", rest.start(rest.lastgroup or 0))
    return tree


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    end = len(text.rstrip())
    at = 0
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _fault("a quotation mark is not closed", at)
        tokens.append(match)
        at = match.end()
    if len(tokens) > 4 * _MAX_TERMS:
        raise BadRequest("the filter has too many terms; split it", param="filter")
    return tokens


class _Reader:
    """Recursive descent over the tokens; depth and number of terms are bounded."""

    def __init__(self, tokens: list[_Token], end: int, facts: Facts) -> None:
        self._tokens = tokens
        self._next = 0
        self._end = end
        self._facts = facts

    def peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def expression(self, depth: int) -> Filter:
        parts = [self._conjunction(depth)]
        while self._take_word("OR"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _conjunction(self, depth: int) -> Filter:
        parts = [self._negation(depth)]
        while (token := self.peek()) is not None and not token["close"] and token["word"] != "OR":
            self._take_word("AND")
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _negation(self, depth: int) -> Filter:
        token = self.peek()
        if token is None:
            raise _fault("a term is missing here", self._end)
        if depth > _MAX_DEPTH:
            raise _fault("the filter is nested too deeply", token.start())
        self._next += 1
        if token["minus"] or token["word"] == "NOT":
            return Not(self._negation(depth + 1))
        if token["open"]:
            return self._group(token, depth)
        if token["close"] or token["word"] in ("OR", "AND"):
            raise _fault("a term is missing before this", token.end() - len(token["word"] or ")"))
        return _term(token, self._facts)

    def _group(self, token: _Token, depth: int) -> Filter:
        inner = self.expression(depth + 1)
        closing = self.peek()
        if closing is None or not closing["close"]:
            raise _fault("this parenthesis is not closed", token.start("open"))
        self._next += 1
        return inner

    def _take_word(self, word: str) -> bool:
        token = self.peek()
        if token is None or token["word"] != word:
            return False
        self._next += 1
        return True


def _term(token: _Token, facts: Facts) -> Filter:
    name = token["field"]
    if name is None:
        quoted = token["quoted"]
        group = "word" if quoted is None else "quoted"
        return Words(_unescape(token[group]), token.start(group))
    position = token.start("field")
    field = name if name.startswith(_PREFIXES) else name.lower()
    value = token["value"] if token["quoted_value"] is None else _unescape(token["quoted_value"])
    operator = token["operator"].removeprefix(":") or ":"
    term = Term(field, _operator(operator), value, position)
    fact = facts.get(field.removeprefix(ATTRIBUTE_PREFIX))
    if fact is not None and field not in WORD_FIELDS | AMOUNT_FIELDS:
        return _fact_term(fact, term)
    _check_field(field, position, facts)
    return term


def _fact_term(fact: SpanFact, term: Term) -> Filter:
    """Look at the fact's attribute; also at what senders say under a name that both have."""
    value, is_attribute = term.value, term.field.startswith(ATTRIBUTE_PREFIX)
    if term.operator != ":" and fact.kind != "number" and not is_attribute:
        raise _fault(f"{fact.name!r} is a {fact.kind}; write {fact.name}:value", term.position)
    if not is_attribute and "*" not in value and fact.kind != "text":
        canonical = fact_text(fact, value)
        if canonical is None:
            kinds = "a number" if fact.kind == "number" else "true or false"
            raise _fault(f"{value!r} is not {kinds}, which {fact.name!r} is", term.position)
        value = canonical
    found = Term(ATTRIBUTE_PREFIX + FACT_PREFIX + fact.name, term.operator, value, term.position)
    is_shared = is_attribute or (term.field in TEXT_FIELDS and term.operator == ":")
    return Either((term, found)) if is_shared else found


def _operator(text: str) -> Operator:
    match text:
        case ">" | "<" | ">=" | "<=":
            return text
        case _:
            return ":"


def _check_field(field: str, position: int, facts: Facts) -> None:
    if field in _FIELDS or (field.startswith(_PREFIXES) and field not in _PREFIXES):
        return
    near = get_close_matches(field, [*_FIELDS, *facts, *_PREFIXES], n=1, cutoff=0.5)
    all_fields = f"; fields are {', '.join(sorted({*_FIELDS, *facts}))}, score.<name> and attr.<name>"
    hint = f"; did you mean {near[0]!r}?" if near else all_fields
    raise _fault(f"there is no field {field!r}{hint}", position)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _fault(sentence: str, position: int) -> BadRequest:
    return BadRequest(f"filter, character {position + 1}: {sentence}", param="filter")
