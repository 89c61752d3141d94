"""What is kept at a provider stays with that provider and with the project that made it."""

import json
from typing import Any

import pytest

from sternpost.base.errors import StoreUnavailable
from sternpost.base.ids import KeyId, ProjectId
from sternpost.contracts.call import Route, Target
from sternpost.gateway.state.origins import Origin, ReplyOrigins
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_responses import SEALED_ELSEWHERE
from tests.unit.gateway.conftest import Gateway, GatewayMaker


async def _gateway(start_gateway: GatewayMaker, url: str) -> Gateway:
    settings = [
        ProviderSetting("lab", "openai_chat", f"{url}/v1", "k", also_speaks=("openai_responses",)),
        ProviderSetting("chat", "openai_chat", f"{url}/v1", "k"),
        ProviderSetting("res", "openai_responses", f"{url}/v1", "k"),
    ]
    routes = [Route("both", (Target("chat", "m1"), Target("res", "m1"), Target("lab", "m1")))]
    traffic = traffic_of(configure(settings, {}), routes)
    return await start_gateway(traffic=lambda: traffic)


async def _ask(gateway: Gateway, model: str, **fields: Any) -> Any:
    return await gateway.post("/v1/responses", {"model": model, "input": "hi", **fields})


async def test_a_caller_reaches_the_second_dialect_of_a_provider_and_the_record_says_so(
    start_gateway: GatewayMaker, provider: Any
) -> None:
    gateway = await _gateway(start_gateway, provider.url)
    answer = await _ask(gateway, "lab/m1")
    record = gateway.record()
    assert answer.status == 200
    assert (record.dialect_in, record.dialect_out) == ("openai_responses", "openai_responses")
    assert record.usage is not None
    assert gateway.provider.requests()[-1]["path"] == "/v1/responses"


async def test_a_call_goes_on_where_its_id_was_made_and_nowhere_else(
    start_gateway: GatewayMaker, provider: Any
) -> None:
    gateway = await _gateway(start_gateway, provider.url)
    first = (await _ask(gateway, "lab/m1")).json["id"]
    onward = await _ask(gateway, "both", previous_response_id=first)
    assert onward.headers["x-sternpost-target"] == "lab/m1"
    elsewhere = await _ask(gateway, "res/m1", previous_response_id=first)
    assert (elsewhere.status, elsewhere.json["error"]["param"]) == (400, "previous_response_id")
    unknown = await _ask(gateway, "both", previous_response_id="resp_never_seen")
    assert unknown.status == 400
    background = await _ask(gateway, "both", background=True)
    assert background.headers["x-sternpost-target"] == "res/m1"
    assert (await _ask(gateway, "chat/m1", background=True)).json["error"]["param"] == "background"


@pytest.mark.parametrize("is_stream", [False, True])
async def test_thoughts_that_another_account_encrypted_are_left_out_when_they_are_refused(
    start_gateway: GatewayMaker, provider: Any, is_stream: bool
) -> None:
    gateway = await _gateway(start_gateway, provider.url)
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "1"}
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": SEALED_ELSEWHERE}
    history = [{"role": "user", "content": "hi"}, thought, {**call, "id": "fc_1"}, result]
    answer = await _ask(gateway, "res/m1", input=history, stream=is_stream)
    assert answer.status == 200
    asked = [json.loads(request["body"])["input"] for request in gateway.provider.requests()]
    assert asked == [history, [history[0], call, result]]
    assert answer.headers["x-sternpost-dropped"] == "reasoning.encrypted_content"
    record = gateway.record()
    assert [(attempt.number, attempt.http_status) for attempt in record.attempts] == [(1, 400), (2, 200)]
    assert record.attempts[0].error_type == "bad_request"
    assert "could not be verified" in record.attempts[0].error
    assert answer.headers["x-sternpost-attempts"] == "2"
    assert record.warnings == ("dropped:reasoning.encrypted_content",)


