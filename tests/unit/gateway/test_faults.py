"""Providers that fail: retries, fallback, time-outs, cut streams, callers who leave. One record each."""

import asyncio
import json
import time

import aiohttp
import pytest

from sternpost.base.clock import ManualClock
from sternpost.contracts.call import Dialect, LimitEntry, Target
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import CostStatus, UsageSource
from sternpost.dialects.anthropic.tap import AnthropicTap
from sternpost.gateway.state.retries import RetryBudgets
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_provider import FakeProvider
from tests.support.polling import until
from tests.unit.gateway.conftest import ASK, Gateway, GatewayMaker
from tests.unit.gateway.test_answers import events_of


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_route_falls_back_when_its_first_target_is_down(gateway: Gateway, is_stream: bool) -> None:
    answer = await gateway.chat("steady", stream=is_stream)
    assert (answer.status, answer.headers["x-sternpost-target"]) == (200, "lab/m1")
    record = gateway.record()
    assert [attempt.status for attempt in record.attempts] == [SpanStatus.ERROR, SpanStatus.OK]
    assert record.attempts[0].error_type == "upstream_unreachable"
    assert (record.route, record.provider) == ("steady", "lab")


async def test_a_target_known_to_be_down_is_skipped(gateway: Gateway) -> None:
    first = await gateway.chat("steady")
    second = await gateway.chat("steady")
    assert (first.headers["x-sternpost-attempts"], second.headers["x-sternpost-attempts"]) == ("2", "1")
    assert gateway.records()[1].warnings == ("skipped:dead/m1",)


async def test_a_rate_limited_target_rests_as_long_as_it_asked(gateway: Gateway) -> None:
    for _ in range(3):
        assert (await gateway.chat("limited")).headers["x-sternpost-target"] == "lab/m1"
    models = [request["model"] for request in gateway.provider.requests()]
    assert models == ["fault-429?retry_after=9", "m1", "m1", "m1"]


async def test_an_account_whose_quota_is_spent_is_not_asked_by_every_call(gateway: Gateway) -> None:
    for _ in range(3):
        assert (await gateway.chat("spent")).headers["x-sternpost-target"] == "lab/m1"
    models = [request["model"] for request in gateway.provider.requests()]
    assert models == ["fault-402", "m1", "m1", "m1"]


async def test_a_retry_waits_as_long_as_the_provider_asked(gateway: Gateway) -> None:
    started = time.monotonic()
    answer = await gateway.chat("lab/fault-429?times=1&id=wait&retry_after=0.3")
    assert answer.status == 200
    assert time.monotonic() - started >= 0.3
    record = gateway.record()
    assert [attempt.retry_after_s for attempt in record.attempts] == [0.3, None]
    assert record.waited_ns >= 290_000_000


async def test_a_wait_too_long_is_left_to_the_caller(gateway: Gateway) -> None:
    answer = await gateway.chat("lab/fault-429?retry_after=60")
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert gateway.provider.count("calls") == 1


async def test_a_call_is_tried_three_times_at_most(gateway: Gateway) -> None:
    answer = await gateway.chat("lab/fault-500")
    assert (answer.status, gateway.provider.count("calls")) == (500, 3)
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["x-sternpost-upstream-status"] == "500"
    assert len(gateway.record().attempts) == 3


async def test_an_empty_retry_budget_ends_retries(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(clock=ManualClock())  # time refills it
    answers = [await gateway.chat("lab/fault-500") for _ in range(8)]
    assert {answer.status for answer in answers} == {500}
    # 8 first tries, and the 10 retries a quiet route may spend; 8 first tries add less than another.
    assert gateway.provider.count("calls") == 18
    assert gateway.ear.refused_retries == 3


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (403, 1), (404, 1), (413, 1)])
async def test_an_error_that_is_not_about_our_key_is_passed_on(
    gateway: Gateway, status: int, tries: int
) -> None:
    openai = await gateway.chat(f"lab/fault-{status}")
    anthropic = await gateway.message(f"lab/fault-{status}")
    assert (openai.status, anthropic.status) == (status, status)
    assert "asked to fail" in openai.json["error"]["message"]
    assert anthropic.json["type"] == "error"
    assert gateway.provider.count("calls") == 2 * tries


