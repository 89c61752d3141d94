"""Calls that are refused before any provider is asked: each a clear error in the caller's dialect."""

import pytest

from sternpost.contracts.call import LimitEntry
from sternpost.contracts.span import SpanStatus
from tests.support.polling import until
from tests.unit.gateway.conftest import Gateway, GatewayMaker


async def test_an_unknown_key_is_refused_and_only_counted(gateway: Gateway) -> None:
    openai = await gateway.chat("lab/m1", headers={"authorization": "Bearer sp-nobody"})
    anthropic = await gateway.message("lab/m1", headers={"authorization": "", "x_api_key": "sp-nobody"})
    assert (openai.status, openai.json["error"]["code"]) == (401, "invalid_api_key")
    assert (anthropic.status, anthropic.json["error"]["type"]) == (401, "authentication_error")
    assert gateway.records() == []
    assert (gateway.ear.refused_keys, gateway.ear.ended) == (2, 0)
    assert gateway.provider.count("calls") == 0


@pytest.mark.parametrize(
    "headers",
    [{"authorization": "bearer sp-one"}, {"x_api_key": "sp-one"}, {"api_key": "sp-one"}],
)
async def test_a_key_is_accepted_in_any_of_the_sdks_headers(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    assert (await gateway.chat("lab/m1", headers={"authorization": "", **headers})).status == 200


@pytest.mark.parametrize(
    ("model", "status", "code", "says"),
    [
        ("nobody/m1", 404, "model_not_found", "nobody/m1"),
        ("ofline/extract-large", 404, "model_not_found", "offline/extract-large"),
        ("stedy", 404, "model_not_found", "steady"),
        ("unset/m1", 424, "provider_not_configured", "unset"),
        ("openai/gpt-5-mini", 424, "provider_not_configured", "OPENAI_API_KEY"),
        ("gpt-5-mini", 424, "provider_not_configured", "OPENAI_API_KEY"),
    ],
)
async def test_a_model_that_cannot_be_reached_is_explained(
    gateway: Gateway, model: str, status: int, code: str, says: str
) -> None:
    answer = await gateway.chat(model)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert says in answer.json["error"]["message"]
    record = gateway.record()
    assert (record.status, record.http_status, record.error_type) == (SpanStatus.ERROR, status, code)
    assert record.request_model == model


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"model": "lab/m1", "mess', b'{"messages": []}', b'{"model": "lab/m1", "user": "\xff"}'],
)
async def test_a_body_that_cannot_be_read_is_refused_and_recorded(
    gateway: Gateway, path: str, body: bytes
) -> None:
    answer = await gateway.post(path, body)
    assert answer.status == 400
    assert answer.json["error"]["message"]
    assert gateway.record().request_body == body


async def test_a_key_with_an_allow_list_reaches_only_that(gateway: Gateway) -> None:
    key = {"authorization": "Bearer sp-narrow"}
    assert (await gateway.chat("steady", headers=key)).status == 200
    assert (await gateway.chat("lab/m1", headers=key)).status == 200
    refused = await gateway.chat("lab/m2", headers=key)
    assert (refused.status, refused.json["error"]["code"]) == (403, "permission_denied")


async def test_a_body_over_the_limit_is_refused_and_recorded(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(max_body_bytes=1000)
    # A caller that closes after one request would see a reset if the rest of its body were left unread.
    answer = await gateway.chat("lab/m1", padding="x" * 3000, headers={"connection": "close"})
    assert (answer.status, answer.json["error"]["code"]) == (413, "request_too_large")
    assert gateway.record().http_status == 413


async def test_a_spent_rate_limit_refuses_before_calling_the_provider(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(LimitEntry("key", requests_per_minute=2))
    answers = [await gateway.chat("lab/m1") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert float(answers[2].headers["retry-after-ms"]) > 0
    assert int(answers[2].headers["retry-after"]) * 1000 >= float(answers[2].headers["retry-after-ms"])
    assert answers[2].json["error"]["code"] == "rate_limit_exceeded"
    assert gateway.provider.count("calls") == 2
    assert [record.http_status for record in gateway.records()] == [200, 200, 429]


async def test_a_place_at_once_is_given_back_whatever_happens(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(LimitEntry("key", concurrency=1))
    models = ["lab/m1", "lab/fault-400", "nobody/m1", "lab/fault-cut"]
    for model in models:
        await gateway.chat(model)
        await gateway.chat(model, stream=True)
    assert (await gateway.chat("lab/m1")).status == 200


async def test_paths_and_methods_that_do_not_exist_are_named(gateway: Gateway) -> None:
    missing = await gateway.post("/v1/vector_stores", {})
    wrong = await gateway.get("/v1/messages")
    assert (missing.status, missing.json["error"]["code"]) == (404, "not_found")
    assert "/v1/providers/<name>/vector_stores" in missing.json["error"]["message"]
    assert (wrong.status, wrong.json["type"]) == (405, "error")
    assert wrong.headers["allow"] == "POST"


async def test_a_full_disk_does_not_stop_calls_and_is_logged_once(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.disk.free_bytes = 0
    await until(lambda: not gateway.services.journal.state().is_writable)
    for _ in range(3):
        assert (await gateway.chat("lab/m1")).status == 200
        assert (await gateway.chat("lab/m1", stream=True)).body.endswith(b"data: [DONE]\n\n")
    assert gateway.ear.lost == 6
    gateway.disk.free_bytes = 10**12
    await until(lambda: gateway.services.journal.state().is_writable)
    assert (await gateway.chat("lab/m1")).status == 200
    assert len(gateway.records()) == 1
    logged = [line.message for line in caplog.records if line.name.startswith("sternpost.gateway")]
    assert [line.partition(":")[0] for line in logged] == [
        "calls go on without a record",
        "calls are recorded again",
    ]
