"""Tools that the caller runs reach any target as functions; their calls come back as the caller's items."""

import json
from typing import Any

import msgspec
import pytest

from sternpost.contracts.chat import (
    ChatReply,
    Finish,
    StreamEnd,
    StreamStart,
    ToolArguments,
    ToolStart,
)
from sternpost.contracts.message import Message, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.pairing.client_tools import TextReader, text_of
from sternpost.dialects.pairing.tool_names import Restorer, restore_reply
from sternpost.dialects.protocols import UpstreamCodec, WrittenRequest
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import OPENAI, RESPONSES, openai_head, payloads, responses_head

PATCH = '*** Begin Patch\n*** Add File: a.txt\n+"é" \\ 😀\n*** End Patch'
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
CUSTOM = {"type": "custom", "name": "apply_patch", "description": "Patch files", "format": GRAMMAR}
READ = {
    "type": "function",
    "name": "read",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
}
FILES = {"type": "namespace", "name": "mcp__files", "description": "files", "tools": [READ]}
SEARCH = {"type": "tool_search", "execution": "client", "description": "Find tools", "parameters": {
    "type": "object", "properties": {"goal": {"type": "string"}}}}  # fmt: skip
TEXT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
FUNCTION_TARGETS = ("openai_chat", "anthropic", "gemini", "bedrock", "cohere", "ollama")

# What is offered -> the function the target sees, what it is called with, and the caller's item.
CALLS: list[tuple[dict[str, Any], str, dict[str, Any], dict[str, Any]]] = [
    (CUSTOM, "apply_patch", {"input": PATCH},
     {"type": "custom_tool_call", "name": "apply_patch", "input": PATCH}),
    (FILES, "mcp__files__read", {"path": "a"},
     {"type": "function_call", "namespace": "mcp__files", "name": "read", "arguments": '{"path":"a"}'}),
    ({"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]},
     "functions__exec", {"input": "ls"},
     {"type": "custom_tool_call", "namespace": "functions", "name": "exec", "input": "ls"}),
    (SEARCH, "tool_search", {"goal": "mail"},
     {"type": "tool_search_call", "execution": "client", "arguments": {"goal": "mail"}}),
    ({"type": "local_shell"}, "local_shell", {"command": ["ls"]},
     {"type": "local_shell_call", "action": {"type": "exec", "env": {}, "command": ["ls"]}}),
    ({"type": "shell"}, "shell", {"commands": ["ls"]},
     {"type": "shell_call", "action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": None}}),
    ({"type": "apply_patch"}, "apply_patch", {"type": "delete_file", "path": "a"},
     {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}}),
    ({"type": "computer_use_preview", "display_width": 1024, "display_height": 768, "environment": "linux"},
     "computer_use_preview", {"type": "click", "x": 1, "y": 2},
     {"type": "computer_call", "action": {"type": "click", "x": 1, "y": 2}, "pending_safety_checks": []}),
    ({"type": "computer"}, "computer", {"actions": [{"type": "click", "x": 1, "y": 2}]},
     {"type": "computer_call", "actions": [{"type": "click", "x": 1, "y": 2}], "pending_safety_checks": []}),
]  # fmt: skip
NAMES = [item["type"] + "-" + name for _, name, _, item in CALLS]


def asked(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "input": "go"} | fields).encode()


def written_for(target: str, body: bytes) -> WrittenRequest:
    return UPSTREAM_CODECS[target].write_request(RESPONSES.read_request(body), quirks=STANDARD, facts=None)  # type: ignore[index]


def functions_in(body: bytes) -> dict[str, dict[str, Any]]:
    """Return name -> schema of the tools of a body in any dialect."""
    sent = json.loads(body)
    tools = sent.get("tools") or sent.get("toolConfig", {}).get("tools") or []
    found: dict[str, dict[str, Any]] = {}
    for tool in tools[0]["functionDeclarations"] if tools and "functionDeclarations" in tools[0] else tools:
        function = tool.get("function") or tool.get("toolSpec") or tool
        schema = next(v for k in ("parameters", "input_schema", "inputSchema", "parametersJsonSchema")
                      if (v := function.get(k)) is not None)  # fmt: skip
        found[function["name"]] = schema.get("json", schema)
    return found


