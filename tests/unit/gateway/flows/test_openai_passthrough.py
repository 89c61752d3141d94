"""OpenAI's other paths at `/v1/...`: the model in the body, JSON or form, says who is asked."""

import hashlib
import json
from typing import Any

import aiohttp
import pytest

from sternpost.base.errors import BadRequest
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.contracts.call import LimitEntry, Route, Target
from sternpost.contracts.usage import CostStatus
from sternpost.gateway.stages.model_in_body import read_named
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.unit.gateway.conftest import ASK, Gateway, GatewayMaker

FORM = "multipart/form-data; boundary=cut"


def form(*parts: tuple[str, bytes], boundary: str = "cut") -> bytes:
    marks = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (boundary.encode(), name.encode(), value)
        for name, value in parts
    )
    return marks + b"--" + boundary.encode() + b"--\r\n"


async def test_the_provider_gets_the_callers_bytes_with_its_own_name_of_the_model(gateway: Gateway) -> None:
    sent = b'{ "prompt": "A  cat", "model": "lab/m1", "n": 1.0, "odd": {"b": 1, "a": 2} }'
    answer = await gateway.post(
        "/v1/images/generations", sent, content_type="application/json", openai_organization="org-1"
    )
    seen, record = gateway.provider.requests()[0], gateway.record()

    assert answer.status == 200
    assert seen["path"] == "/v1/images/generations"
    assert seen["body"] == sent.decode().replace("lab/m1", "m1")
    assert seen["headers"]["authorization"] == "Bearer lab-key"
    assert "openai-organization" not in seen["headers"]
    assert (record.operation, record.provider, record.request_model) == ("pass_through", "lab", "lab/m1")
    assert record.attributes["url.path"] == "/v1/images/generations"
    assert record.request_body == b""


async def test_a_form_keeps_its_files(gateway: Gateway) -> None:
    sound = bytes(range(256)) * 500 + b"--cu\r\n--\r\n"
    data = aiohttp.FormData()
    data.add_field("file", sound, filename="a.wav", content_type="audio/wav")
    data.add_field("model", "lab/m1")
    data.add_field("language", "de")
    async with gateway.session.post(f"{gateway.url}/v1/audio/transcriptions", data=data) as reply:
        echo = await reply.json()
    raw, kind = form(("file", sound), ("model", b"lab/m1")), {"content_type": FORM}
    again = await gateway.post("/v1/audio/transcriptions", raw, **kind)
    expected = form(("file", sound), ("model", b"m1"))

    assert (reply.status, echo["path"]) == (200, "/v1/audio/transcriptions")
    assert again.json["sha256"] == hashlib.sha256(expected).hexdigest()
    assert gateway.records()[0].target_model == "m1"


async def test_a_route_falls_back_and_a_refusal_is_tried_again(gateway: Gateway) -> None:
    body = {"model": "steady", "prompt": "A cat"}
    answer = await gateway.post("/v1/images/generations", body)
    record = gateway.record()
    again = await gateway.post("/v1/images/generations", {**body, "model": "lab/fault-503?times=1&id=by"})
    refused = await gateway.post("/v1/images/generations", {**body, "model": "lab/fault-policy"})

    assert answer.status == 200
    assert (answer.headers["x-sternpost-target"], answer.headers["x-sternpost-attempts"]) == ("lab/m1", "2")
    assert [one.provider for one in record.attempts] == ["dead", "lab"]
    assert (again.status, again.headers["x-sternpost-attempts"]) == (200, "2")
    assert (refused.status, refused.json["error"]["code"]) == (400, "content_filter")


