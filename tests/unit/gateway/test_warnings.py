"""What a call could not be given is named in `x-sternpost-warnings`, or refused where the route says so."""

import json

from sternpost.gateway.stages.replies import listed
from tests.unit.gateway.conftest import Gateway

ASKED = '{"model":"labant/m1","messages":[{"role":"user","content":"hi"}]}'


async def test_everything_a_caller_should_know_stands_in_one_header_and_on_the_record(
    gateway: Gateway,
) -> None:
    answer = await gateway.chat("labant/m1", seed=7, logit_bias={"1": 2})
    named = answer.headers["x-sternpost-warnings"].split(",")
    assert set(named) == {"dropped:seed", "dropped:logit_bias"}
    assert gateway.record().warnings == tuple(named)


async def test_a_stream_names_what_was_dropped_before_its_first_frame(gateway: Gateway) -> None:
    answer = await gateway.chat("labant/m1", seed=7, stream=True)
    assert answer.headers["x-sternpost-warnings"] == "dropped:seed"


async def test_a_call_that_lost_nothing_has_no_warning(gateway: Gateway) -> None:
    answer = await gateway.chat("labant/m1", temperature=0.5)
    assert "x-sternpost-warnings" not in answer.headers
    assert "x-sternpost-dropped" not in answer.headers


async def test_an_estimated_token_count_says_so(gateway: Gateway) -> None:
    body = {"model": "lab/m1", "messages": [{"role": "user", "content": "hi"}]}
    answer = await gateway.post("/v1/messages/count_tokens", body)
    assert answer.headers["x-sternpost-warnings"] == "estimated"


async def test_vectors_of_another_model_are_named_as_left_out(gateway: Gateway) -> None:
    answer = await gateway.post("/v1/embeddings", {"model": "vectors", "input": "a"})
    assert "not_comparable:lab/m2" in answer.headers["x-sternpost-warnings"].split(",")


async def test_a_strict_route_refuses_what_its_target_cannot_do_and_names_it(gateway: Gateway) -> None:
    answer = await gateway.chat("strict", seed=7, logit_bias={"1": 2})
    assert answer.status == 400
    error = answer.json["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "logit_bias")
    assert "logit_bias, seed" in error["message"]
    assert gateway.provider.count("calls") == 0
    assert gateway.record().http_status == 400


async def test_a_strict_route_goes_on_to_the_first_target_that_loses_nothing(gateway: Gateway) -> None:
    answer = await gateway.chat("strict-or-able", seed=7)
    assert answer.status == 200
    assert answer.headers["x-sternpost-target"] == "lab/m1"
    assert answer.headers["x-sternpost-warnings"] == "unsupported:labant/m1"
    first, second = gateway.record().attempts
    assert (first.provider, first.error_type, first.http_status) == ("labant", "unsupported", 0)
    assert (second.provider, second.http_status) == ("lab", 200)
    assert gateway.provider.count("calls") == 1


async def test_content_without_a_place_goes_to_a_target_that_has_one(gateway: Gateway) -> None:
    answer = await gateway.chat("one-or-many", n=2)
    assert answer.status == 200
    assert answer.headers["x-sternpost-target"] == "lab/m2"  # the second stands in for an outage only


async def test_what_no_target_can_be_told_is_refused_in_the_words_of_the_first(gateway: Gateway) -> None:
    answer = await gateway.chat("labant/m1", n=2)
    assert (answer.status, answer.json["error"]["param"]) == (400, "n")


async def test_a_strict_route_serves_what_its_target_can_do(gateway: Gateway) -> None:
    assert (await gateway.chat("strict", temperature=0.5)).status == 200


async def test_a_strict_route_lets_go_of_what_only_saves_money(gateway: Gateway) -> None:
    answer = await gateway.chat("strict", prompt_cache_key="k")
    assert answer.status == 200
    assert answer.headers["x-sternpost-warnings"] == "dropped:prompt_cache_key"


async def test_a_schema_nested_too_deeply_to_translate_is_refused(gateway: Gateway) -> None:
    schema = '{"type":"array","items":' * 600 + '{"type":"string"}' + "}" * 600
    form = '{"type":"json_schema","json_schema":{"name":"a","schema":' + schema + "}}"
    body = ASKED[:-1] + ',"response_format":' + form + "}"
    answer = await gateway.post("/v1/chat/completions", body.encode())
    assert answer.status == 400
    assert "nested too deeply" in answer.json["error"]["message"]


async def test_a_number_no_float_can_hold_is_refused_by_name(gateway: Gateway) -> None:
    body = b'{"model":"labant/m1","messages":[{"role":"user","content":"hi"}],"temperature":%s}' % (
        b"9" * 400
    )
    answer = await gateway.post("/v1/chat/completions", body)
    assert (answer.status, answer.json["error"]["param"]) == (400, "temperature")


def test_a_long_list_keeps_whole_words_and_counts_the_rest() -> None:
    words = [f"dropped:field-{number:03}" for number in range(200)]
    written = listed(words).decode()
    assert len(written) < 1600
    kept = written.split(",")
    assert kept[:-1] == words[: len(kept) - 1]
    assert kept[-1] == f"and {200 - len(kept) + 1} more"
    assert listed(["a,b\n"]) == b"a;b?"


async def test_a_limit_sent_under_another_name_is_named_and_is_no_loss(gateway: Gateway) -> None:
    answer = await gateway.chat("lab/m1", max_completion_tokens=9)
    sent = json.loads(gateway.provider.requests()[0]["body"])
    assert (sent["max_tokens"], "max_completion_tokens" in sent) == (9, False)
    assert answer.headers["x-sternpost-warnings"] == "dropped:max_completion_tokens (sent as max_tokens)"


async def test_a_schema_under_another_vendors_name_is_read_and_named(gateway: Gateway) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}
    function = {"name": "lookup", "input_schema": schema}
    answer = await gateway.chat("labant/m1", tools=[{"type": "function", "function": function}])
    assert json.loads(gateway.provider.requests()[0]["body"])["tools"][0]["input_schema"] == schema
    named = answer.headers["x-sternpost-warnings"]
    assert named == "dropped:tools.0.function.input_schema (read as parameters)"
