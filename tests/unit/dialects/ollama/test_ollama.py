"""Ollama's own API: requests, replies, lines of a stream, embeddings."""

import base64
import json
import struct
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import StreamEnd, StreamFault, ToolStart
from sternpost.contracts.message import ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat.embeddings import read_head
from sternpost.dialects.protocols import Codec, WrittenRequest
from sternpost.dialects.registry import EMBEDDERS, UPSTREAM_CODECS
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, fixture

OLLAMA, EMBEDDER = UPSTREAM_CODECS["ollama"], EMBEDDERS["ollama"]
USER = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def written(codec: Codec = OPENAI, **fields: Any) -> WrittenRequest:
    body = {"model": "qwen3", "messages": [USER], "max_tokens": 9, **fields}
    return OLLAMA.write_request(codec.read_request(json.dumps(body).encode()), quirks=STANDARD, facts=None)


def sent(codec: Codec = OPENAI, **fields: Any) -> dict[str, Any]:
    return json.loads(written(codec, **fields).body)


def test_sampling_and_ollamas_own_options_are_joined() -> None:
    request = written(
        temperature=0.1, seed=3, stop="x", num_ctx=32768, keep_alive="10m", options={"mirostat": 1, "seed": 9}
    )
    assert json.loads(request.body) == {
        "model": "qwen3",
        "messages": [USER],
        "stream": False,
        "keep_alive": "10m",
        "options": {
            "mirostat": 1,
            "seed": 3,
            "num_ctx": 32768,
            "num_predict": 9,
            "temperature": 0.1,
            "stop": ["x"],
        },
    }
    assert request.dropped == ()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"type": "json_object"}, "json"),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
            {"type": "object"},
        ),
    ],
)
def test_a_format_is_a_word_or_a_schema(asked: Any, expected: Any) -> None:
    assert sent(response_format=asked)["format"] == expected


@pytest.mark.parametrize(
    ("model", "effort", "think"),
    [
        ("qwen3", "low", True),
        ("qwen3", "none", False),
        ("gpt-oss:20b", "xhigh", "high"),
        ("gpt-oss", "none", "low"),
    ],
)
def test_an_effort_is_a_switch_or_a_level(model: str, effort: str, think: Any) -> None:
    assert sent(model=model, reasoning_effort=effort)["think"] == think
    assert "think" not in sent(model=model)
    assert sent(model=model, think=False)["think"] is False


def test_calls_are_objects_and_results_are_paired_by_name() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    odd = {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "oops"}}
    turns = [
        USER,
        {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [call, odd]},
        {"role": "tool", "tool_call_id": "c1", "content": "blue"},
    ]
    messages = sent(messages=turns, tools=[TOOL])["messages"]
    assert messages[1] == {
        "role": "assistant",
        "content": "",
        "thinking": "hm",
        "tool_calls": [
            {"function": {"name": "f", "arguments": {"a": 1}}},
            {"function": {"name": "g", "arguments": {"arguments": "oops"}}},
        ],
    }
    assert messages[2] == {"role": "tool", "content": "blue", "tool_name": "f"}


