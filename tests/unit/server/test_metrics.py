"""Metrics count what happened and keep their labels few and short."""

from dataclasses import replace

from sternpost.base.ids import KeyId, ProjectId, SpanId, TraceId
from sternpost.base.money import NanoUsd
from sternpost.contracts.call import AttemptRecord, CallRecord
from sternpost.contracts.span import SpanStatus
from sternpost.contracts.usage import Cost, CostStatus, Usage
from sternpost.server.metrics import GatewayMetrics

CALL = CallRecord(
    project_id=ProjectId("p"),
    key_id=KeyId("key_1"),
    trace_id=TraceId("t"),
    span_id=SpanId("s"),
    parent_span_id=None,
    operation="chat",
    started_ns=0,
    ended_ns=1_500_000_000,
    status=SpanStatus.OK,
    http_status=200,
    dialect_in="openai_chat",
    provider="lab",
    target_model="m1",
    usage=Usage(in_fresh=10, in_cache_read=5, out_text=7),
    cost=Cost(CostStatus.COMPUTED, NanoUsd(1234)),
    attempts=(AttemptRecord(SpanId("a"), 1, "lab", "m1", 0, 1, SpanStatus.OK),),
)


def test_a_call_is_counted_with_its_tokens_time_and_money() -> None:
    metrics = GatewayMetrics()
    metrics.call_ended(CALL)
    text = metrics.text().decode()
    assert 'sternpost_requests_total{model="m1",provider="lab",route="",status_class="2xx"} 1.0' in text
    assert 'sternpost_cost_nano_usd_total{cost_status="computed",model="m1"} 1234.0' in text
    assert 'sternpost_tokens_total{bucket="in_cache_read",model="m1"} 5.0' in text
    assert 'gen_ai_client_operation_duration_seconds_sum{model="m1",provider="lab"} 1.5' in text
    assert "key_1" not in text


def test_what_the_prompt_cache_saves_and_what_it_costs_more_are_counted_apart() -> None:
    metrics = GatewayMetrics()
    for saved in (500, -20, -30, None):
        cost = Cost(CostStatus.COMPUTED, NanoUsd(1234), saved_nanousd=saved)
        metrics.call_ended(replace(CALL, cost=cost))
    text = metrics.text().decode()
    assert 'sternpost_cache_saved_nano_usd_total{kind="gain",model="m1"} 500.0' in text
    assert 'sternpost_cache_saved_nano_usd_total{kind="loss",model="m1"} 50.0' in text


def test_names_beyond_the_cap_and_endless_names_count_as_other() -> None:
    metrics = GatewayMetrics()
    for number in range(300):
        metrics.call_ended(replace(CALL, target_model=f"m{number}"))
    metrics.call_ended(replace(CALL, target_model="x" * 5000))
    text = metrics.text().decode()
    models = {
        line.split('model="')[1].split('"')[0] for line in text.splitlines() if "requests_total{" in line
    }
    assert len(models) == 201
    assert max(map(len, models)) <= 120
    assert 'sternpost_requests_total{model="other",provider="lab",route="",status_class="2xx"} 101.0' in text


def test_streams_without_an_end_and_callers_who_left_are_counted() -> None:
    metrics = GatewayMetrics()
    metrics.call_ended(replace(CALL, status=SpanStatus.TRUNCATED))
    metrics.call_ended(replace(CALL, status=SpanStatus.CANCELLED))
    metrics.key_refused()
    text = metrics.text().decode()
    assert 'sternpost_stream_truncated_total{dialect="openai_chat",provider="lab"} 1.0' in text
    assert 'sternpost_client_disconnect_total{dialect="openai_chat",provider="lab"} 1.0' in text
    assert "sternpost_key_refused_total 1.0" in text
