"""Whatever a span shows as an attribute can be asked for in a filter."""

import pytest

from sternpost.base.errors import BadRequest
from sternpost.capabilities.traces.content import json_content
from sternpost.capabilities.traces.filters.grammar import parse_filter
from sternpost.contracts.span import ModelUse, SpanBundle, SpanType, TraceAttributes
from tests.unit.capabilities.traces.calls import call
from tests.unit.capabilities.traces.test_traces_api import Api, api, journal, span

__all__ = ["api", "journal"]  # fixtures


async def test_every_shown_attribute_is_found_by_its_value(api: Api) -> None:
    seen = span(
        api.project, type=SpanType.LLM, scope="case", operation="chat",
        model=ModelUse(response_id="r1", finish_reasons=("length",), parameters='{"n":1}'),
        trace=TraceAttributes(
            user_id="u", session_id="s", tags=("t",), trace_name="n", run_id="run1", feature="f",
            environment="prod", release="v7", service="shop",
        ),
        attributes={"plan": '"pro"', "level": "WARNING"},
    )  # fmt: skip
    record = call(api.project)
    api.write(SpanBundle((seen, span(api.project))), record)
    for trace_id, span_number in ((seen.trace_id, 0), (record.trace_id, 0)):
        shown = (await api.get(f"/api/traces/{trace_id}"))["spans"][span_number]["attributes"]
        texts = {name: value for name, value in shown.items() if isinstance(value, str | int | bool)}
        assert len(texts) > 5
        for name, value in texts.items():
            words = (
                str(value).lower() if isinstance(value, bool) else str(value).strip('"').replace('"', '\\"')
            )
            assert trace_id in await api.ids(filter=f'attr.{name}:"{words}"'), name


@pytest.mark.parametrize(
    "words",
    [
        "environment:prod", "release:v7", "service:sh*", "operation:chat", "run:run1", "scope:case",
        "level:WARNING", "response_id:r1", "finish_reason:length", "tool:look_up", "attr.note:*END",
        "attr.plan:pro", "attr.tags:t",
    ],
)  # fmt: skip
async def test_named_fields_find_their_span(api: Api, words: str) -> None:
    long = json_content(api.project, "y" * 2000 + " END")
    seen = span(
        api.project, scope="case", operation="chat", type=SpanType.TOOL, name="look_up",
        model=ModelUse(response_id="r1", finish_reasons=("length",)),
        trace=TraceAttributes(tags=("t",), run_id="run1", environment="prod", release="v7", service="shop"),
        attributes={"plan": '"pro"', "level": "WARNING", "note": f"sternpost:content:{long.hash}"},
    )  # fmt: skip
    api.write(SpanBundle((seen, span(api.project)), (long,)))
    assert await api.ids(filter=words) == [seen.trace_id]
    assert await api.ids(filter=f"trace:{seen.trace_id} {words}") == [seen.trace_id]


def test_unknown_field_names_the_nearest() -> None:
    with pytest.raises(BadRequest, match="did you mean 'environment'"):
        parse_filter("enviroment:prod")