def test_results_stand_in_the_order_of_their_calls() -> None:
    """Ollama knows no ids, and two calls of one tool have the same name."""
    calls = [
        {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for call_id in ("a", "b")
    ]
    results = [{"role": "tool", "tool_call_id": call_id, "content": call_id} for call_id in ("b", "a")]
    said = {"role": "assistant", "content": None, "tool_calls": calls}
    messages = sent(messages=[USER, said, *results])["messages"]
    assert [message["content"] for message in messages[2:]] == ["a", "b"]


def test_a_choice_of_tools_is_kept_as_far_as_it_goes() -> None:
    other = {"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}}
    named = written(tools=[TOOL, other], tool_choice={"type": "function", "function": {"name": "g"}})
    assert [tool["function"]["name"] for tool in json.loads(named.body)["tools"]] == ["g"]
    assert named.dropped == ("tool_choice",)
    assert "tools" not in sent(tools=[TOOL], tool_choice="none")


def test_images_are_base64_in_a_list_and_addresses_are_refused() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}
    content = [{"type": "text", "text": "what?"}, image]
    (message,) = sent(ANTHROPIC, messages=[{"role": "user", "content": content}])["messages"]
    assert message == {"role": "user", "content": "what?", "images": ["QUJD"]}
    far = {"type": "image_url", "image_url": {"url": "https://h/a.png"}}
    with pytest.raises(BadRequest, match="base64"):
        written(messages=[{"role": "user", "content": [far]}])


def test_a_whole_reply_is_read() -> None:
    message = {"role": "assistant", "content": "blue", "thinking": "hm", "tool_calls": [
        {"function": {"name": "f", "arguments": {"a": 1.50}}}]}  # fmt: skip
    body = {"model": "qwen3", "created_at": "2025-10-26T17:15:24.097767999Z", "message": message,
            "done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 7}  # fmt: skip
    reply = OLLAMA.read_reply(json.dumps(body).encode())
    thought, text, call = reply.choices[0].parts
    assert (thought, text) == (ReasoningPart("hm"), TextPart("blue"))
    assert isinstance(call, ToolCallPart)
    assert (call.name, json.loads(call.arguments)) == ("f", {"a": 1.5})
    assert (call.id or "").startswith("call_")
    assert reply.choices[0].finish_reason == "tool"
    assert (reply.usage, reply.created_s) == (Usage(in_fresh=5, out_text=7), 1761498924)
    assert OLLAMA.summarise(json.dumps(body).encode(), STANDARD).usage == reply.usage


@pytest.mark.parametrize(("said", "finish"), [("stop", "end"), ("length", "length"), ("load", "unknown")])
def test_finish_reasons(said: str, finish: str) -> None:
    body = {"message": {"content": "x"}, "done": True, "done_reason": said}
    assert OLLAMA.read_reply(json.dumps(body).encode()).choices[0].finish_reason == finish


@pytest.mark.parametrize("body", [b"{}", b"<html>", b'{"models": []}'])
def test_what_is_no_reply_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        OLLAMA.read_reply(body)


def test_a_call_without_arguments_has_an_object_of_none() -> None:
    body = {"message": {"tool_calls": [{"function": {"name": "now", "arguments": None}}]}, "done": True}
    (part,) = OLLAMA.read_reply(json.dumps(body).encode()).choices[0].parts
    assert isinstance(part, ToolCallPart)
    assert part.arguments == "{}"


def test_calls_of_a_stream_have_ids_of_their_own() -> None:
    reader = OLLAMA.open_reader(STANDARD)
    starts = [e for e in reader.feed(fixture("ollama/tools.ndjson")) if isinstance(e, ToolStart)]
    assert starts[1].id == "call_x1"
    assert len({start.id for start in starts}) == 2


@pytest.mark.parametrize(
    "line",
    [b'{"error":"an error was encountered while running the model"}\n', b'{"mess\n', b'{"message":7}\n'],
)
def test_an_error_or_a_broken_line_is_a_fault_and_no_end(line: bytes) -> None:
    events = list(OLLAMA.open_reader(STANDARD).feed(fixture("ollama/tools.ndjson")[:-1][:150] + b"\n" + line))
    assert isinstance(events[-1], StreamFault)
    assert not [e for e in events if isinstance(e, StreamEnd)]


def test_a_line_that_never_ends_is_given_up() -> None:
    (fault,) = OLLAMA.open_reader(STANDARD).feed(b"x" * (8 * 1024 * 1024 + 1))
    assert isinstance(fault, StreamFault)
    assert fault.error_type == "frame_too_large"


def test_embeddings_cross_in_both_encodings() -> None:
    body = {"model": "m", "input": "hi", "dimensions": 2, "encoding_format": "base64", "user": "ada"}
    head = read_head(json.dumps(body).encode())
    request = EMBEDDER.write(head, "nomic-embed-text", STANDARD)
    assert json.loads(request.body) == {
        "model": "nomic-embed-text",
        "input": ["hi"],
        "truncate": False,
        "dimensions": 2,
    }
    assert request.dropped == ("user",)
    answer = json.dumps(
        {"model": "nomic-embed-text", "embeddings": [[0.5, -2]], "prompt_eval_count": 3}
    ).encode()
    vectors = EMBEDDER.read(answer, head, STANDARD)
    encoded = json.loads(vectors.shown)["data"][0]["embedding"]
    assert struct.unpack("<2f", base64.b64decode(encoded)) == (0.5, -2)
    assert (vectors.dimensions, vectors.summary.usage) == (2, Usage(in_fresh=3))
    with pytest.raises(BadRequest):
        EMBEDDER.read(b'{"embeddings":[]}', head, STANDARD)
