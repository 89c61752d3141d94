"""Embeddings and token counts through the gateway, over real HTTP."""

import json

from sternpost.contracts.call import LimitEntry
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import CostStatus
from tests.unit.gateway.conftest import Gateway, GatewayMaker

EMBEDDINGS, COUNT = "/v1/embeddings", "/v1/messages/count_tokens"
ASK = [{"role": "user", "content": "What is a forklift?"}]


async def test_the_provider_gets_the_callers_bytes_but_for_the_model(gateway: Gateway) -> None:
    sent = b'{"input": [[1,  2],[3]], "dimensions":4,"model": "lab/m1" ,"odd": 1.50e1,'
    sent += b'"encoding_format":"base64"}'
    answer = await gateway.post(EMBEDDINGS, sent)

    seen = gateway.provider.requests()[0]
    assert answer.status == 200
    assert seen["path"] == "/v1/embeddings"
    assert seen["body"] == sent.decode().replace('"lab/m1"', '"m1"')
    assert seen["headers"]["authorization"] == "Bearer lab-key"
    assert isinstance(answer.json["data"][1]["embedding"], str)


async def test_a_record_counts_the_vectors_and_keeps_none(gateway: Gateway) -> None:
    answer = await gateway.post(EMBEDDINGS, {"model": "lab/m1", "input": ["a", "b", "c"], "dimensions": 5})
    record = gateway.record()

    assert (record.operation, record.status) == ("embeddings", SpanStatus.OK)
    assert record.attributes["vector_count"] == "3"
    assert record.attributes["gen_ai.embeddings.dimension.count"] == "5"
    assert record.reply_body == b""
    assert record.usage is not None
    assert record.usage.in_fresh == answer.json["usage"]["prompt_tokens"]
    assert record.cost is not None
    assert record.cost.nanousd == record.usage.in_fresh * 1000  # 1 USD per million: conftest
    assert answer.headers["x-sternpost-cost-usd"]


async def test_another_host_of_the_same_model_may_stand_in_and_another_model_never(gateway: Gateway) -> None:
    good = await gateway.post(EMBEDDINGS, {"model": "vectors", "input": "a"})
    bad = await gateway.post(EMBEDDINGS, {"model": "other-vectors", "input": "a"})
    records = gateway.records()

    assert (good.status, good.headers["x-sternpost-target"]) == (200, "lab/m1")
    assert bad.status == 502
    assert [one["model"] for one in gateway.provider.requests()] == ["m1"]
    assert records[0].warnings == ("not_comparable:lab/m2",)
    assert records[1].warnings == ("not_comparable:lab/m2", "not_comparable:labant/m1")


async def test_a_passing_fault_is_tried_again_and_an_answer_without_vectors_is_none(gateway: Gateway) -> None:
    again = await gateway.post(EMBEDDINGS, {"model": "lab/fault-503?times=1&id=e1", "input": "a"})
    empty = await gateway.post(EMBEDDINGS, {"model": "lab/fault-empty", "input": "a"})

    assert (again.status, again.headers["x-sternpost-attempts"]) == (200, "2")
    assert (empty.status, empty.json["error"]["code"]) == (502, "unreadable_answer")


async def test_more_texts_than_openai_takes_are_several_requests_and_tokens_are_one(gateway: Gateway) -> None:
    texts = [f"{number}" for number in range(2050)]
    answer = await gateway.post(EMBEDDINGS, {"model": "lab/m1", "input": texts, "dimensions": 1})
    sizes = sorted(len(json.loads(one["body"])["input"]) for one in gateway.provider.requests())
    alone = await gateway.post(EMBEDDINGS, {"model": "lab/m1", "input": list(range(3000))})

    assert (answer.status, sizes) == (200, [2, 2048])
    assert [item["index"] for item in answer.json["data"]] == list(range(2050))
    last = await gateway.post(EMBEDDINGS, {"model": "lab/m1", "input": "2049", "dimensions": 1})
    assert answer.json["data"][2049]["embedding"] == last.json["data"][0]["embedding"]
    assert (alone.status, len(alone.json["data"])) == (200, 1)