@pytest.mark.parametrize(
    ("model", "status", "reason"),
    [
        ("lab/fault-400", CostStatus.FREE, "refused"),
        ("lab/fault-500", CostStatus.FREE, "refused"),
        ("no-such-route", CostStatus.FREE, "not_sent"),
        ("slow-start", CostStatus.UNKNOWN, "no_answer"),
        ("lab/fault-drop-connection", CostStatus.UNKNOWN, "no_answer"),
        ("dead/m1", CostStatus.FREE, "not_sent"),
        ("all-bad", CostStatus.FREE, "refused"),  # one that is not there, one that answers 500
    ],
)
async def test_an_error_costs_nothing_and_a_silence_is_unknown(
    gateway: Gateway, model: str, status: CostStatus, reason: str
) -> None:
    await gateway.chat(model, stream=model == "slow-start")
    cost = gateway.record().cost
    assert cost is not None
    assert (cost.status, cost.reason) == (status, reason)
    assert cost.nanousd == (0 if status is CostStatus.FREE else None)


async def test_a_provider_that_refuses_our_key_is_not_the_callers_fault(gateway: Gateway) -> None:
    answer = await gateway.chat("lab/fault-401")
    assert answer.status == 502
    assert "'lab' refused the key" in answer.json["error"]["message"]
    assert answer.headers["x-sternpost-upstream-status"] == "401"
    assert answer.headers["x-should-retry"] == "false"


async def test_fallback_is_by_cause(gateway: Gateway) -> None:
    longer = await gateway.chat("long-context")
    refused = await gateway.chat("only-when-down")
    assert (longer.status, longer.headers["x-sternpost-target"]) == (200, "labant/m1")
    assert (refused.status, refused.json["error"]["code"]) == (400, "context_length_exceeded")


@pytest.mark.parametrize("is_stream", [False, True])
async def test_an_error_that_came_with_status_200_is_classed_like_any_other(
    gateway: Gateway, is_stream: bool
) -> None:
    longer = await gateway.chat("long-in-200", stream=is_stream)
    refused = await gateway.chat("lab/fault-error-200", stream=is_stream)
    assert (longer.status, longer.headers["x-sternpost-target"]) == (200, "labant/m1")
    assert (refused.status, refused.json["error"]["code"]) == (400, "context_length_exceeded")
    assert gateway.provider.count("calls") == 3  # and no retry
    translated = await gateway.chat("labant/fault-error-200", stream=is_stream)
    assert (translated.status, translated.json["error"]["code"]) == (400, "context_length_exceeded")


async def test_the_class_of_an_anthropic_error_is_a_code_for_an_openai_caller(gateway: Gateway) -> None:
    too_long = await gateway.chat("labant/fault-context")
    limited = await gateway.chat("labant/fault-429?retry_after=90")
    assert (too_long.status, too_long.json["error"]["code"]) == (400, "context_length_exceeded")
    assert (limited.status, limited.json["error"]["code"]) == (429, "rate_limit_exceeded")


async def test_when_all_targets_fail_each_is_named(gateway: Gateway) -> None:
    answer = await gateway.chat("all-bad")
    assert (answer.status, answer.json["error"]["code"]) == (502, "all_targets_failed")
    assert "dead/m1" in answer.json["error"]["message"]
    assert "lab/fault-500" in answer.json["error"]["message"]


@pytest.mark.parametrize("fault", ["html-error", "garbage", "drop-connection", "malformed"])
async def test_an_answer_that_is_none_is_an_error(gateway: Gateway, fault: str) -> None:
    answer = await gateway.chat(f"lab/fault-{fault}")
    assert answer.status == 502
    assert answer.json["error"]["message"]
    assert gateway.record().status is SpanStatus.ERROR