def call(name: str, arguments: str) -> ChatReply:
    part = ToolCallPart(name, arguments, "c1")
    return ChatReply("r", "m", (Message("assistant", (part,), finish_reason="tool"),), None)


@pytest.mark.parametrize("target", FUNCTION_TARGETS)
@pytest.mark.parametrize(("tool", "name", "arguments", "item"), CALLS, ids=NAMES)
def test_every_kind_is_a_function_at_every_target_and_its_call_the_callers_item(
    target: str, tool: dict[str, Any], name: str, arguments: dict[str, Any], item: dict[str, Any]
) -> None:
    written = written_for(target, asked(tools=[tool]))
    schema = functions_in(written.body)[name]
    assert set(schema["properties"]) >= set(arguments)
    assert written.dropped == ()

    text = msgspec.json.encode(arguments).decode()
    shown = json.loads(RESPONSES.write_reply(restore_reply(call(name, text), written.renamed_tools)))
    (output,) = shown["output"]
    assert output["call_id"] == "c1"
    assert item.items() <= output.items()


@pytest.mark.parametrize(("tool", "name", "arguments", "item"), CALLS, ids=NAMES)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_streamed_call_is_the_same_item_however_its_arguments_are_split(
    tool: dict[str, Any], name: str, arguments: dict[str, Any], item: dict[str, Any], size: int
) -> None:
    written = written_for("openai_chat", asked(tools=[tool]))
    text = json.dumps(arguments)  # with escapes for what is not ASCII, halves of pairs among them
    frames = payloads(streamed(written, name, [text[i : i + size] for i in range(0, len(text), size)]))
    last = frames[-1]["response"]["output"][0]
    done = [frame["item"] for frame in frames if frame["type"] == "response.output_item.done"]
    assert done == [last]
    assert last["type"] == item["type"]
    if item["type"] == "custom_tool_call":
        deltas = [f["delta"] for f in frames if f["type"] == "response.custom_tool_call_input.delta"]
        assert "".join(deltas) == last["input"] == item["input"]
        assert next(f["input"] for f in frames if f["type"].endswith("_input.done")) == item["input"]
        assert {f["item_id"] for f in frames if "item_id" in f} == {last["id"]}
    elif item["type"] != "function_call":
        assert item.items() <= last.items()
        assert not [frame for frame in frames if frame["type"].endswith(".delta")]


def streamed(written: WrittenRequest, name: str, pieces: list[str]) -> bytes:
    restorer, writer = Restorer(written.renamed_tools), RESPONSES.open_writer(responses_head())
    events = [StreamStart("r", "m"), ToolStart(0, "c1", name), *(ToolArguments(0, one) for one in pieces)]
    sent = [writer.write(restorer.event(event)) for event in events]
    sent += [writer.write(event) for event in restorer.rest(0)]
    return b"".join([*sent, writer.write(Finish("tool")), writer.write(StreamEnd())])


def test_the_grammar_of_a_custom_tool_is_told_to_a_model_that_cannot_be_held_to_it() -> None:
    (tool,) = json.loads(written_for("openai_chat", asked(tools=[CUSTOM])).body)["tools"]
    assert tool["function"]["parameters"] == TEXT
    assert tool["function"]["description"].startswith("Patch files\n\n")
    assert "start: /.+/" in tool["function"]["description"]


