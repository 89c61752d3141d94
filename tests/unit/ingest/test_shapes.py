"""Messages, tools and documents in the forms of each framework; the words are our own."""

import json

import pytest

from sternpost.contracts.message import (
    BlobPart,
    DocumentPart,
    Json,
    Message,
    OtherPart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    UriPart,
)
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.documents import find_documents
from sternpost.ingest.mapping.messages import read_messages, read_value
from sternpost.ingest.mapping.parts import read_part
from sternpost.ingest.mapping.tools import read_tool_span

ASKED = Message("user", (TextPart("How warm?"),))
ANSWERED = Message("assistant", (TextPart("It is warm."),))
CALLED = Message("assistant", (ToolCallPart("weather", '{"city":"Paris"}', "c1"),))
RESULT = Message("tool", (ToolResponsePart("21 deg", "c1"),))
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAE="

LC_CALL = {"name": "weather", "args": {"city": "Paris"}, "id": "c1", "type": "tool_call"}
CONVERSATIONS: dict[str, Json] = {
    "LangChain messages_to_dict": [
        {"type": "human", "data": {"content": "How warm?", "type": "human"}},
        {"type": "ai", "data": {"content": "", "tool_calls": [LC_CALL], "type": "ai", "id": "r1"}},
        {"type": "tool", "data": {"content": "21 deg", "tool_call_id": "c1", "status": "success"}},
        {"type": "ai", "data": {"content": "It is warm.", "additional_kwargs": {}}},
    ],
    "LangChain constructors": {
        "messages": [
            [
                {
                    "lc": 1,
                    "type": "constructor",
                    "id": ["langchain", "HumanMessage"],
                    "kwargs": {"content": "How warm?"},
                },
                {
                    "lc": 1,
                    "type": "constructor",
                    "id": ["langchain", "schema", "AIMessage"],
                    "kwargs": {
                        "content": [
                            {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Paris"}}
                        ],
                        "tool_calls": [LC_CALL],
                    },
                },
                {"lc": 1, "id": ["x", "ToolMessage"], "kwargs": {"content": "21 deg", "tool_call_id": "c1"}},
                {"lc": 1, "id": ["x", "AIMessageChunk"], "kwargs": {"content": "It is warm."}},
            ]
        ]
    },
    "LangChain flat": {
        "messages": [
            {"content": "How warm?", "type": "human", "additional_kwargs": {}},
            {"content": "", "type": "AIMessageChunk", "tool_calls": [LC_CALL]},
            {"content": "21 deg", "type": "tool", "tool_call_id": "c1"},
            {"content": "It is warm.", "type": "ai"},
        ]
    },
    "pydantic-ai ModelMessage": [
        {"kind": "request", "parts": [{"part_kind": "user-prompt", "content": "How warm?"}]},
        {
            "kind": "response",
            "parts": [
                {
                    "part_kind": "tool-call",
                    "tool_name": "weather",
                    "args": '{"city":"Paris"}',
                    "tool_call_id": "c1",
                }
            ],
        },
        {
            "kind": "request",
            "parts": [
                {
                    "part_kind": "tool-return",
                    "tool_name": "weather",
                    "content": "21 deg",
                    "tool_call_id": "c1",
                }
            ],
        },
        {"kind": "response", "parts": [{"part_kind": "text", "content": "It is warm."}]},
    ],
    "OpenTelemetry parts": [
        {"role": "user", "parts": [{"type": "text", "content": "How warm?"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "21 deg"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "It is warm."}], "finish_reason": None},
    ],
    "OpenAI Responses items": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "How warm?"}]},
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "c1",
            "name": "weather",
            "arguments": '{"city":"Paris"}',
        },
        {"type": "function_call_output", "call_id": "c1", "output": "21 deg"},
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "It is warm."}],
        },
    ],
    "OpenAI chat": [
        {"role": "user", "content": "How warm?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "21 deg"},
        {"role": "assistant", "content": "It is warm."},
    ],
    "Anthropic": [
        {"role": "user", "content": "How warm?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Paris"}}],
        },
        {
            "role": "tool",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "21 deg"}]}
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "It is warm."}]},
    ],
    "Bedrock": {
        "messages": [
            {"role": "user", "content": [{"text": "How warm?"}]},
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Paris"}}}],
            },
            {
                "role": "tool",
                "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "21 deg"}]}}],
            },
            {"role": "assistant", "content": [{"text": "It is warm."}]},
        ]
    },
    "Gemini": {
        "contents": [
            {"role": "user", "parts": [{"text": "How warm?"}]},
            {
                "role": "model",
                "parts": [{"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Paris"}}}],
            },
            {"role": "tool", "parts": [{"functionResponse": {"id": "c1", "response": "21 deg"}}]},
            {"role": "model", "parts": [{"text": "It is warm."}]},
        ]
    },
    "Genkit": {
        "messages": [
            {"role": "user", "content": [{"text": "How warm?"}]},
            {
                "role": "model",
                "content": [{"toolRequest": {"name": "weather", "input": {"city": "Paris"}, "ref": "c1"}}],
            },
            {
                "role": "tool",
                "content": [{"toolResponse": {"name": "weather", "output": "21 deg", "ref": "c1"}}],
            },
            {"role": "model", "content": [{"text": "It is warm."}]},
        ]
    },
    "Vercel": [
        {"role": "user", "content": [{"type": "text", "text": "How warm?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": {"city": "Paris"}}
            ],
        },
        {
            "role": "tool",
            "content": [
                {
                    "type": "tool-result",
                    "toolCallId": "c1",
                    "toolName": "weather",
                    "output": {"type": "text", "value": "21 deg"},
                }
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "It is warm."}]},
    ],
    "Haystack": {
        "messages": [
            {"role": "user", "meta": {}, "name": None, "content": [{"text": "How warm?"}]},
            {
                "role": "assistant",
                "content": [
                    {"tool_call": {"tool_name": "weather", "arguments": {"city": "Paris"}, "id": "c1"}}
                ],
            },
            {
                "role": "tool",
                "content": [
                    {"tool_call_result": {"result": "21 deg", "origin": {"id": "c1"}, "error": False}}
                ],
            },
            {"role": "assistant", "content": [{"text": "It is warm."}]},
        ]
    },
    "LiveKit": {
        "items": [
            {"id": "i1", "type": "message", "role": "user", "content": ["How warm?"]},
            {
                "id": "i2",
                "type": "function_call",
                "call_id": "c1",
                "name": "weather",
                "arguments": '{"city":"Paris"}',
            },
            {
                "id": "i3",
                "type": "function_call_output",
                "call_id": "c1",
                "output": "21 deg",
                "is_error": False,
            },
            {"id": "i4", "type": "message", "role": "assistant", "content": ["It is warm."]},
        ]
    },
}


