import json
from dataclasses import replace

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import Finish, StreamEnd, StreamFault, StreamStart, TextDelta
from sternpost.contracts.message import OtherPart, ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.protocols import WireError
from tests.unit.dialects.wire import OPENAI, RESPONSES, events_of, fixture, payloads, pump, responses_head

CUT = WireError(502, "stream_truncated", "The stream was cut.")


def test_a_reply_is_read_with_every_item_and_exclusive_buckets() -> None:
    reply = RESPONSES.read_reply(fixture("responses_reply.json"))
    (message,) = reply.choices
    thought, search, text, call = message.parts
    assert thought == ReasoningPart(
        "Look it up.", encrypted_content="sternpost.openai_responses.rs_1.gAAAAABo==", id="rs_1"
    )
    assert isinstance(search, OtherPart)
    assert text == TextPart("One moment.")
    assert call == ToolCallPart("get_weather", '{"city":"Ulm"}', "call_a")
    assert (message.finish_reason, reply.service_tier, reply.created_s) == ("tool", "flex", 1763700000)
    expected = Usage(
        in_fresh=40,
        in_cache_read=60,
        out_text=10,
        out_reasoning=20,
        units={"web_search": 1},
        service_tier="flex",
    )
    assert reply.usage == expected
    summary = RESPONSES.summarise(fixture("responses_reply.json"), STANDARD)
    assert (summary.id, summary.usage, summary.finish_reasons) == ("resp_1", expected, ("completed",))


def test_a_total_that_does_not_add_up_is_flagged() -> None:
    body = json.loads(fixture("responses_reply.json"))
    body["usage"]["total_tokens"] = 7
    usage = RESPONSES.summarise(json.dumps(body).encode(), STANDARD).usage
    assert usage is not None
    assert usage.is_mismatch


def test_a_failed_response_is_no_answer() -> None:
    body = json.loads(fixture("responses_reply.json"))
    body |= {"status": "failed", "error": {"code": "server_error", "message": "key sk-proj-abcdef123 broke"}}
    failed = json.dumps(body).encode()
    assert RESPONSES.summarise(failed, STANDARD).id == ""
    with pytest.raises(BadRequest, match=r"key \*\*\* broke"):
        RESPONSES.read_reply(failed)


def test_a_chat_reply_becomes_a_response_with_its_items_in_order() -> None:
    reply = OPENAI.read_reply(fixture("openai_reply.json"))
    body = json.loads(RESPONSES.write_reply(reply))
    again = RESPONSES.read_reply(json.dumps(body).encode())
    assert body["object"] == "response"
    assert len({item["id"] for item in body["output"]}) == len(body["output"])
    assert again.choices[0].finish_reason == reply.choices[0].finish_reason


def test_numbers_of_a_translated_stream_have_no_gap_and_done_events_hold_everything() -> None:
    relay = open_relay(OPENAI, RESPONSES, responses_head(), STANDARD)
    events = payloads(pump(relay, [fixture("openai_parallel_tools.sse")]))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    done = {event["item_id"]: event for event in events if event["type"].endswith("arguments.done")}
    pieces = dict.fromkeys(done, "")
    for event in events:
        if event["type"].endswith("arguments.delta"):
            pieces[event["item_id"]] += event["delta"]
    assert {name: event["arguments"] for name, event in done.items()} == pieces
    final = events[-1]["response"]["output"]
    assert [item["id"] for item in final if item["type"] == "function_call"] == list(pieces)


def test_an_error_inside_a_stream_is_a_fault_of_its_class_without_keys() -> None:
    *_, fault = events_of(RESPONSES, [fixture("responses_error.sse")])
    assert fault == StreamFault(
        "rate_limited", "Rate limit reached for ***", status=429, code="rate_limit_exceeded"
    )


def test_a_broken_stream_ends_with_the_next_numbers_on_both_ways() -> None:
    tap = RESPONSES.open_tap(responses_head(), STANDARD)
    passed = tap.feed(fixture("responses_error.sse")) + tap.failing(CUT)
    translated = open_relay(OPENAI, RESPONSES, responses_head(), STANDARD)
    begun = translated.feed(fixture("openai_text.sse")[:900]) + translated.failing(CUT)
    for events in (payloads(passed), payloads(begun)):
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
        assert events[-1]["response"]["id"] == events[0]["response"]["id"]
        assert events[-1]["response"]["error"]["code"] == "stream_truncated"


def test_a_host_that_streams_no_deltas_and_ends_with_done_is_read() -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hi."}]}
    frames = [
        {"type": "response.created", "response": {"id": "r", "model": "m"}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {"id": "r", "model": "m", "status": "completed"}},
    ]
    body = b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)
    events = events_of(RESPONSES, [body + b"data: [DONE]\n\n"])
    assert TextDelta("Hi.") in events
    tap = RESPONSES.open_tap(responses_head(), STANDARD)
    assert pump(tap, [body + b"data: [DONE]\n\n"]) == body


# What the public schema of OpenResponses requires of every response, and the types that it may have.
REQUIRED: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "object": (str,),
    "created_at": (int,),
    "completed_at": (int, type(None)),
    "status": (str,),
    "incomplete_details": (dict, type(None)),
    "model": (str,),
    "previous_response_id": (str, type(None)),
    "instructions": (str, type(None)),
    "output": (list,),
    "error": (dict, type(None)),
    "tools": (list,),
    "tool_choice": (str, dict),
    "truncation": (str,),
    "parallel_tool_calls": (bool,),
    "text": (dict,),
    "top_p": (float, int),
    "presence_penalty": (float, int),
    "frequency_penalty": (float, int),
    "top_logprobs": (int,),
    "temperature": (float, int),
    "reasoning": (dict, type(None)),
    "usage": (dict, type(None)),
    "max_output_tokens": (int, type(None)),
    "max_tool_calls": (int, type(None)),
    "store": (bool,),
    "background": (bool,),
    "metadata": (dict,),
    "safety_identifier": (str, type(None)),
    "prompt_cache_key": (str, type(None)),
}


def test_every_response_has_what_the_public_schema_requires_and_repeats_what_was_asked() -> None:
    head = responses_head(temperature=0.2, prompt_cache_key="k", max_tool_calls=None)
    streamed = RESPONSES.open_writer(head, created_s=5)
    frames = b"".join(
        streamed.write(event)
        for event in (StreamStart("r", "m"), TextDelta("hi"), Finish("end"), StreamEnd(at_s=9))
    )
    shown = [event["response"] for event in payloads(frames) if "response" in event]
    reply = replace(OPENAI.read_reply(fixture("openai_reply.json")), completed_s=9)
    shown.append(json.loads(RESPONSES.write_reply(reply, head)))
    assert [response["status"] for response in shown] == [
        "in_progress",
        "in_progress",
        "completed",
        "completed",
    ]
    assert [response["completed_at"] for response in shown] == [None, None, 9, 9]
    for response in shown:
        wrong = {name for name, kinds in REQUIRED.items() if not isinstance(response.get(name, ...), kinds)}
        assert wrong == set()
        assert (response["temperature"], response["prompt_cache_key"], response["top_p"]) == (0.2, "k", 1.0)
