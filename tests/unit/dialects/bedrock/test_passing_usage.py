"""Usage of Bedrock's replies that nobody translated: Converse and InvokeModel, whole and streamed."""

import base64
import json
from typing import Any

from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.usage_shapes import summarise
from tests.support import event_stream as wire
from tests.unit.dialects.wire import bedrock_stream, fixture

USAGE = Usage(
    in_fresh=20, in_cache_read=1000, in_cache_write_5m=200, in_cache_write_1h=400, out_text=61,
    service_tier="default",
)  # fmt: skip


def test_a_whole_reply_and_its_stream_tell_the_same_usage() -> None:
    whole = summarise(fixture("bedrock_reply.json"), STANDARD, is_stream=False)
    stream = bedrock_stream("bedrock_thinking_tools.json")
    streamed = summarise(stream, STANDARD, is_stream=True, is_binary=True)
    assert whole.usage == streamed.usage == USAGE


def test_a_broken_stream_tells_what_came_before() -> None:
    body = bedrock_stream("bedrock_thinking_tools.json")
    broken = body + wire.bad_sum(wire.event("more", {}))
    assert summarise(broken, STANDARD, is_stream=True, is_binary=True).usage == USAGE
    assert summarise(body[:200], STANDARD, is_stream=True, is_binary=True).usage is None
    assert summarise(b"no frames at all", STANDARD, is_stream=True, is_binary=True).usage is None


def test_a_stream_of_invoke_model_has_the_models_own_events_inside() -> None:
    def chunk(event: dict[str, Any]) -> bytes:
        return wire.event("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()})

    start = {
        "type": "message_start",
        "message": {"model": "claude", "usage": {"input_tokens": 9, "output_tokens": 1}},
    }
    body = (
        chunk(start)
        + chunk({"type": "message_delta", "usage": {"output_tokens": 7}})
        + wire.event("chunk", {})
    )
    read = summarise(body, STANDARD, is_stream=True, is_binary=True)
    assert read.usage == Usage(in_fresh=9, out_text=7)
    assert read.model == "claude"


def test_a_faster_serving_has_a_name_of_its_own() -> None:
    reply = {"usage": {"inputTokens": 1, "outputTokens": 2}, "performanceConfig": {"latency": "optimized"}}
    usage = summarise(json.dumps(reply).encode(), STANDARD, is_stream=False).usage
    assert usage == Usage(in_fresh=1, out_text=2, service_tier="latency_optimized")