async def test_refusals_are_in_openais_shape(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(LimitEntry("key", requests_per_minute=3))
    cases = [
        ({"model": "lab/m1"}, 400, "bad_request"),
        ({"model": "lab/m1", "input": None}, 400, "bad_request"),
        ({"input": "x"}, 400, "bad_request"),
        ({"model": "labant/m1", "input": "x"}, 400, "bad_request"),
        ({"model": "unset/m1", "input": "x"}, 424, "provider_not_configured"),
        ({"model": "lab/fault-400", "input": "x"}, 400, None),
        ({"model": "lab/m1", "input": "x"}, 200, None),
        ({"model": "lab/m1", "input": "x"}, 200, None),
        ({"model": "lab/m1", "input": "x"}, 429, "rate_limit_exceeded"),
    ]
    for body, status, code in cases:
        answer = await gateway.post(EMBEDDINGS, body)
        assert answer.status == status, body
        assert status == 200 or answer.json["error"]["code"] == code, body
    assert len(gateway.records()) == len(cases)


async def test_a_dry_run_names_the_targets_and_calls_nobody(gateway: Gateway) -> None:
    answer = await gateway.post(EMBEDDINGS, {"model": "lab/m1", "input": "x"}, **{"x-sternpost-dry-run": "1"})
    assert [one["model"] for one in answer.json["targets"]] == ["lab/m1"]
    assert gateway.provider.requests() == []


async def test_anthropic_counts_for_itself(gateway: Gateway) -> None:
    answer = await gateway.post(COUNT, {"model": "labant/m1", "messages": ASK, "odd": 1}, anthropic_beta="b1")
    seen, record = gateway.provider.requests()[0], gateway.record()

    assert seen["path"] == "/v1/messages/count_tokens"
    assert json.loads(seen["body"]) == {"model": "m1", "messages": ASK, "odd": 1}
    assert (seen["headers"]["x-api-key"], seen["headers"]["anthropic-beta"]) == ("lab-key", "b1")
    assert "x-sternpost-estimated" not in answer.headers
    assert answer.json["input_tokens"] > 1
    assert record.operation == "count_tokens"
    assert record.cost is not None
    assert (record.cost.status, record.cost.nanousd, record.usage) == (CostStatus.FREE, 0, None)


async def test_for_others_tokens_are_estimated_and_said_to_be(gateway: Gateway) -> None:
    tool = {"name": "look_up", "description": "Look up a word.", "input_schema": {"type": "object"}}
    short = await gateway.post(COUNT, {"model": "lab/m1", "messages": ASK})
    longer = await gateway.post(
        COUNT, {"model": "lab/m1", "messages": ASK, "system": "Be brief.", "tools": [tool]}
    )
    much = await gateway.post(
        COUNT, {"model": "lab/m1", "messages": [{"role": "user", "content": "word " * 50_000}]}
    )

    assert short.headers["x-sternpost-estimated"] == "1"
    assert 5 <= short.json["input_tokens"] <= 15
    assert longer.json["input_tokens"] > short.json["input_tokens"] + 10
    assert 40_000 <= much.json["input_tokens"] <= 60_000
    assert gateway.provider.requests() == []
    assert gateway.records()[0].attempts == ()


async def test_refusals_of_a_count_are_in_anthropics_shape(gateway: Gateway) -> None:
    for body, status in (
        ({"model": "labant/m1"}, 400),
        ({"model": "labant/fault-429?retry_after=30", "messages": ASK}, 429),
        ({"model": "nobody/m1", "messages": ASK}, 404),
        ({"model": "lab/m1", "messages": [{"role": "user", "content": 7}]}, 400),
    ):
        answer = await gateway.post(COUNT, body)
        assert (answer.status, answer.json["type"]) == (status, "error"), answer.body


async def test_no_secret_of_the_caller_reaches_the_provider(gateway: Gateway) -> None:
    secrets = {
        "x-api-key": "sp-one",
        "cookie": "session=secret",
        "openai-organization": "secret-org",
        "x-custom-token": "secret-token",
        "x-goog-api-key": "secret-key",
    }
    await gateway.post(EMBEDDINGS, {"model": "lab/m1", "input": "a"}, **secrets)
    await gateway.post(COUNT, {"model": "labant/m1", "messages": ASK}, **secrets)

    for seen in gateway.provider.requests():
        assert "secret" not in str(seen["headers"])
        assert "sp-one" not in str(seen["headers"])
