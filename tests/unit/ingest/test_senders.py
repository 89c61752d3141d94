"""Who sends spans: what they may send, and what nobody but the gateway may say."""

import json
from dataclasses import replace

import pytest

from sternpost.base.ids import KeyId
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.message import Json
from tests.unit.ingest.support import NOON, OWNER, Desk

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SCORE = {
    "name": "gen_ai.evaluation.result",
    "timeUnixNano": str(NOON),
    "attributes": [
        {"key": "gen_ai.evaluation.name", "value": {"stringValue": "helpful"}},
        {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": 1}},
    ],
}


def request(
    name: str = "step", scope: str = "app", events: list[Json] | None = None, **attributes: str
) -> bytes:
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": name,
        "startTimeUnixNano": str(NOON),
        "endTimeUnixNano": str(NOON + 1),
        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()],
        "events": events or [],
    }
    return json.dumps(
        {"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": [span]}]}]}
    ).encode()


FEEDBACK = request("gen_ai.evaluation.result", events=[SCORE], **{"sternpost.target.trace_id": TRACE})


@pytest.fixture
def desk(tmp_path) -> Desk:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


async def test_a_span_is_of_the_key_that_sent_it(desk: Desk) -> None:
    await desk.send(request(**{"sternpost.key_id": "key_other"}))
    (span,) = desk.written()[0].spans
    assert (span.written_by, span.gateway) == (OWNER.key_id, None)
    assert span.attributes["otlp.sternpost.key_id"] == "key_other"


async def test_what_only_the_gateway_says_is_not_taken_from_others(desk: Desk) -> None:
    names = ("provider_usage", "warnings", "dialect_in", "sternpost.unparsed", "sternpost.cost_usd")
    names += ("sternpost.fact.batch_id", "sternpost.fact.undeclared")
    await desk.send(request(scope="sternpost.gateway", **dict.fromkeys(names, "x"), mine="y"))
    (span,) = desk.written()[0].spans
    assert span.scope == "otlp.sternpost.gateway"
    assert span.attributes == {"mine": "y", **{f"otlp.{name}": "x" for name in names}}


@pytest.mark.parametrize(
    ("scopes", "spans", "scores", "rejected", "warned"),
    [
        ({KeyScope.TRACES_WRITE, KeyScope.SCORES_WRITE}, 1, 2, 0, 0),
        ({KeyScope.TRACES_WRITE}, 1, 0, 1, 2),
        ({KeyScope.SCORES_WRITE}, 0, 1, 1, 1),
    ],
)
async def test_a_key_sends_what_it_has_scopes_for(
    desk: Desk, scopes: set[KeyScope], spans: int, scores: int, rejected: int, warned: int
) -> None:
    sender = replace(OWNER, scopes=frozenset(scopes))
    replies = [await desk.send(body, principal=sender) for body in (request(events=[SCORE]), FEEDBACK)]
    batches = desk.written()
    assert sum(len(batch.spans) for batch in batches) == spans
    assert sum(len(batch.scores) for batch in batches) == scores
    partial = [json.loads(reply.body).get("partialSuccess", {}) for reply in replies]
    assert sum(int(one.get("rejectedSpans", 0)) for one in partial) == rejected
    told = [one["errorMessage"] for one in partial if one]
    assert len(told) == warned
    assert all("lacks the scope" in words for words in told)


async def test_no_key_replaces_the_score_of_another(desk: Desk) -> None:
    for sender in (OWNER, OWNER, replace(OWNER, key_id=KeyId("key_2"))):
        await desk.send(FEEDBACK, principal=sender)
    ids = [batch.scores[0].score_id for batch in desk.written()]
    assert ids[0] == ids[1] != ids[2]