@pytest.mark.parametrize("form", CONVERSATIONS)
def test_a_tool_loop_is_read_in_every_form(form: str) -> None:
    expected = (ASKED, CALLED, RESULT, ANSWERED)
    for value in (
        CONVERSATIONS[form],
        json.dumps(CONVERSATIONS[form]),
        json.dumps(json.dumps(CONVERSATIONS[form])),
    ):
        read = read_messages(value, "user")
        assert tuple(Message(one.role, one.parts) for one in read) == expected


ANSWERS: dict[str, Json] = {
    "state of LangGraph": {"messages": [{"type": "ai", "data": {"content": "It is warm."}}]},
    "update of a node": {"agent": {"messages": [{"type": "ai", "content": "It is warm."}]}},
    "Command": [
        {"graph": None, "update": {"messages": [{"type": "ai", "content": "It is warm."}]}, "goto": []}
    ],
    "LangChain LLMResult": {
        "generations": [
            [
                {
                    "text": "It is warm.",
                    "message": {"lc": 1, "id": ["AIMessage"], "kwargs": {"content": "It is warm."}},
                }
            ]
        ]
    },
    "pairs": [["ai", "It is warm."]],
    "OpenAI chat completion": {
        "id": "x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "It is warm."}}],
    },
    "OpenAI response": {
        "object": "response",
        "prompt": None,
        "output": [
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "It is warm."}],
            }
        ],
    },
    "Anthropic message": {
        "role": "assistant",
        "type": "message",
        "content": [{"type": "text", "text": "It is warm."}],
    },
    "Bedrock Converse": {
        "output": {"message": {"role": "assistant", "content": [{"text": "It is warm."}]}},
        "usage": {},
    },
    "Gemini response": {"candidates": [{"content": {"parts": [{"text": "It is warm."}], "role": "model"}}]},
    "google-adk llm_response": {"content": {"parts": [{"text": "It is warm."}], "role": "model"}},
    "LlamaIndex": {
        "message": {"role": "assistant", "blocks": [{"block_type": "text", "text": "It is warm."}]}
    },
    "Genkit": {"message": {"role": "model", "content": [{"text": "It is warm."}]}, "finishReason": "stop"},
    "Haystack replies": {"replies": [{"role": "assistant", "content": [{"text": "It is warm."}]}]},
    "Logfire response_data": {"message": {"role": "assistant", "content": "It is warm."}, "usage": None},
    "DSPy": ["It is warm."],
    "text": "It is warm.",
}


