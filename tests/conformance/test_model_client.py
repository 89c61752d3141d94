"""What `contracts/model_client.py` promises, over the loopback to a real Sternpost."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sternpost.backends.model_client.loopback import LoopbackModelClient
from sternpost.backends.model_client.worker_token import TokenWriter, shared_secret
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.backends.upstream.aiohttp_client import AiohttpClient
from sternpost.base.clock import SystemClock
from sternpost.base.errors import ModelCallDelayed, ModelCallFailed, ModelCallRefused
from sternpost.base.ids import KeyId, ProjectId
from sternpost.contracts.call import Principal
from sternpost.contracts.chat import ChatRequest, TextDelta, UsageSeen
from sternpost.contracts.message import Message, TextPart
from sternpost.contracts.model_client import CallFor, ModelClient
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost


@pytest.fixture
def caller(sternpost_server: RunningSternpost) -> CallFor:
    """Work of Sternpost's own for the project of the running server."""
    project_id = ProjectId(sternpost_server.get("/api/session")["project_id"])
    principal = Principal(project_id, KeyId(""), "evaluations", source="worker")
    return CallFor(principal, "evaluator", feature="nightly", budget="run_1", facts={"batch_id": "batch_1"})


@pytest.fixture
async def models(sternpost_server: RunningSternpost) -> AsyncIterator[ModelClient]:
    clock, client = SystemClock(), AiohttpClient()
    tables = SqlTables(sqlite_url(sternpost_server.home))
    tokens = TokenWriter(lambda: shared_secret(tables, clock.now_ns()), clock)
    yield LoopbackModelClient(client, sternpost_server.base_url, tokens, clock)
    await client.close()
    tables.close()


def say(text: str, model: str = "lab/m1") -> ChatRequest:
    return ChatRequest(model, (Message("user", (TextPart(text),)),))


async def test_a_chat_is_answered_priced_and_its_span_says_who_called_and_why(
    models: ModelClient, caller: CallFor, sternpost_server: RunningSternpost
) -> None:
    answer = await models.chat(say("Say hello."), caller)
    span = sternpost_server.trace(answer.facts.trace_id)["spans"][0]

    assert isinstance(answer.reply.choices[0].parts[0], TextPart)
    assert answer.facts.cost_nanousd is not None
    assert answer.facts.cost_nanousd > 0
    assert span["facts"] == {
        "caller": "worker",
        "purpose": "evaluator",
        "budget": "run_1",
        "batch_id": "batch_1",
    }
    assert span["attributes"]["feature"] == "nightly"
    found = sternpost_server.get("/api/traces?filter=attr.purpose:evaluator%20attr.caller:worker")["items"]
    assert answer.facts.trace_id in {one["trace_id"] for one in found}


async def test_nobody_else_is_believed_about_the_purpose_of_a_call(
    sternpost_server: RunningSternpost,
) -> None:
    body = {"model": "lab/m1", "messages": [{"role": "user", "content": "hi"}]}
    said = {"x-sternpost-call-facts": "purpose=batch&batch_id=b1"}
    _, headers, _ = sternpost_server.request("POST", "/v1/chat/completions", body, said)
    span = sternpost_server.trace(headers["x-sternpost-trace-id"])["spans"][0]
    assert not {"purpose", "batch_id", "caller"} & (set(span["attributes"]) | set(span["facts"]))


async def test_a_stream_arrives_event_by_event_with_its_usage(models: ModelClient, caller: CallFor) -> None:
    events = [event async for event in models.stream(say("Say hello."), caller)]
    whole = await models.chat(say("Say hello."), caller)
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert TextPart(text) in whole.reply.choices[0].parts
    assert any(isinstance(event, UsageSeen) and event.usage.out_text for event in events)


async def test_a_stream_that_is_cut_off_says_so(models: ModelClient, caller: CallFor) -> None:
    with pytest.raises(ModelCallFailed):
        async for _ in models.stream(say("Say hello.", "lab/fault-cut"), caller):
            pass


async def test_texts_become_vectors_in_their_order(models: ModelClient, caller: CallFor) -> None:
    found = await models.embed("lab/m1", ["one", "two"], caller)
    (one,) = (await models.embed("lab/m1", ["one"], caller)).vectors
    assert len(found.vectors) == 2
    assert len(one) == len(found.vectors[1]) > 1
    assert found.vectors[0] == one
    assert found.input_tokens > 0


async def test_tokens_are_counted(models: ModelClient, caller: CallFor) -> None:
    short, long = say("hello", "labant/m1"), say("hello " * 50, "labant/m1")
    assert 0 < await models.count(short, caller) < await models.count(long, caller)


async def test_a_body_goes_out_as_it_is_and_an_error_answer_comes_back(
    models: ModelClient, caller: CallFor, provider: FakeProvider
) -> None:
    body = b'{"messages": [{"role":"user","content":"x"}],  "model":"lab/fault-503"}'
    answer = await models.raw("/v1/chat/completions", body, caller)
    assert (answer.status, answer.retry) == (503, "again")
    assert json.loads(answer.body)["error"]["message"]
    good = await models.raw("/v1/chat/completions", body.replace(b"fault-503", b"m1"), caller)
    assert (good.status, good.retry) == (200, "never")


async def test_errors_say_whether_trying_again_helps_and_when(models: ModelClient, caller: CallFor) -> None:
    with pytest.raises(ModelCallRefused) as refused:
        await models.chat(say("x", "no-such-model"), caller)
    assert (refused.value.http_status, refused.value.wire_code) == (404, "model_not_found")
    with pytest.raises(ModelCallDelayed) as delayed:
        await models.chat(say("x", "lab/fault-429?retry_after=7"), caller)
    assert 6 < delayed.value.retry_after_s <= 7
    with pytest.raises(ModelCallFailed):
        await models.chat(say("x", "lab/fault-500"), caller)


async def test_the_models_of_the_submitter_hold(models: ModelClient, caller: CallFor) -> None:
    bound = replace(caller, principal=replace(caller.principal, models=("labant/*",)))
    with pytest.raises(ModelCallRefused) as refused:
        await models.chat(say("x"), bound)
    assert refused.value.http_status == 403


async def test_a_gateway_that_is_away_delays_every_call_and_is_asked_whether_it_is_back(
    models: ModelClient, caller: CallFor, sternpost_server: RunningSternpost
) -> None:
    assert isinstance(models, LoopbackModelClient)
    there, models.gateway_url = models.gateway_url, "http://127.0.0.1:9"
    for _ in range(2):
        with pytest.raises(ModelCallDelayed) as delayed:
            await models.chat(say("x"), caller)
        assert delayed.value.is_gateway_away
    models.gateway_url = there
    assert (await models.chat(say("x"), caller)).reply.choices