async def test_a_stream_that_fails_before_content_falls_back_unseen(gateway: Gateway) -> None:
    answer = await gateway.chat("error-first", stream=True)
    assert (answer.status, answer.headers["x-sternpost-target"]) == (200, "labant/m1")
    assert b"Overloaded" not in answer.body
    assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("fault", ["cut", "no-done", "malformed", "error-event"])
async def test_a_broken_stream_ends_in_an_error_of_the_callers_dialect(gateway: Gateway, fault: str) -> None:
    openai = events_of((await gateway.chat(f"lab/fault-{fault}", stream=True)).body)
    anthropic = events_of((await gateway.message(f"labant/fault-{fault}?after=4", stream=True)).body)
    assert openai[-1]["error"]["message"]
    assert anthropic[-1]["type"] == "error"
    assert "[DONE]" not in openai
    expected = SpanStatus.ERROR if fault == "error-event" else SpanStatus.TRUNCATED
    records = gateway.records()
    assert [record.status for record in records] == [expected, expected]
    assert all(record.error_type for record in records)
    assert all(record.usage and record.usage.source is UsageSource.PARTIAL for record in records)
    assert all(record.usage.in_fresh and record.usage.out_text for record in records if record.usage)
    assert all(record.attempts[-1].status is expected for record in records)


async def test_a_cut_stream_is_priced_by_what_had_arrived(gateway: Gateway) -> None:
    await gateway.chat("lab/fault-cut", stream=True)
    usage, cost = gateway.record().usage, gateway.record().cost
    assert usage is not None
    assert cost is not None
    # "What is a forklift?" is 19 bytes and "A forklift" 10 bytes, at 4.5 bytes a token, rounded up.
    assert (usage.in_fresh, usage.out_text) == (5, 3)
    assert (cost.status, cost.nanousd) == (CostStatus.ESTIMATED, 5 * 1000 + 3 * 2000)


async def test_a_silent_stream_is_given_up(gateway: Gateway) -> None:
    answer = await gateway.chat("stalls", stream=True)
    assert answer.status == 200
    assert events_of(answer.body)[-1]["error"]["code"] == "upstream_timeout"
    assert gateway.record().status is SpanStatus.TRUNCATED
    await until(lambda: gateway.provider.count("closed_by_client") == 1)


async def test_a_stream_without_a_first_token_is_a_time_out(gateway: Gateway) -> None:
    answer = await gateway.chat("slow-start", stream=True)
    assert (answer.status, answer.json["error"]["code"]) == (504, "upstream_timeout")
    assert gateway.record().error_type == "upstream_timeout"


async def test_a_whole_answer_that_never_comes_is_a_time_out(gateway: Gateway) -> None:
    answer = await gateway.chat("lab/fault-stall", headers={"x_stainless_timeout": "0.3"})
    assert (answer.status, answer.json["error"]["code"]) == (504, "upstream_timeout")


async def test_no_other_target_is_tried_once_the_caller_has_stopped_waiting(gateway: Gateway) -> None:
    answer = await gateway.chat("slow-then-good", headers={"x_stainless_timeout": "0.3"})
    assert answer.status == 504
    assert gateway.provider.count("calls") == 1


async def test_the_time_an_sdk_waits_for_an_answer_ends_no_stream_that_flows(gateway: Gateway) -> None:
    slow = "lab/fault-slow?seconds=0.15&chunks=6"
    flowing = await gateway.chat(slow, stream=True, headers={"x_stainless_timeout": "0.5"})
    whole = await gateway.chat(slow, stream=True, headers={"x_request_timeout": "0.5"})
    silent = await gateway.chat(
        "lab/fault-slow-first-token?seconds=5", stream=True, headers={"x_stainless_timeout": "0.5"}
    )
    assert flowing.body.endswith(b"data: [DONE]\n\n")
    assert events_of(whole.body)[-1]["error"]["code"] == "upstream_timeout"
    assert (silent.status, silent.json["error"]["code"]) == (504, "upstream_timeout")