@pytest.mark.parametrize("form", ANSWERS)
def test_an_answer_is_read_in_every_form(form: str) -> None:
    read = read_messages(ANSWERS[form], "assistant")
    assert tuple(Message(one.role, one.parts) for one in read) == (ANSWERED,)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"inline_data": {"mime_type": "image/png", "data": PNG}}, BlobPart("image", PNG, "image/png")),
        ({"inlineData": {"mimeType": "image/png", "data": PNG}}, BlobPart("image", PNG, "image/png")),
        (
            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v"}},
            UriPart("video", "gs://b/v", "video/mp4"),
        ),
        ({"image": {"format": "png", "source": {"bytes": PNG}}}, BlobPart("image", PNG, "image/png")),
        (
            {"document": {"format": "pdf", "name": "bill", "source": {"bytes": "JVBERi0="}}},
            BlobPart("document", "JVBERi0=", "application/pdf", "bill"),
        ),
        (
            {"media": {"url": f"data:image/png;base64,{PNG}", "contentType": "image/png"}},
            BlobPart("image", PNG, "image/png"),
        ),
        (
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            ReasoningPart("hm", signature="s"),
        ),
        (
            {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "hm"}]},
            ReasoningPart("hm", id="rs"),
        ),
        ({"text": "hm", "thought": True}, ReasoningPart("hm")),
        (
            {"type": "custom_tool_call", "call_id": "c", "name": "sh", "input": "ls"},
            ToolCallPart("sh", "ls", "c"),
        ),
        ({"type": "custom_tool_call_output", "call_id": "c", "output": "a b"}, ToolResponsePart("a b", "c")),
        (
            {"toolResult": {"toolUseId": "c", "content": [{"json": {"x": 1}}]}},
            ToolResponsePart({"x": 1}, "c"),
        ),
        ({"type": "function_call", "name": "f", "arguments": '"{\\"x\\": 1}"'}, ToolCallPart("f", '{"x":1}')),
    ],
)
def test_parts_of_each_provider_are_read(value: Json, expected: object) -> None:
    assert read_part(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"type": "novel", "deep": {"words": "forty-two"}},
        {"role": "assistant", "novel": "forty-two"},
        [{"role": "assistant", "content": "", "novel": ["forty-two"]}],
        {"messages": [{"what": "forty-two"}]},
        {"prompt": None, "novel": "forty-two"},
        {"choices": [{"novel": "forty-two"}]},
        {"message": {"novel": "forty-two"}},
        {"output": {"novel": {"message": {"novel": "forty-two"}}}},
        [[], ["forty-two"]],
        [1, 2, {"x": "forty-two"}],
        {"content": {"novel": "forty-two"}},
    ],
)
def test_nothing_is_read_to_nothing(value: Json) -> None:
    messages = read_messages(value, "assistant")
    assert "forty-two" in repr(messages)


def test_what_stands_beside_messages_is_kept() -> None:
    reading = read_value(
        {
            "messages": [{"role": "user", "content": "hi"}],
            "system": "Be brief.",
            "tools": [{"name": "f"}],
            "plan": [1],
        },
        "user",
    )
    assert [message.role for message in reading.messages] == ["system", "user"]
    assert (reading.tools, reading.rest) == ([{"name": "f"}], {"plan": [1]})


def test_definitions_of_tools_among_the_messages_are_tools() -> None:
    definition = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    reading = read_value([{"role": "user", "content": "hi"}, {"role": "tool", "content": definition}], "user")
    assert [message.role for message in reading.messages] == ["user"]
    assert reading.tools == [definition]


