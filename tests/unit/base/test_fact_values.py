"""What may be recorded as a fact of a span, and what comes back."""

import pytest

from sternpost.base.fact_values import FACT_PREFIX, FactValue, fact_attributes, read_facts
from sternpost.contracts.span_facts import SpanFact

FACTS = {
    one.name: one
    for one in [
        SpanFact("release", "text", "The release that answered."),
        SpanFact("risk", "number", "How risky a guard found the call."),
        SpanFact("is_held", "flag", "Whether a guard held the call."),
    ]
}


@pytest.mark.parametrize(
    "values",
    [
        {"release": "r1", "risk": 3, "is_held": True},
        {"risk": 0.25, "is_held": False},
        {"release": "true", "risk": -1.5e-9},
    ],
)
def test_facts_come_back_as_they_were_recorded(values: dict[str, FactValue]) -> None:
    back = read_facts(FACTS, {"other": "1", **fact_attributes(FACTS, values)})
    assert back == values
    assert [type(back[name]) for name in values] == [type(value) for value in values.values()]


@pytest.mark.parametrize(
    "values",
    [
        {"unknown": "x"},
        {"release": 3},
        {"risk": "high"},
        {"risk": float("nan")},
        {"risk": True},
        {"is_held": 1},
    ],
)
def test_what_is_not_declared_so_is_left_out(values: dict[str, FactValue]) -> None:
    assert fact_attributes(FACTS, values) == {}


def test_equal_values_are_stored_as_equal_texts() -> None:
    assert fact_attributes(FACTS, {"risk": 3.0}) == fact_attributes(FACTS, {"risk": "3"})
    assert fact_attributes(FACTS, {"is_held": "yes"}) == fact_attributes(FACTS, {"is_held": True})
    assert fact_attributes(FACTS, {"release": "x" * 1000}) == {FACT_PREFIX + "release": "x" * 200}


def test_a_fact_that_is_no_longer_declared_is_a_text() -> None:
    assert read_facts({}, fact_attributes(FACTS, {"risk": 3})) == {"risk": "3"}
