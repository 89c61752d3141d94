import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.errors import BadRequest, StoreError
from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.filters.finding import TraceFinder, Window
from sternpost.capabilities.traces.filters.grammar import Both, Either, Not, Term, Words, parse_filter
from sternpost.capabilities.traces.filters.sql import compile_filter
from sternpost.capabilities.traces.records import PagePosition, TimeRange
from sternpost.contracts.trace_store import TraceStore


def test_terms_side_by_side_all_have_to_hold() -> None:
    tree = parse_filter('status:error "not found" cost>=0.01')
    assert tree == Both(
        (Term("status", ":", "error", 0), Words("not found", 14), Term("cost", ">=", "0.01", 25))
    )


def test_or_binds_weaker_and_parentheses_group() -> None:
    tree = parse_filter("a (b OR c) OR -d")
    a, b, c, d = Words("a", 0), Words("b", 3), Words("c", 8), Words("d", 15)
    assert tree == Either((Both((a, Either((b, c)))), Not(d)))


def test_comparison_may_follow_a_colon() -> None:
    assert parse_filter("duration:>2s") == parse_filter("duration>2s")


@pytest.mark.parametrize("text", ["", "   "])
def test_empty_filter_is_none(text: str) -> None:
    assert parse_filter(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("statu:error", "character 1: there is no field 'statu'; did you mean 'status'?"),
        ("attr.:x", "character 1: there is no field 'attr.'"),
        ("ok modle:x", "character 4: there is no field 'modle'; did you mean 'model'?"),
        ("a OR", "character 5: a term is missing here"),
        ("(a", "character 1: this parenthesis is not closed"),
        ("a )", "character 3: this parenthesis has no opening"),
        ('say "x', "character 4: a quotation mark is not closed"),
        ("OR a", "character 1: a term is missing before"),
        ("(" * 40 + "a", "nested too deeply"),
    ],
)
def test_fault_is_named_with_its_position(text: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_filter(text)
    assert says in caught.value.message
    assert caught.value.param == "filter"


@pytest.mark.parametrize(
    "text",
    [
        "status:fine",
        "type:thing",
        "cost>much",
        "duration:2s",
        "model>3",
        "duration>2parsec",
        "score.x>a",
        "attr.x>a",
    ],
)
def test_value_that_a_field_cannot_have_is_refused(text: str) -> None:
    tree = parse_filter(text)
    assert tree is not None
    with pytest.raises(BadRequest):
        compile_filter(tree)


FIELDS = st.sampled_from(
    ["model", "user", "tag", "name", "error", "session", "score.helpful", "trace", "key", "attr.a-b.c"]
)
VALUES = st.text(st.sampled_from(string.printable + "{}'`\\;é日"), min_size=1, max_size=12)


@given(FIELDS, VALUES)
def test_no_value_reaches_the_sql_text(field: str, value: str) -> None:
    marked = f"zq{value}zq"
    quoted = marked.replace("\\", "\\\\").replace('"', '\\"')
    tree = parse_filter(f'{field}:"{quoted}" OR "{quoted}"')
    assert tree is not None
    compiled = compile_filter(tree)
    assert marked not in compiled.having
    assert "zq" not in compiled.having


QUOTED = VALUES.map(lambda value: '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"')
ATOMS = st.one_of(
    QUOTED,
    st.builds("{}:{}".format, FIELDS, QUOTED),
    st.sampled_from(
        [
            "status:ok",
            "type:tool",
            "cost>0.1",
            "tokens<=5k",
            "duration>1ms",
            "ttft<3s",
            "score.a>1",
            "attr.a<=1",
        ]
    ),
)
FILTERS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} OR {})".format, inner, inner), st.builds("-({} {})".format, inner, inner)
    ),
    max_leaves=4,
)


@given(FILTERS)
def test_engine_accepts_every_filter_that_parses(store: TraceStore, text: str) -> None:
    tree = parse_filter(text)
    assert tree is not None
    finder = TraceFinder(store, ProjectId("prj_none"))
    try:
        found = finder.traces_in(Window(0, 10, 1), PagePosition(10, ""), tree, 10)
        judged = finder.matching(tree, {"a" * 32: TimeRange(0, 10)})
    except StoreError as error:
        pytest.fail(f"{text!r}: {error.message}")
    assert (found, judged) == ([], set())