async def test_the_status_line_waits_no_longer_than_the_route_says(gateway: Gateway) -> None:
    started = time.monotonic()
    body = {"model": "held-short", "messages": ASK, "stream": True}
    async with gateway.session.post(f"{gateway.url}/v1/chat/completions", json=body) as reply:
        waited = time.monotonic() - started
        rest = await reply.read()
    assert waited < 1  # content comes after 1.2 s, the route holds for 0.05 s
    assert rest.endswith(b"data: [DONE]\n\n")


async def test_silence_is_filled_with_keep_alives(start_gateway: GatewayMaker) -> None:
    gateway = await start_gateway(keep_alive_s=0.05)
    openai = await gateway.chat("held-short", stream=True)
    anthropic = await gateway.message("labant/fault-slow?seconds=0.15&chunks=2", stream=True)
    assert b": keep-alive\n\n" in openai.body
    assert b"event: ping" in anthropic.body
    assert events_of(openai.body)[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("model", "is_stream"),
    [
        ("lab/fault-stall", False),
        ("lab/fault-stall", True),
        ("lab/fault-slow-status?seconds=30", False),
        ("lab/fault-slow-first-token?seconds=30", True),
    ],
)
async def test_a_caller_who_leaves_closes_the_upstream_at_once(
    start_gateway: GatewayMaker, model: str, is_stream: bool
) -> None:
    gateway = await start_gateway(LimitEntry("key", concurrency=1))
    body = json.dumps({"model": model, "messages": ASK, "stream": is_stream}).encode()
    host, port = gateway.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: sp-one\r\ncontent-length: {len(body)}"
    )
    writer.write(head.encode() + b"\r\n\r\n" + body)
    await until(lambda: gateway.provider.count("calls") == 1)

    writer.close()

    record = await gateway.wait_for_record()
    assert record.status is SpanStatus.CANCELLED
    assert record.attempts[-1].status is SpanStatus.CANCELLED
    assert record.cost is not None
    assert record.cost.status is CostStatus.UNKNOWN  # "fault-stall" has no price; asked is not free
    await until(lambda: gateway.provider.count("closed_by_client") == 1)
    assert (await gateway.chat("lab/m1")).status == 200  # the place is free again


@pytest.mark.parametrize(
    ("model", "reason"), [("lab/fault-429?retry_after=9.5", "refused"), ("dead/m1", "not_sent")]
)
async def test_a_caller_who_leaves_between_two_tries_leaves_no_bill(
    start_gateway: GatewayMaker, model: str, reason: str
) -> None:
    gateway = await start_gateway(retries=RetryBudgets(chance=lambda: 1.0))  # the longest back-off
    calling = asyncio.create_task(gateway.chat(model))
    await until(lambda: gateway.services.health.resting_cause(Target(*model.split("/", 1)), 0.0) is not None)

    calling.cancel()

    record = await gateway.wait_for_record()
    assert record.status is SpanStatus.CANCELLED
    assert record.cost is not None
    assert (record.cost.status, record.cost.reason) == (CostStatus.FREE, reason)


@pytest.mark.parametrize("is_stopping", [False, True])
async def test_what_a_stream_said_before_its_caller_left_is_kept_though_its_reply_had_not_begun(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, is_stopping: bool
) -> None:
    seen: list[bytes] = []
    feed = AnthropicTap.feed
    monkeypatch.setattr(AnthropicTap, "feed", lambda tap, chunk: (feed(tap, chunk), seen.append(chunk))[0])
    calling = asyncio.create_task(gateway.message("labant/fault-slow-first-token?seconds=30", stream=True))
    await until(lambda: b"message_start" in b"".join(seen))

    gateway.app.interrupt_calls() if is_stopping else calling.cancel()

    record = await gateway.wait_for_record()
    assert (record.http_status, record.attempts[0].status) == (
        503 if is_stopping else 499,
        SpanStatus.CANCELLED,
    )
    assert record.reply_body == b"".join(seen)
    assert record.usage is not None
    assert record.usage.source is UsageSource.PARTIAL
    assert record.usage.in_fresh == 36  # what `message_start` says; 19 bytes would be taken for 5
    await asyncio.wait([calling])


