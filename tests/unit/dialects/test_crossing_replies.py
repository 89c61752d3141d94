"""What an answer holds arrives at a caller of another dialect, whole and streamed, or is named."""

import json
from typing import Any

import pytest

from sternpost.contracts.chat import (
    ChatReply,
    Citation,
    CitationSeen,
    Finish,
    LogprobsSeen,
    MediaSeen,
    RedactedThinking,
    SafetyResult,
    SafetySeen,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    TokenLogprob,
)
from sternpost.contracts.message import BlobPart, Message, OtherPart, ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.framing.assemble import read_stream_reply
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.losses.unshown import unshown
from sternpost.dialects.pairing.tool_names import restore_reply
from sternpost.dialects.protocols import Codec
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, RESPONSES, events_of, head_for, payloads, pump

EVERY = [ANTHROPIC, OPENAI, RESPONSES]
TOKENS = (TokenLogprob("a", -0.5, (TokenLogprob("b", -1.0, token_bytes=b"b"),), b"a"),)
WEB = Citation("Winches", "https://e.com/w", "a drum", start=0, end=5)
SOUND = BlobPart("audio", "UklGRg==")
PICTURE = BlobPart("image", "iVBORw0KGgo=", "image/png")
every_codec = pytest.mark.parametrize("codec", EVERY, ids=lambda codec: codec.name)


def reply(*parts: Any, **fields: Any) -> ChatReply:
    return ChatReply("r1", "m", (Message("assistant", parts, finish_reason="end"),), None, **fields)


def streamed(codec: Codec, *events: StreamEvent) -> bytes:
    writer = codec.open_writer(head_for(codec))
    whole = [StreamStart("r1", "m"), *events, Finish("end"), StreamEnd()]
    return b"".join(writer.write(event) for event in whole)


def seen(codec: Codec, body: bytes, kind: type) -> list[Any]:
    return [event for event in events_of(codec, [body]) if isinstance(event, kind)]


@every_codec
def test_a_citation_of_a_page_survives_whole_and_streamed(codec: Codec) -> None:
    whole = codec.read_reply(codec.write_reply(reply(TextPart("Winds"), citations=(WEB,))))
    assert whole.citations == (WEB,)
    body = streamed(codec, TextDelta("Winds"), CitationSeen(WEB))
    assert seen(codec, body, CitationSeen) == [CitationSeen(WEB)]
    assembled = read_stream_reply(codec, body)
    assert assembled is not None
    assert assembled.citations == (WEB,)


def test_a_citation_counts_its_place_over_all_the_texts_of_a_reply() -> None:
    second = Citation("T", "https://e.com", start=7, end=9)
    written = ANTHROPIC.write_reply(reply(TextPart("First. "), TextPart("So"), citations=(second,)))
    assert [len(block.get("citations", [])) for block in json.loads(written)["content"]] == [0, 1]
    assert ANTHROPIC.read_reply(written).citations == (second,)
    flat = RESPONSES.write_reply(reply(TextPart("First. "), TextPart("So"), citations=(second,)))
    annotation = json.loads(flat)["output"][0]["content"][1]["annotations"][0]
    assert (annotation["start_index"], annotation["end_index"]) == (0, 2)
    assert RESPONSES.read_reply(flat).citations == (second,)


def test_a_citation_of_a_document_keeps_its_number_title_and_words() -> None:
    cited = {
        "type": "char_location", "cited_text": "rope", "document_index": 1, "document_title": "Manual",
        "start_char_index": 3, "end_char_index": 7,
    }  # fmt: skip
    body = {"id": "r", "model": "m", "content": [{"type": "text", "text": "Pull.", "citations": [cited]}]}
    read = ANTHROPIC.read_reply(json.dumps(body).encode())
    assert read.citations == (Citation("Manual", "", "rope", "1", 0, 5),)
    shown = json.loads(OPENAI.write_reply(read))["choices"][0]["message"]["annotations"][0]
    assert shown["document_citation"]["document"] == "1"
    assert OPENAI.read_reply(OPENAI.write_reply(read)).citations == read.citations
    flat = json.loads(RESPONSES.write_reply(read))["output"][0]["content"][0]["annotations"][0]
    assert (flat["type"], flat["filename"], flat["cited_text"]) == ("file_citation", "Manual", "rope")