async def test_limits_and_allow_lists_of_a_model_hold(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(LimitEntry("model", "lab/m1", requests_per_minute=1))
    body = {"model": "lab/m1", "input": "x"}
    narrow = {"authorization": "Bearer sp-narrow"}
    assert (await gateway.post("/v1/moderations", body, **narrow)).status == 200
    assert (await gateway.post("/v1/moderations", {**body, "model": "lab/m2"}, **narrow)).status == 403
    for path in ("/v1/moderations", "/v1/chat/completions", "/v1/messages", "/v1/responses"):
        twice = {"model": "lab/m1", "Model": "m2", "max_tokens": 9, "messages": ASK, "input": "x"}
        assert (await gateway.post(path, twice, **narrow)).status == 400
    assert (await gateway.post("/v1/moderations", body)).status == 429


@pytest.mark.parametrize("path", ["images/generations", "chat/completions"])
async def test_an_error_that_quotes_a_secret_comes_without_it(
    start_gateway: GatewayMaker, provider: Any, path: str
) -> None:
    token = "fake provider was asked"  # of which the provider's error makes a quotation
    setting = ProviderSetting("p", "openai_chat", f"{provider.url}/v1", "k", headers={"x-team-token": token})
    traffic = traffic_of(configure([setting], {}), [])
    gateway = await start_gateway(traffic=lambda: traffic)
    answer = await gateway.post(f"/v1/{path}", {"model": "p/fault-400", "messages": ASK})
    assert answer.json["error"]["message"] == f"The {'*' * len(token)} to fail: 400."


async def test_the_record_of_a_refused_call_names_its_model(gateway: Gateway) -> None:
    await gateway.post("/v1/moderations", {"model": "lab/m9"}, authorization="Bearer sp-narrow")
    assert gateway.record().request_model == "lab/m9"


async def test_a_compaction_goes_where_it_can_and_is_priced(
    start_gateway: GatewayMaker, provider: Any
) -> None:
    settings = [
        ProviderSetting("chat", "openai_chat", f"{provider.url}/v1", "k"),
        ProviderSetting("both", "openai_chat", f"{provider.url}/v1", "k", also_speaks=("openai_responses",)),
    ]
    routes = [Route("any", (Target("chat", "m1"), Target("both", "m1")))]
    traffic = traffic_of(configure(settings, {}), routes)
    gateway = await start_gateway(traffic=lambda: traffic)
    answer = await gateway.post("/v1/responses/compact", {"model": "any", "input": "hi"})
    record = gateway.record()
    refused = await gateway.post("/v1/responses/compact", {"model": "chat/m1", "input": "hi"})

    assert answer.json["object"] == "response.compaction"
    assert (record.provider, record.request_model) == ("both", "any")
    assert record.usage is not None
    assert (record.usage.in_fresh, record.usage.out_text) == (900, 100)
    assert record.cost is not None
    assert record.cost.status is CostStatus.UNKNOWN  # m1 has no price there
    assert (refused.status, refused.json["error"]["param"]) == (400, "model")


async def test_the_time_an_sdk_waits_for_an_answer_ends_no_stream_that_flows(gateway: Gateway) -> None:
    body = {"model": "lab/fault-slow?seconds=0.15&chunks=6", "stream": True, "prompt": "A cat"}
    flowing = await gateway.post("/v1/completions", body, x_stainless_timeout="0.5")
    silent = await gateway.post(
        "/v1/completions", {**body, "model": "lab/fault-slow-status?seconds=5"}, x_stainless_timeout="0.5"
    )
    assert flowing.body.endswith(b"data: [DONE]\n\n")
    assert (silent.status, silent.json["error"]["code"]) == (504, "upstream_timeout")


async def test_what_is_asked_wrongly_is_said(gateway: Gateway) -> None:
    for path, body, kind, status, says in (
        ("images/generations", b'{"prompt": "A cat"}', "application/json", 400, "model"),
        ("images/generations", b'{"model": "lab/m1"', "application/json", 400, "JSON"),
        ("images/generations", b'{"model": "labant/m1"}', "application/json", 400, "/v1/providers/labant/"),
        ("images/generations", b'{"model": "nobody/m1"}', "application/json", 404, "nobody/m1"),
        ("images/generations", b'{"model": "lab/fault-401"}', "application/json", 502, "refused the key"),
        ("audio/transcriptions", form(("file", b"x")), FORM, 400, "model"),
        ("audio/transcriptions", form(("model", b"")), FORM, 400, "model"),
        ("audio/transcriptions", form(("model", b"lab/m1"))[:60], FORM, 400, "does not end"),
        ("audio/transcriptions", form(("model", b"lab/m1")), "multipart/form-data", 400, "no boundary"),
    ):
        answer = await gateway.post(f"/v1/{path}", body, content_type=kind)
        assert (answer.status, says in answer.json["error"]["message"]) == (status, True), answer.body
    for path in ("images/generations", "responses/compact", "responses/input_tokens"):
        wrong = await gateway.get(f"/v1/{path}")
        assert (wrong.status, wrong.headers.get("allow")) == (405, "POST"), path


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition: form-data; name="model"',
        b"content-type: text/plain\r\ncontent-disposition: form-data; name=model",
        b'Content-Disposition: form-data; name="model"; x=y\r\nContent-Type: text/plain',
    ],
)
def test_the_model_is_found_however_a_form_is_written(head: bytes) -> None:
    other = b'Content-Disposition: form-data; name="x"; filename="model"\r\n\r\nname="model"\r\n\r\nno\r\n'
    body = b"preamble\r\n--a b\r\n" + other + b"--a b\r\n" + head + b"\r\n\r\nlab/m1\r\n--a b--\r\n"
    named = read_named(body, 'multipart/form-data; charset=utf-8; boundary="a b"')
    assert named.model == "lab/m1"
    assert named.renamed("m") == body.replace(b"lab/m1", b"m")