async def test_a_target_that_refused_such_thoughts_is_not_asked_with_them_again(
    start_gateway: GatewayMaker, provider: Any
) -> None:
    gateway = await _gateway(start_gateway, provider.url)
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": SEALED_ELSEWHERE}
    history = [{"role": "user", "content": "hi"}, thought]
    answer = await _ask(gateway, "res/fault-500?times=1&skip=1&id=sealed", input=history)
    assert answer.status == 200
    assert [attempt.http_status for attempt in gateway.record().attempts] == [400, 500, 200]
    assert answer.headers["x-sternpost-dropped"] == "reasoning.encrypted_content"


async def test_a_kept_response_is_read_cancelled_and_deleted_at_its_provider(
    start_gateway: GatewayMaker, provider: Any
) -> None:
    gateway = await _gateway(start_gateway, provider.url)
    kept = f"/v1/responses/{(await _ask(gateway, 'lab/m1')).json['id']}"
    assert (await gateway.get(kept)).json["object"] == "response"
    assert (await gateway.get(f"{kept}/input_items?limit=2")).status == 200
    assert gateway.provider.requests()[-1]["path"] == f"{kept}/input_items?limit=2"
    assert (await gateway.post(f"{kept}/cancel", {})).json["status"] == "cancelled"
    refused = await gateway.post(kept, {})
    assert (refused.status, refused.headers["allow"]) == (405, "GET, DELETE")
    streamed = await gateway.get(f"{kept}?stream=true&starting_after=2")
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert b"response.completed" in streamed.body
    assert (await gateway.get(kept, authorization="Bearer sp-wrong")).status == 401
    assert (await gateway.get("/v1/responses/resp_of_somebody")).status == 404
    assert (await gateway.get("/v1/responses/..%2fmodels")).status == 404


async def test_an_id_of_another_project_does_not_exist(start_gateway: GatewayMaker, provider: Any) -> None:
    gateway = await _gateway(start_gateway, provider.url)
    gateway.services.origins.remember("resp_theirs", Origin(ProjectId("other"), "lab", KeyId("key_9")))
    asked = await _ask(gateway, "lab/m1", previous_response_id="resp_theirs")
    assert (asked.status, asked.json["error"]["param"]) == (400, "previous_response_id")
    assert (await gateway.get("/v1/responses/resp_theirs")).status == 404
    assert gateway.provider.count("calls") == 0


async def test_the_reply_longest_unused_is_forgotten_first() -> None:
    project = ProjectId("prj")
    origins, origin = ReplyOrigins(max_replies=2), Origin(project, "lab", KeyId("key_1"))
    origins.remember("resp_0", origin)
    origins.remember("resp_1", origin)
    assert await origins.find("resp_0", project) == origin
    origins.remember("resp_2", origin)
    assert [await origins.find(f"resp_{number}", project) for number in range(3)] == [origin, None, origin]


async def test_a_reply_of_an_earlier_process_is_found_by_its_record() -> None:
    async def find_maker(project: ProjectId, reply_id: str) -> tuple[str, KeyId] | None:
        return {("prj", "resp_old"): ("lab", KeyId("key_1"))}.get((project, reply_id))

    origins = ReplyOrigins(find_maker=find_maker)
    assert await origins.find("resp_old", ProjectId("prj")) == Origin(ProjectId("prj"), "lab", KeyId("key_1"))
    assert await origins.find("resp_old", ProjectId("prj")) == Origin(ProjectId("prj"), "lab", KeyId("key_1"))
    assert await origins.find("resp_never", ProjectId("prj")) is None


async def test_a_store_that_is_down_makes_an_id_unknown_and_fails_no_call() -> None:
    async def find_maker(project: ProjectId, reply_id: str) -> tuple[str, KeyId] | None:
        raise StoreUnavailable("the trace store does not answer")

    assert await ReplyOrigins(find_maker=find_maker).find("resp_old", ProjectId("prj")) is None