@pytest.mark.parametrize("codec", [OPENAI, RESPONSES], ids=lambda codec: codec.name)
def test_log_probs_survive_whole_and_streamed(codec: Codec) -> None:
    whole = codec.read_reply(codec.write_reply(reply(TextPart("a"), logprobs=(TOKENS,))))
    assert whole.logprobs == (TOKENS,)


def test_log_probs_stream_from_chat_to_responses_and_are_named_for_anthropic() -> None:
    body = streamed(OPENAI, TextDelta("a"), LogprobsSeen(TOKENS))
    assert seen(OPENAI, body, LogprobsSeen) == [LogprobsSeen(TOKENS)]
    crossed = pump(open_relay(OPENAI, RESPONSES, head_for(RESPONSES), STANDARD), [body])
    done = next(e for e in payloads(crossed) if e["type"] == "response.output_text.done")
    assert done["logprobs"][0]["token"] == "a"
    relay = open_relay(OPENAI, ANTHROPIC, head_for(ANTHROPIC), STANDARD)
    pump(relay, [body])
    assert relay.unshown() == ("unshown:logprobs",)


def test_sound_survives_in_chat_with_its_words_and_is_named_elsewhere() -> None:
    spoken = reply(SOUND, TextPart("Hi."))
    written = OPENAI.write_reply(spoken)
    message = json.loads(written)["choices"][0]["message"]
    assert (message["content"], message["audio"]["transcript"]) == (None, "Hi.")
    assert OPENAI.read_reply(written).choices[0].parts == (SOUND, TextPart("Hi."))
    body = streamed(OPENAI, MediaSeen(SOUND), MediaSeen(SOUND), TextDelta("Hi."))
    assert seen(OPENAI, body, MediaSeen) == [MediaSeen(SOUND), MediaSeen(SOUND)]
    for other in (ANTHROPIC, RESPONSES):
        assert unshown(spoken, other.name) == ("unshown:audio",)
        assert other.read_reply(other.write_reply(spoken)).choices[0].parts == (TextPart("Hi."),)


def test_pieces_of_sound_are_joined_on_the_record() -> None:
    # "ab" and "cd" as base64, each with padding of its own
    body = streamed(OPENAI, MediaSeen(BlobPart("audio", "YWI=")), MediaSeen(BlobPart("audio", "Y2Q=")))
    assembled = read_stream_reply(OPENAI, body)
    assert assembled is not None
    assert assembled.choices[0].parts == (BlobPart("audio", "YWJjZA=="),)


@pytest.mark.parametrize("codec", [OPENAI, RESPONSES], ids=lambda codec: codec.name)
def test_a_picture_survives_whole_and_streamed(codec: Codec) -> None:
    drawn = reply(TextPart("Here."), PICTURE)
    assert codec.read_reply(codec.write_reply(drawn)).choices[0].parts == (TextPart("Here."), PICTURE)
    body = streamed(codec, TextDelta("Here."), MediaSeen(PICTURE))
    assert seen(codec, body, MediaSeen) == [MediaSeen(PICTURE)]
    assert unshown(drawn, codec.name) == ()
    assert unshown(drawn, "anthropic") == ("unshown:image",)


def test_verdicts_of_a_filter_survive_in_chat_and_are_named_elsewhere() -> None:
    safety = (SafetyResult("hate", "low"), SafetyResult("jailbreak", "detected", True, True))
    body = OPENAI.write_reply(reply(TextPart("a"), safety=safety))
    assert set(OPENAI.read_reply(body).safety) == set(safety)
    stream = streamed(OPENAI, TextDelta("a"), SafetySeen(safety))
    found = [result for event in seen(OPENAI, stream, SafetySeen) for result in event.results]
    assert set(found) == set(safety)
    assert unshown(OPENAI.read_reply(body), "anthropic") == ("unshown:safety",)


def test_blocks_of_tools_that_ran_at_the_provider_are_named() -> None:
    searched = reply(OtherPart({"type": "web_search_tool_result"}), TextPart("a"))
    assert unshown(searched, "openai_chat") == ("unshown:content.web_search_tool_result",)
    paused = ChatReply("r", "m", (Message("assistant", (), finish_reason="paused"),), None)
    assert unshown(paused, "openai_chat") == ("unshown:finish_reason.paused",)
    assert unshown(paused, "anthropic") == ()


def test_a_malformed_tool_call_is_a_failed_response() -> None:
    bad = ChatReply("r", "m", (Message("assistant", (), finish_reason="malformed_tool"),), None)
    written = json.loads(RESPONSES.write_reply(bad))
    assert (written["status"], written["error"]["code"]) == ("failed", "server_error")
    assert json.loads(OPENAI.write_reply(bad))["choices"][0]["finish_reason"] == "stop"


