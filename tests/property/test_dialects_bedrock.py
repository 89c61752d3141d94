"""Bedrock in the middle: what it answers reaches every caller and comes back in the history unchanged."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import Finish, StreamEnd, StreamEvent, StreamStart, ThinkingDelta, UsageSeen
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.framing.assemble import read_stream_reply
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.protocols import Codec
from tests.property.test_dialects_fuzz import FACTS as OTHER_FACTS
from tests.property.test_dialects_fuzz import spoiled
from tests.property.test_dialects_requests import conversations
from tests.support import event_stream as wire
from tests.unit.dialects.bedrock.converse import CLAUDE, FACTS, faults
from tests.unit.dialects.wire import (
    ANTHROPIC,
    BEDROCK,
    OPENAI,
    RESPONSES,
    bedrock_stream,
    events_of,
    fixture,
    head_for,
    pump,
    text_of,
    tools_of,
)

STREAMS = ("bedrock_text.json", "bedrock_thinking_tools.json")
every_caller = pytest.mark.parametrize("caller", [ANTHROPIC, OPENAI, RESPONSES], ids=lambda codec: codec.name)
UNSAID = StreamStart("req-1", CLAUDE)


@every_caller
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_reaches_every_caller_with_all_that_counts(caller: Codec, name: str) -> None:
    body = bedrock_stream(name)
    relay = open_relay(BEDROCK, caller, head_for(caller), STANDARD, unsaid=UNSAID)
    shown = events_of(caller, [pump(relay, [body])])
    first = events_of(BEDROCK, [body])
    assert text_of(shown) == text_of(first)
    assert tools_of(shown) == tools_of(first)
    assert _thinking(shown) == _thinking(first)
    assert _reasons(shown) == _reasons(first)
    assert _token_sums(shown) == _token_sums(first)
    assert isinstance(shown[-1], StreamEnd)
    assert next(event.model for event in shown if isinstance(event, StreamStart)) == CLAUDE


@every_caller
@pytest.mark.parametrize("name", STREAMS)
def test_where_reads_end_changes_no_byte_for_the_caller(caller: Codec, name: str) -> None:
    body = bedrock_stream(name)
    head = head_for(caller)
    whole = pump(open_relay(BEDROCK, caller, head, STANDARD, unsaid=UNSAID), [body])
    for position in range(0, len(body), 3):
        relay = open_relay(BEDROCK, caller, head, STANDARD, unsaid=UNSAID)
        assert pump(relay, [body[:position], body[position:]]) == whole, position


def _thinking(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


def _reasons(events: list[StreamEvent]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Finish)]


def _token_sums(events: list[StreamEvent]) -> tuple[int, int, int]:
    usage = [event.usage for event in events if isinstance(event, UsageSeen)][-1]
    writes = usage.in_cache_write_5m + usage.in_cache_write_1h
    return usage.in_fresh + writes, usage.in_cache_read, usage.out_text + usage.out_reasoning


def _history(caller: Codec, shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Put a reply into the history as the caller's SDK does, with a result for each call."""
    if caller is OPENAI:
        message = shown["choices"][0]["message"]
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": "rain"}
            for call in message.get("tool_calls") or ()
        ]
        return [{"role": "user", "content": "hi"}, message, *results]
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "rain"}
        for block in shown["content"]
        if block["type"] == "tool_use"
    ]
    return [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": shown["content"]},
        {"role": "user", "content": results},
    ]


@pytest.mark.parametrize("caller", [ANTHROPIC, OPENAI], ids=lambda codec: codec.name)
def test_a_reply_sent_back_in_the_history_is_the_same_at_bedrock(caller: Codec) -> None:
    reply = BEDROCK.read_reply(fixture("bedrock_reply.json"))
    shown = json.loads(caller.write_reply(reply))
    body = {"model": CLAUDE, "max_tokens": 100, "messages": _history(caller, shown)}
    request = caller.read_request(json.dumps(body).encode())
    written = json.loads(BEDROCK.write_request(request, quirks=STANDARD, facts=FACTS[CLAUDE]).body)
    sent = json.loads(fixture("bedrock_reply.json"))["output"]["message"]["content"]
    assert _blocks(written["messages"][1]["content"]) == _blocks(sent)


def _blocks(content: list[dict[str, Any]]) -> list[Any]:
    """Return thinking and tools as they are, all texts as one: a dialect may join neighbours."""
    texts = "".join(
        block["text"] if "text" in block else "".join(p["text"] for p in block["citationsContent"]["content"])
        for block in content
        if "text" in block or "citationsContent" in block
    )
    return [[block for block in content if not {"text", "citationsContent"} & set(block)], texts]


@settings(max_examples=80, deadline=None)
@given(messages=conversations())
def test_any_conversation_is_a_request_that_aws_takes(messages: list[dict[str, Any]]) -> None:
    request = OPENAI.read_request(json.dumps({"model": CLAUDE, "messages": messages}).encode())
    first = BEDROCK.write_request(request, quirks=STANDARD, facts=FACTS[CLAUDE])
    assert faults(json.loads(first.body)) == ""
    assert BEDROCK.write_request(request, quirks=STANDARD, facts=FACTS[CLAUDE]) == first


@pytest.mark.parametrize(
    ("caller", "name"), [(OPENAI, "openai"), (ANTHROPIC, "anthropic"), (RESPONSES, "responses")]
)
@settings(max_examples=80, deadline=None)
@given(choices=st.data())
def test_any_request_is_translated_or_refused_with_a_sentence(
    caller: Codec, name: str, choices: st.DataObject
) -> None:
    body = json.dumps(choices.draw(spoiled(json.loads(fixture(f"{name}_request.json"))))).encode()
    with contextlib.suppress(BadRequest):
        request = caller.read_request(body)
        for facts in (None, OTHER_FACTS, FACTS[CLAUDE]):
            json.loads(BEDROCK.write_request(request, quirks=STANDARD, facts=facts).body)


@settings(max_examples=120, deadline=None)
@given(choices=st.data())
def test_any_reply_is_translated_or_refused(choices: st.DataObject) -> None:
    body = json.dumps(choices.draw(spoiled(json.loads(fixture("bedrock_reply.json"))))).encode()
    BEDROCK.summarise(body, STANDARD)
    BEDROCK.read_failure(500, {}, body, 0.0)
    with contextlib.suppress(BadRequest):
        reply = BEDROCK.read_reply(body)
        for sink in (OPENAI, ANTHROPIC, RESPONSES):
            json.loads(sink.write_reply(reply))


@settings(max_examples=100, deadline=None)
@given(choices=st.data(), sink=st.sampled_from([OPENAI, ANTHROPIC, RESPONSES]))
def test_any_stream_is_carried_to_its_end_or_to_a_fault(choices: st.DataObject, sink: Codec) -> None:
    events = choices.draw(spoiled(json.loads(fixture("bedrock_thinking_tools.json"))))
    pairs = [pair for pair in events or () if isinstance(pair, list) and len(pair) == 2]
    body = b"".join(
        wire.event(name, payload) for name, payload in pairs if isinstance(name, str) and len(name) < 200
    )
    relay = open_relay(BEDROCK, sink, head_for(sink), STANDARD, unsaid=UNSAID)
    pump(relay, [body])
    relay.summary()
    read_stream_reply(BEDROCK, body)


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=80))
def test_any_bytes_are_no_stream_that_is_complete(body: bytes) -> None:
    relay = open_relay(BEDROCK, OPENAI, head_for(OPENAI), STANDARD)
    pump(relay, [body])
    assert not relay.is_complete
    with pytest.raises(BadRequest):
        BEDROCK.read_reply(body)