def test_a_message_without_known_content_keeps_its_fields() -> None:
    (message,) = read_messages([{"role": "assistant", "novel": 1}], "user")
    assert message == Message("assistant", (OtherPart({"novel": 1}),))


PARIS = {"city": "Paris"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ARGUMENTS: dict[str, dict[str, Json]] = {
    "OpenTelemetry": {"gen_ai.tool.call.arguments": json.dumps(PARIS)},
    "twice encoded": {"gen_ai.tool.call.arguments": json.dumps(json.dumps(PARIS))},
    "OpenInference with a schema": {"tool.parameters": json.dumps(SCHEMA), "input.value": json.dumps(PARIS)},
    "OpenInference": {"tool.parameters": json.dumps(PARIS)},
    "smolagents": {"input.value": json.dumps({"args": [], "sanitize_inputs_outputs": True, "kwargs": PARIS})},
    "a Python call": {"langfuse.observation.input": json.dumps({"args": [PARIS], "kwargs": {}})},
    "OpenLLMetry": {
        "traceloop.entity.input": json.dumps({"input_str": "{'city'..", "inputs": PARIS, "tags": []})
    },
    "LangGraph": {
        "input.value": json.dumps({"name": "weather", "args": PARIS, "id": "c1", "type": "tool_call"})
    },
    "Vercel": {"ai.toolCall.args": json.dumps(PARIS)},
    "LiveKit": {"lk.function_tool.arguments": json.dumps(PARIS)},
    "google-adk": {"gcp.vertex.agent.tool_call_args": json.dumps(PARIS)},
    "pydantic-ai": {"tool_arguments": json.dumps(PARIS)},
    "Genkit": {"genkit:input": json.dumps(PARIS)},
    "wrapped": {"input.value": json.dumps({"tool_input": PARIS})},
}


@pytest.mark.parametrize("emitter", ARGUMENTS)
def test_arguments_of_a_tool_are_the_arguments(emitter: str) -> None:
    found = read_tool_span("execute_tool weather", Attributes(ARGUMENTS[emitter], {}))
    assert found is not None
    (call,) = found.inputs[0].parts
    assert isinstance(call, ToolCallPart)
    assert (call.name, json.loads(call.arguments)) == ("weather", PARIS)


RESULTS: dict[str, Json] = {
    "text": "21 deg",
    "ToolMessage": json.dumps({"type": "tool", "data": {"content": "21 deg", "tool_call_id": "c1"}}),
    "ToolMessage, flat": json.dumps(
        {"type": "tool", "content": "21 deg", "tool_call_id": "c1", "status": "success"}
    ),
    "OpenLLMetry": json.dumps({"output": {"content": "21 deg", "tool_call_id": "c1"}, "kwargs": {}}),
    "content blocks": json.dumps([{"type": "text", "text": "21 deg"}]),
}


@pytest.mark.parametrize("form", RESULTS)
def test_the_result_of_a_tool_is_what_it_gave_back(form: str) -> None:
    found = read_tool_span("weather", Attributes({"output.value": RESULTS[form]}, {}))
    assert found is not None
    (answer,) = found.outputs[0].parts
    assert isinstance(answer, ToolResponsePart)
    assert answer.response == "21 deg"


@pytest.mark.parametrize(
    "value",
    [
        [{"page_content": "A winch pulls.", "metadata": {"source": "a.md"}, "id": "d1"}],
        {"documents": [{"id": "d1", "content": "A winch pulls.", "meta": {"source": "a.md"}}]},
        {"nodes": [{"node": {"id_": "d1", "text": "A winch pulls.", "metadata": {"source": "a.md"}}}]},
        [
            {
                "lc": 1,
                "id": ["Document"],
                "kwargs": {"page_content": "A winch pulls.", "id": "d1", "metadata": {"source": "a.md"}},
            }
        ],
        [{"document": {"id": "d1", "content": "A winch pulls.", "metadata": '{"source": "a.md"}'}}],
    ],
)
def test_documents_of_each_framework_are_documents(value: Json) -> None:
    assert find_documents(json.dumps(value)) == (DocumentPart("d1", "A winch pulls.", None, "", "a.md"),)
