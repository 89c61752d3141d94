"""Facts that capabilities declare are fields of the filter, and are shown with their types."""

import pytest

from sternpost.base.errors import BadRequest
from sternpost.base.fact_values import FactValue, fact_attributes
from sternpost.capabilities.traces.filters.grammar import parse_filter
from sternpost.contracts.span import SpanBundle, TraceAttributes
from tests.unit.capabilities.traces.test_traces_api import FACTS, Api, api, journal, span

__all__ = ["api", "journal"]  # fixtures


def recorded(**values: FactValue) -> dict[str, str]:
    return fact_attributes(FACTS, values)


async def test_a_span_shows_its_facts_apart_from_its_attributes(api: Api) -> None:
    seen = span(api.project, attributes={**recorded(variant="b", risk=7, is_held=True), "plan": "pro"})
    api.write(SpanBundle((seen,)))
    shown = (await api.get(f"/api/traces/{seen.trace_id}"))["spans"][0]
    assert shown["facts"] == {"variant": "b", "risk": 7, "is_held": True}
    assert shown["attributes"]["plan"] == "pro"
    assert not [name for name in shown["attributes"] if "variant" in name]


@pytest.mark.parametrize(
    "words",
    [
        "variant:b", "variant:b*", "attr.variant:b", "risk:7.0", "risk:>6.5", "risk:<=7", "attr.risk:>6",
        "is_held:true", "is_held:yes", "risk:*", "release:r1", "variant:b OR variant:c", "-variant:a",
    ],
)  # fmt: skip
async def test_a_fact_is_a_field_of_the_filter(api: Api, words: str) -> None:
    seen = span(api.project, attributes=recorded(variant="b", risk=7, is_held=True, release="r1"))
    other = span(api.project, attributes=recorded(variant="a"))
    api.write(SpanBundle((seen, other)))
    assert await api.ids(filter=words) == [seen.trace_id]
    assert await api.ids(filter=f"trace:{seen.trace_id} {words}") == [seen.trace_id]


async def test_an_attribute_of_the_same_name_is_no_fact(api: Api) -> None:
    sent = span(api.project, attributes={"variant": "b"}, trace=TraceAttributes(release="r1"))
    api.write(SpanBundle((sent,)))
    assert await api.ids(filter="variant:b") == []
    assert await api.ids(filter="attr.variant:b") == [sent.trace_id]
    assert await api.ids(filter="release:r1") == [sent.trace_id]  # a field that senders fill, too


async def test_the_facts_that_spans_may_have_are_listed(api: Api) -> None:
    listed = await api.get("/api/traces/facts")
    assert [one["name"] for one in listed] == sorted(FACTS)  # type: ignore[index]
    assert listed[2] == {  # type: ignore[index]
        "name": "risk",
        "kind": "number",
        "description": "How risky a guard found the call.",
    }


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("risk:high", "character 1: 'high' is not a number"),
        ("is_held:maybe", "'maybe' is not true or false"),
        ("variant:>b", "write variant:value"),
        ("varaint:b", "did you mean 'variant'"),
    ],
)
def test_what_a_fact_can_not_be_is_refused(words: str, fault: str) -> None:
    with pytest.raises(BadRequest, match=fault):
        parse_filter(words, FACTS)