OWN = "sternpost.openai_responses.rs_1.gAAA"


def test_openais_encrypted_thinking_travels_through_other_dialects_and_back_to_it_alone() -> None:
    body = {
        "id": "r", "model": "m", "status": "completed",
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}],
             "encrypted_content": "gAAA"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        ],
    }  # fmt: skip
    read = RESPONSES.read_reply(json.dumps(body).encode())
    assert read.choices[0].parts[0] == ReasoningPart("Hm.", encrypted_content=OWN, id="rs_1")
    shown = json.loads(OPENAI.write_reply(read))["choices"][0]["message"]
    assert shown["reasoning_content"] == "Hm."
    result = {"role": "tool", "tool_call_id": "c1", "content": "1"}
    history = {"model": "m", "messages": [{"role": "user", "content": "q"}, shown, result]}
    asked = OPENAI.read_request(json.dumps(history).encode())
    item = json.loads(RESPONSES.write_request(asked, quirks=STANDARD, facts=None).body)["input"][1]
    assert (item["type"], item["id"], item["encrypted_content"]) == ("reasoning", "rs_1", "gAAA")
    elsewhere = ANTHROPIC.write_request(asked, quirks=STANDARD, facts=None)
    assert b"gAAA" not in elsewhere.body
    assert elsewhere.dropped == ("thinking",)


def test_anthropics_callers_replay_it_and_anthropic_is_not_sent_it() -> None:
    read = reply(ReasoningPart("Hm.", encrypted_content=OWN), TextPart("a"))
    content = json.loads(ANTHROPIC.write_reply(read))["content"]
    assert [block["type"] for block in content] == ["thinking", "redacted_thinking", "text"]
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": "r"},
    ]
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": messages}).encode()
    edited = ANTHROPIC.edit(ANTHROPIC.read_head(body), model="m", quirks=STANDARD, facts=None)
    assert json.loads(edited.body)["messages"][1]["content"] == [{"type": "text", "text": "a"}]
    assert edited.dropped == ("thinking",)


def test_a_stream_shows_what_replays_openais_thinking() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    event = {"type": "response.output_item.done", "output_index": 0, "item": item}
    body = b"data: " + json.dumps(event).encode() + b"\n\n"
    assert seen(RESPONSES, body, RedactedThinking) == [RedactedThinking(OWN)]


def _tool_stream(*calls: tuple[str, str]) -> bytes:
    frames: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "r", "model": "m", "usage": {"input_tokens": 1}}}
    ]
    for index, (name, arguments) in enumerate(calls):
        block = {"type": "tool_use", "id": f"t{index}", "name": name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": arguments}
        frames += [
            {"type": "content_block_start", "index": index, "content_block": block},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    frames.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}})
    frames.append({"type": "message_stop"})
    return b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)


RENAMED = {"sternpost_reply": ""}


def test_an_answer_given_by_the_reply_tool_is_shown_as_text() -> None:
    call = ToolCallPart("sternpost_reply", '{"a":1}', "t1")
    answered = ChatReply("r", "m", (Message("assistant", (call,), finish_reason="tool"),), None)
    message = restore_reply(answered, RENAMED).choices[0]
    assert (message.parts, message.finish_reason) == ((TextPart('{"a":1}'),), "end")
    relay = open_relay(ANTHROPIC, OPENAI, head_for(OPENAI), STANDARD, renamed_tools=RENAMED)
    stream = pump(relay, [_tool_stream(("sternpost_reply", '{"a":1}'))])
    shown = read_stream_reply(OPENAI, stream)
    assert shown is not None
    assert shown.choices[0].parts == (TextPart('{"a":1}'),)
    assert shown.choices[0].finish_reason == "end"


def test_a_real_call_beside_the_reply_tool_stays_a_call() -> None:
    relay = open_relay(ANTHROPIC, OPENAI, head_for(OPENAI), STANDARD, renamed_tools=RENAMED)
    stream = pump(relay, [_tool_stream(("f", "{}"), ("sternpost_reply", "{}"))])
    shown = read_stream_reply(OPENAI, stream)
    assert shown is not None
    assert shown.choices[0].finish_reason == "tool"
    assert ToolCallPart("f", "{}", "t0") in shown.choices[0].parts
