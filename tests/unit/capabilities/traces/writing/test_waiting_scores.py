"""Evaluations that name only the id of a reply become scores of its span, whichever comes first."""

import pytest

from sternpost.base.ids import ScoreId, TraceId, new_id
from sternpost.capabilities.traces.writing.waiting_scores import settle_scores
from sternpost.contracts.score import Score
from sternpost.contracts.span import ModelUse, Span, SpanBundle, SpanType
from tests.unit.capabilities.traces.calls import call
from tests.unit.capabilities.traces.test_traces_api import Api, api, journal, span

__all__ = ["api", "journal"]  # fixtures


def waiting(api: Api, reply: str, **changes: object) -> Score:
    fields: dict[str, object] = {
        "project_id": api.project,
        "score_id": ScoreId(new_id("score")),
        "trace_id": TraceId(""),
        "span_id": None,
        "name": "faithful",
        "kind": "numeric",
        "source": "api",
        "created_ns": api.clock.now_ns(),
        "value": 0.5,
        "response_id": reply,
    }
    return Score(**{**fields, **changes})  # type: ignore[arg-type]


def answered(api: Api, reply: str, **changes: object) -> Span:
    return span(api.project, type=SpanType.LLM, model=ModelUse(response_id=reply), **changes)


@pytest.mark.parametrize("is_span_first", [True, False])
async def test_score_finds_its_span_whichever_comes_first(api: Api, is_span_first: bool) -> None:
    seen, score = answered(api, "resp_1"), waiting(api, "resp_1")
    batches = [SpanBundle((seen,)), SpanBundle(scores=(score,))]
    for batch in batches if is_span_first else reversed(batches):
        api.write(batch)
        settle_scores(api.store)
    settle_scores(api.store)  # again, as after a crash
    detail = await api.get(f"/api/traces/{seen.trace_id}")
    assert [(one["span_id"], one["name"], one["value"]) for one in detail["scores"]] == [
        (seen.span_id, "faithful", 0.5)
    ]
    assert await api.ids(filter="score.faithful:>0.4") == [seen.trace_id]


async def test_settled_score_is_not_looked_up_again(api: Api) -> None:
    api.write(SpanBundle((answered(api, "resp_2"),), scores=(waiting(api, "resp_2"),)))
    assert settle_scores(api.store) == 1
    assert settle_scores(api.store) == 0


async def test_score_of_a_call_seen_twice_stands_at_the_gateways_span(api: Api) -> None:
    record = call(api.project)
    api.write(record)
    (reply,) = {one["attributes"].get("response_id") for one in await _spans(api, record.trace_id)} - {None}
    api.write(SpanBundle((answered(api, str(reply), trace_id=record.trace_id),)))
    api.write(SpanBundle(scores=(waiting(api, str(reply)),)))
    settle_scores(api.store)
    detail = await api.get(f"/api/traces/{record.trace_id}")
    assert [one["span_id"] for one in detail["scores"]] == [record.span_id]


async def test_replies_of_other_projects_are_not_taken(api: Api) -> None:
    other = answered(api, "resp_3")
    api.write(SpanBundle((other,)))
    api.write(SpanBundle(scores=(waiting(api, "resp_3", project_id=f"{api.project}x"),)))
    assert settle_scores(api.store) == 0


async def _spans(api: Api, trace_id: str) -> list[dict]:
    return (await api.get(f"/api/traces/{trace_id}"))["spans"]