def test_a_form_that_never_ends_is_read_in_one_pass() -> None:
    with pytest.raises(BadRequest):
        read_named(b"--cut\r\n" * 300_000, FORM)


def test_json_keeps_its_other_bytes() -> None:
    body = b'{"a" : 1e2,\n "model":"lab/x", "b":[ ]}'
    assert read_named(body, "application/json").renamed("x") == body.replace(b"lab/x", b"x")
    assert json.loads(read_named(body, "").renamed("y"))["model"] == "y"


CHOICE = {
    "name": "category",
    "type": "choice",
    "instructions": "Which desk?",
    "choices": [{"value": "billing"}],
}


@pytest.mark.parametrize(
    ("asked", "state", "question", "answered"),
    [
        ({"input": "I was charged twice.", "questions": [CHOICE]}, "I was charged twice.",
         'category (choice): Which desk? {"choices":[{"value":"billing"}]}',
         "category: choice billing (billing 0.9, sales 0.1)"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "Twice."}]}],
          "questions": [CHOICE]}, "Twice.",
         'category (choice): Which desk? {"choices":[{"value":"billing"}]}',
         "category: choice billing (billing 0.9, sales 0.1)"),
        ({"state": {"days": 9}, "questions": {"refund": {"type": "noul", "instructions": "Pay back?"}}},
         '{"days":9}', "refund (noul): Pay back?", "refund: noul 0.86"),
    ],
)  # fmt: skip
async def test_decisions_go_by_their_model_and_can_be_read_in_the_trace(
    gateway: Gateway, asked: dict[str, Any], state: str, question: str, answered: str
) -> None:
    answer = await gateway.post("/v1/decisions", {"model": "lab/m1", **asked})
    seen, record = gateway.provider.requests()[0], gateway.record()
    batch = spans_of_call(record, 0)
    texts = [json.loads(content.body)["parts"][0]["content"] for content in batch.contents]

    assert (answer.status, seen["path"]) == (200, "/v1/decisions")
    assert json.loads(seen["body"]) == {"model": "m1", **asked}
    assert record.usage is not None
    assert (record.usage.in_fresh, record.usage.out_text) == (40, 0)
    assert record.cost is not None
    assert record.cost.nanousd == 40_000  # 40 tokens at a dollar a million
    assert texts == [state, question, answered]
    assert batch.spans[0].preview_output == answered


async def test_decisions_fall_back_as_a_chat_does(gateway: Gateway) -> None:
    answer = await gateway.post("/v1/decisions", {"model": "steady", "input": "x", "questions": [CHOICE]})
    assert (answer.status, answer.headers["x-sternpost-target"]) == (200, "lab/m1")
