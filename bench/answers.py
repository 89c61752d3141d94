"""What providers answer where translation is measured: made here, as the vendors document it.

Streams carry CHUNKS pieces of text, a frame each, as wide as a vendor's own: a stub would flatter its reader.
"""

import json
from typing import Any

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatReply, Finish, StreamEnd, StreamStart, TextDelta, UsageSeen
from sternpost.contracts.message import Message, TextPart, ToolCallPart
from sternpost.contracts.usage import Usage
from sternpost.dialects.protocols import Codec
from sternpost.dialects.registry import CODECS
from tests.support import event_stream

CHUNKS = 200
_TEXT = "A rope and a drum. " * 20
_INPUT = {"city": "Ulm"}
_RATING = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}


def whole(dialect: Dialect) -> bytes:
    """Return a reply of some text and one tool call."""
    if dialect in CODECS:
        parts = (TextPart(_TEXT), ToolCallPart("f", '{"city":"Ulm"}', "c1"))
        message = Message("assistant", parts, finish_reason="tool")
        return CODECS[dialect].write_reply(
            ChatReply("r1", "m", (message,), Usage(in_fresh=9, out_text=9), created_s=1)
        )
    return json.dumps(_WHOLE[dialect]).encode()


def stream(dialect: Dialect, head_body: bytes) -> list[bytes]:
    """Return the frames of a stream of text; head_body: a request of that dialect, if callers speak it."""
    pieces = [f" word{number}" for number in range(CHUNKS)]
    if dialect in CODECS:
        return _written(CODECS[dialect], head_body, pieces)
    if dialect == "gemini":
        frames = [_gemini_chunk(piece, number) for number, piece in enumerate(pieces, 1)]
        frames[-1]["candidates"][0]["finishReason"] = "STOP"
        return [b"data: " + _line(frame) + b"\r\n\r\n" for frame in frames]
    if dialect == "bedrock":
        return [event_stream.event(name, payload) for name, payload in _bedrock_events(pieces)]
    if dialect == "cohere":
        return [
            b"event: " + str(event["type"]).encode() + b"\ndata: " + _line(event) + b"\n\n"
            for event in _cohere_events(pieces)
        ]
    return [_line(line) + b"\n" for line in _ollama_lines(pieces)]


def _written(codec: Codec, head_body: bytes, pieces: list[str]) -> list[bytes]:
    writer = codec.open_writer(codec.read_head(head_body), created_s=1)
    events = [
        StreamStart("r1", "m"),
        *(TextDelta(piece) for piece in pieces),
        UsageSeen(Usage(in_fresh=9, out_text=CHUNKS)),
        Finish("end"),
        StreamEnd(),
    ]
    return [frame for event in events if (frame := writer.write(event))]


def _gemini_chunk(piece: str, number: int) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": piece}]}
    usage = {
        "promptTokenCount": 9,
        "candidatesTokenCount": number,
        "totalTokenCount": 9 + number,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
    }
    candidate = {"content": content, "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": "r1"}


def _bedrock_events(pieces: list[str]) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("messageStart", {"role": "assistant"}),
        *(("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}) for piece in pieces),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": _BEDROCK_USAGE, "metrics": {"latencyMs": 7}}),
    ]


def _cohere_events(pieces: list[str]) -> list[dict[str, Any]]:
    def content(**fields: str) -> dict[str, Any]:
        return {"message": {"content": fields}}

    return [
        {"type": "message-start", "id": "r1", "delta": {"message": {"role": "assistant", "content": []}}},
        {"type": "content-start", "index": 0, "delta": content(type="text", text="")},
        *({"type": "content-delta", "index": 0, "delta": content(text=piece)} for piece in pieces),
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": _COHERE_USAGE}},
    ]


def _ollama_lines(pieces: list[str]) -> list[dict[str, Any]]:
    head = {"model": "m", "created_at": "2026-01-26T17:15:24.097767Z"}
    said = [{**head, "message": {"role": "assistant", "content": piece}, "done": False} for piece in pieces]
    return [*said, {**head, "message": {"role": "assistant", "content": ""}, **_OLLAMA_END}]


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


_BEDROCK_USAGE = {"inputTokens": 9, "outputTokens": 9, "totalTokens": 18}
_COHERE_USAGE = {
    "billed_units": {"input_tokens": 9, "output_tokens": 9},
    "tokens": {"input_tokens": 209, "output_tokens": 9},
}
_OLLAMA_END = {"done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 9}
_WHOLE: dict[str, dict[str, Any]] = {
    "gemini": {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"text": _TEXT}, {"functionCall": {"name": "f", "args": _INPUT, "id": "c1"}}],
                },
                "finishReason": "STOP",
                "safetyRatings": [_RATING],
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 9,
            "candidatesTokenCount": 9,
            "totalTokenCount": 18,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
        },
        "modelVersion": "m",
        "responseId": "r1",
    },
    "bedrock": {
        "metrics": {"latencyMs": 7},
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"text": _TEXT},
                    {"toolUse": {"toolUseId": "c1", "name": "f", "input": _INPUT}},
                ],
            }
        },
        "stopReason": "tool_use",
        "usage": _BEDROCK_USAGE,
    },
    "cohere": {
        "id": "r1",
        "message": {
            "role": "assistant",
            "content": [{"type": "text", "text": _TEXT}],
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"city":"Ulm"}'}}
            ],
        },
        "finish_reason": "TOOL_CALL",
        "usage": _COHERE_USAGE,
    },
    "ollama": {
        "model": "m",
        "created_at": "2026-01-26T17:15:24.097767Z",
        "message": {
            "role": "assistant",
            "content": _TEXT,
            "tool_calls": [{"function": {"name": "f", "arguments": _INPUT}}],
        },
        **_OLLAMA_END,
    },
}