def test_tools_that_items_add_are_offered_and_leave_no_message() -> None:
    added = {"type": "additional_tools", "role": "developer", "tools": [FILES]}
    found = {"type": "tool_search_output", "call_id": "s", "execution": "client", "tools": [CUSTOM]}
    searched = {"type": "tool_search_call", "call_id": "s", "execution": "client", "arguments": {"goal": "x"}}
    user = {"type": "message", "role": "user", "content": "go"}
    written = written_for("openai_chat", asked(input=[added, user, searched, found]))
    assert set(functions_in(written.body)) == {"mcp__files__read", "apply_patch"}
    sent = json.loads(written.body)["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert json.loads(sent[2]["content"]) == {"tools": ["apply_patch"]}


def test_what_only_the_provider_runs_is_named_and_leaves_no_empty_message() -> None:
    gone = {"type": "web_search_call", "id": "ws", "status": "completed"}
    user = {"type": "message", "role": "user", "content": "go"}
    body = asked(input=[gone, user], tools=[{"type": "tool_search"}, {"type": "web_search"},
                 {"type": "shell", "environment": {"type": "container_auto"}}])  # fmt: skip
    for target in FUNCTION_TARGETS:
        written = written_for(target, body)
        assert {"tools.tool_search", "tools.web_search", "tools.shell"} <= set(written.dropped)
        assert "content.web_search_call" in written.dropped
        sent = json.loads(written.body)
        turns = sent.get("messages") or sent.get("contents")
        assert [turn["role"] for turn in turns if turn["role"] != "system"][-1] == "user"
        assert not [turn for turn in turns if turn.get("content", "x") in ("", None)]


HISTORY = [
    {"type": "message", "role": "user", "content": "go"},
    {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": PATCH},
    {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
    {"type": "function_call", "call_id": "c2", "namespace": "mcp__files", "name": "read", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c2", "output": "text"},
    {"type": "local_shell_call", "call_id": "c3", "action": {"type": "exec", "command": ["ls"], "env": {}}},
    {"type": "local_shell_call_output", "id": "c3", "output": "a.txt"},
    {"type": "apply_patch_call", "call_id": "c4", "operation": {"type": "delete_file", "path": "a"}},
    {"type": "apply_patch_call_output", "call_id": "c4", "status": "failed", "output": "no such file"},
]


def test_a_replayed_history_has_json_arguments_and_the_same_names() -> None:
    sent = json.loads(written_for("openai_chat", asked(input=HISTORY, tools=[CUSTOM, FILES])).body)[
        "messages"
    ]
    calls = [call["function"] for message in sent for call in message.get("tool_calls", ())]
    assert [one["name"] for one in calls] == ["apply_patch", "mcp__files__read", "local_shell", "apply_patch"]
    arguments = [json.loads(one["arguments"]) for one in calls]
    assert arguments == [{"input": PATCH}, {}, {"command": ["ls"]}, {"type": "delete_file", "path": "a"}]
    results = [message["content"] for message in sent if message["role"] == "tool"]
    assert results == ["ok", "text", "a.txt", "Error: no such file"]


SCREEN = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize("doing", [{"action": {"type": "screenshot"}}, {"actions": [{"type": "wait"}]}])
def test_the_screen_after_a_use_of_the_computer_is_the_image_of_its_result(doing: dict[str, Any]) -> None:
    call = {"type": "computer_call", "call_id": "c1", "pending_safety_checks": [], **doing}
    output = {"type": "computer_screenshot", "image_url": SCREEN}
    history = [HISTORY[0], call, {"type": "computer_call_output", "call_id": "c1", "output": output}]
    for target in ("openai_chat", "anthropic", "gemini", "bedrock"):
        written = written_for(target, asked(input=history, tools=[{"type": "computer"}]))
        assert "content.computer_call" not in written.dropped
        assert "iVBORw0KGgo=" in written.body.decode()


@pytest.mark.parametrize("target", FUNCTION_TARGETS)
def test_a_replayed_history_reaches_every_target(target: str) -> None:
    body = written_for(target, asked(input=HISTORY, tools=[CUSTOM, FILES])).body
    assert json.dumps("*** Begin Patch")[1:-1] in body.decode()


def test_a_choice_names_the_function_that_stands_for_the_tool() -> None:
    for choice, name in (
        ({"type": "custom", "name": "apply_patch"}, "apply_patch"),
        ({"type": "function", "namespace": "mcp__files", "name": "read"}, "mcp__files__read"),
    ):
        sent = json.loads(written_for("openai_chat", asked(tools=[CUSTOM, FILES], tool_choice=choice)).body)
        assert sent["tool_choice"]["function"] == {"name": name}


CHAT_CUSTOM = {"type": "custom", "custom": {"name": "exec", "description": "run", "format": {
    "type": "grammar", "grammar": {"syntax": "regex", "definition": ".+"}}}}  # fmt: skip
CHAT_BODY = {
    "model": "m",
    "tools": [CHAT_CUSTOM],
    "tool_choice": {"type": "custom", "custom": {"name": "exec"}},
    "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "custom", "custom": {"name": "exec", "input": "ls"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "a.txt"},
    ],
}  # fmt: skip


def chat_written(codec: UpstreamCodec) -> WrittenRequest:
    request = OPENAI.read_request(json.dumps(CHAT_BODY).encode())
    return codec.write_request(request, quirks=STANDARD, facts=None)


def test_a_chat_callers_custom_tool_stays_one_where_the_target_has_them() -> None:
    written = chat_written(RESPONSES)
    sent = json.loads(written.body)
    form = {"type": "grammar", "syntax": "regex", "definition": ".+"}
    assert sent["tools"] == [{"type": "custom", "name": "exec", "description": "run", "format": form}]
    assert sent["tool_choice"] == {"type": "custom", "name": "exec"}
    assert [item.get("type") for item in sent["input"]] == [
        None,
        "custom_tool_call",
        "custom_tool_call_output",
    ]
    assert sent["input"][1]["input"] == "ls"
    raw = '{"input": "this is the text itself"}'
    reply = json.loads(OPENAI.write_reply(restore_reply(call("exec", raw), written.renamed_tools)))
    assert reply["choices"][0]["message"]["tool_calls"] == [
        {"id": "c1", "type": "custom", "custom": {"name": "exec", "input": raw}}
    ]


@pytest.mark.parametrize("target", ["anthropic", "gemini", "bedrock", "cohere", "ollama"])
def test_a_chat_callers_custom_tool_is_a_function_elsewhere(target: str) -> None:
    written = chat_written(UPSTREAM_CODECS[target])  # type: ignore[index]
    assert functions_in(written.body)["exec"]["properties"] == TEXT["properties"]
    reply = json.loads(
        OPENAI.write_reply(restore_reply(call("exec", '{"input":"ls"}'), written.renamed_tools))
    )
    assert reply["choices"][0]["message"]["tool_calls"][0]["custom"] == {"name": "exec", "input": "ls"}

    restorer, writer = Restorer(written.renamed_tools), OPENAI.open_writer(openai_head())
    events = [
        StreamStart("r", "m"),
        ToolStart(0, "c1", "exec"),
        ToolArguments(0, '{"input":"l'),
        ToolArguments(0, 's"}'),
    ]
    sent = b"".join(writer.write(restorer.event(event)) for event in events) + writer.write(Finish("tool"))
    pieces = [
        c["delta"]["tool_calls"][0]
        for f in payloads(sent)
        for c in f["choices"]
        if "tool_calls" in c["delta"]
    ]
    assert (pieces[0]["type"], pieces[0]["custom"]["name"]) == ("custom", "exec")
    assert "".join(piece["custom"]["input"] for piece in pieces) == "ls"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input":"a"}', "a"),
        (' { "input" : "a\\n\\u00e9\\ud83d\\ude00\\"\\\\" } ', 'a\né😀"\\'),
        ('{"input": "a", "why": "b"}', "a"),
        ('{"why": "b", "input": "a"}', "a"),
        ('{"patch": "a"}', '{"patch": "a"}'),
        ("*** Begin Patch", "*** Begin Patch"),
        ('{"input":"cut sho', "cut sho"),
        ('{"inp', ""),
        ('{"input":"half \\ud83d"}', "half \ufffd"),
        ("", ""),
    ],
)
def test_the_text_is_read_alike_whole_and_split_at_every_place(arguments: str, text: str) -> None:
    for cut in range(len(arguments) + 1):
        reader = TextReader()
        shown = reader.feed(arguments[:cut]) + reader.feed(arguments[cut:]) + reader.rest()
        assert shown == text, cut
    one_by_one = TextReader()
    assert "".join(one_by_one.feed(letter) for letter in arguments) + one_by_one.rest() == text
    assert text_of(arguments) == text