async def test_an_open_stream_ends_in_an_error_event_when_sternpost_stops(gateway: Gateway) -> None:
    body = {"model": "lab/fault-stall", "messages": ASK, "stream": True}
    async with gateway.session.post(f"{gateway.url}/v1/chat/completions", json=body) as reply:
        begun = await reply.content.readany()  # before it the call is unanswered, and gets a status instead
        assert gateway.app.interrupt_calls() == 1
        rest = await reply.read()
    assert reply.status == 200
    assert events_of(begun + rest)[-1]["error"]["code"] == "stream_truncated"
    assert gateway.record().status is SpanStatus.TRUNCATED


async def test_an_unanswered_call_gets_an_error_and_a_record_when_sternpost_stops(gateway: Gateway) -> None:
    calls = [gateway.chat("lab/fault-stall"), gateway.message("lab/fault-stall")]
    calling = [asyncio.create_task(call) for call in calls]
    await until(lambda: gateway.provider.count("calls") == 2)
    assert gateway.app.interrupt_calls() == 2
    openai, anthropic = [await task for task in calling]
    assert (openai.status, openai.json["error"]["code"]) == (503, "server_stopping")
    assert (anthropic.status, anthropic.json["type"]) == (503, "error")
    assert [record.error_type for record in gateway.records()] == ["server_stopping"] * 2
    assert all(record.cost and record.cost.status is CostStatus.UNKNOWN for record in gateway.records())
    await until(lambda: gateway.provider.count("closed_by_client") == 2)


async def test_usage_that_does_not_add_up_is_flagged_and_missing_usage_is_unknown(gateway: Gateway) -> None:
    await gateway.chat("lab/fault-wrong-usage")
    answer = await gateway.chat("lab/fault-no-usage")
    wrong, none = gateway.records()
    assert wrong.usage is not None
    assert wrong.usage.is_mismatch
    assert none.usage is None
    assert none.cost is not None
    assert none.cost.nanousd is None
    assert "x-sternpost-cost-usd" not in answer.headers


async def test_a_thousand_calls_at_once_leave_a_thousand_records(gateway: Gateway) -> None:
    models = ["lab/m1", "lab/chunks-3", "lab/fault-400", "nobody/m1", "lab/fault-cut"]
    async with aiohttp.TCPConnector(limit=50) as connector:
        session = aiohttp.ClientSession(connector=connector, headers={"x-api-key": "sp-one"})
        original, gateway.session = gateway.session, session
        await asyncio.gather(
            *(gateway.chat(models[i % 5], stream=i % 2 == 0) for i in range(1000)),
        )
        gateway.session = original
        await session.close()
    records = gateway.records()
    assert len(records) == 1000
    assert len({record.span_id for record in records}) == 1000


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
async def test_a_path_that_a_host_does_not_have_is_named_without_its_query(
    start_gateway: GatewayMaker, provider: FakeProvider, dialect: Dialect
) -> None:
    url = provider.url
    settings = [ProviderSetting("own", dialect, f"{url}/odd/v3", "key-of-the-host")]
    traffic = traffic_of(configure(settings, {}), (), ())
    gateway = await start_gateway(traffic=lambda: traffic)
    path = "/v1/messages" if dialect == "anthropic" else "/v1/chat/completions"
    body = {"model": "own/fault-404", "messages": ASK, "max_tokens": 9}
    answer = await gateway.post(path, body)
    words = answer.json["error"]["message"]
    assert answer.status == 404
    assert f"asked at {url.removeprefix('http://')}/odd{path.replace('/v1', '/v3')};" in words
    assert "key-of-the-host" not in answer.body.decode()
