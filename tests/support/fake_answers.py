"""What the fake provider says, on the wire of every dialect; deterministic, and knows nothing of sockets."""

import base64
import hashlib
import json
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.support import fake_azure as azure
from tests.support import fake_bedrock as bedrock
from tests.support import fake_coder as coder
from tests.support import fake_cohere as cohere
from tests.support import fake_ollama as ollama
from tests.support import fake_responses as responses
from tests.support import fake_schema as schemas
from tests.support import fake_thinking as thinking

TEXT = (
    "A forklift lifts what is heavy with a fork and a mast; it holds what it has lifted "
    "until someone lets it down again, slowly and on purpose."
)
WORDS = TEXT.split(" ")


@dataclass(frozen=True)
class Ask:
    """What matters of a request."""

    dialect: str
    model: str
    is_stream: bool
    prompt_tokens: int
    chunk_count: int
    tool_name: str  # empty: answer with text
    wants_usage: bool
    cached_tokens: int = 0
    previous_id: str = ""
    is_background: bool = False
    schema_json: str = ""  # of the structured output that was asked for
    is_thinking: bool = False
    mark: str = "1"  # of the request: another one is answered with other ids
    turn: coder.Turn | None = None  # of a coding agent's model

    @property
    def pieces(self) -> list[str]:
        if self.turn:
            return re.findall(r" ?[^ ]+", self.turn.text)
        if self.schema_json:
            return schemas.pieces_of(self.schema_json)
        return [("" if i == 0 else " ") + WORDS[i % len(WORDS)] for i in range(self.chunk_count)]

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def arguments(self) -> list[str]:
        return ['{"city":', ' "Par', 'is"}']

    def calls(self, prefix: str) -> tuple[coder.Call, ...]:
        """Return the calls of the answer; the one of no script has the id `<prefix>_1`."""
        if self.turn:
            return self.turn.calls
        return (coder.Call(f"{prefix}_1", self.tool_name, "".join(self.arguments)),) if self.tool_name else ()

    @property
    def has_text(self) -> bool:
        return not self.tool_name or self.turn is not None

    @property
    def completion_tokens(self) -> int:
        return 9 if self.tool_name else self.chunk_count


def read_ask(path: str, body: bytes, options: Mapping[str, str]) -> Ask:
    """Read a request: `chunks-50` as model gives 50 pieces; tools in it are called once."""
    mark = f"{zlib.crc32(body):08x}"
    if bedrock.model_of(path):
        return with_turn(Ask(**bedrock.read_ask(path, body, options)), body, options)
    request = json.loads(body)
    model = str(request.get("model", ""))
    messages = request.get("messages") or request.get("input") or []
    tools = request.get("tools") or []
    chunks = model.removeprefix("chunks-") if model.startswith("chunks-") else options.get("chunks", "8")
    ask = Ask(
        mark=mark,
        dialect=dialect_of(path),
        model=model.partition("?")[0],
        is_stream=bool(request.get("stream")),
        prompt_tokens=max(1, len(body) // 4),
        chunk_count=int(chunks),
        tool_name=_tool_name(tools[0]) if tools and not _is_tool_result(messages[-1]) else "",
        wants_usage=bool((request.get("stream_options") or {}).get("include_usage")),
        cached_tokens=int(options.get("cached", "0")),
        previous_id=str(request.get("previous_response_id") or ""),
        is_background=bool(request.get("background")),
        schema_json=schemas.schema_of(request),
        is_thinking="think" in options or thinking.is_asked(request.get("thinking")),
    )
    return with_turn(ask, body, options)


def with_turn(ask: Ask, body: bytes, options: Mapping[str, str]) -> Ask:
    """Let the model of a coding agent speak, where that is what the options ask for."""
    turn = coder.turn_of(json.loads(body)) if options.get("play") == "coder" else None
    return (
        replace(ask, turn=turn, tool_name=turn.calls[0].name if turn and turn.calls else "") if turn else ask
    )


def pieces_of(arguments: str) -> list[str]:
    """Cut the arguments of a call into three."""
    third = len(arguments) // 3 + 1
    return [arguments[at : at + third] for at in range(0, len(arguments), third)]


def dialect_of(path: str) -> str:
    if bedrock.model_of(path):
        return "bedrock"
    if path.endswith("/messages"):
        return "anthropic"
    if path.partition("?")[0].endswith("/v2/chat"):
        return "cohere"
    if path.partition("?")[0].endswith("/api/chat"):
        return "ollama"
    if path.startswith("/openai/") and "/chat/completions" in path:
        return "azure"
    return "openai_responses" if path.endswith("/responses") else "openai_chat"


def _tool_name(tool: dict[str, Any]) -> str:
    return str(tool["function"]["name"] if "function" in tool else tool["name"])


def _is_tool_result(message: Any) -> bool:
    if isinstance(message, str):
        return False
    if message.get("type") == "function_call_output":
        return True
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    return message.get("role") == "tool" or any(block.get("type") == "tool_result" for block in blocks)


def embeddings(body: bytes, fault: str) -> bytes:
    """Answer as OpenAI does: numbers drawn from the text, in the encoding that was asked for."""
    request = json.loads(body)
    given = request["input"]
    items = [given] if isinstance(given, str) or (given and isinstance(given[0], int)) else given
    size = int(request.get("dimensions") or 8)
    vectors = [_vector(json.dumps(item), size) for item in items]
    is_base64 = request.get("encoding_format") == "base64"
    found = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if is_base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = max(1, len(body) // 4)
    usage = {} if fault == "no-usage" else {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    model = request["model"].partition("?")[0]
    return _dump(
        {"id": "emb_1", "object": "list", "data": found if fault != "empty" else [], "model": model, **usage}
    )


def _vector(text: str, size: int) -> list[float]:
    digest = hashlib.sha512(text.encode()).digest() * (size // 64 + 1)
    return [(byte - 128) / 128 for byte in digest[:size]]  # exact in float32


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


BOUND_ELSEWHERE = "bound-elsewhere"  # the signature of thinking from another conversation


def bound_elsewhere() -> bytes:
    """Refuse to read such thinking, in Anthropic's words (its page "Fix a thinking block bound to ...")."""
    words = "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different"
    return error_body("anthropic", 400, f"{words} conversation. Remove the block.")


def count_tokens(body: bytes) -> bytes:
    return _dump({"input_tokens": max(1, len(body) // 4)})


def picture() -> bytes:
    """Answer with one picture (developers.openai.com/api/reference/resources/images/methods/generate)."""
    details = {"text_tokens": 5, "image_tokens": 50}
    usage = {"input_tokens": 55, "input_tokens_details": details, "output_tokens": 900, "total_tokens": 955}
    data = [{"b64_json": base64.b64encode(b"\x89PNG" + bytes(60_000)).decode()}]
    return _dump({"created": 1_763_700_000, "data": data, "usage": usage})


def echo(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Answer what arrived, as a careless host might."""
    digest = hashlib.sha256(body).hexdigest()
    return _dump(
        {"method": method, "path": path, "headers": dict(headers), "size": len(body), "sha256": digest}
    )


def usage_of(ask: Ask, fault: str) -> dict[str, Any] | None:
    if fault == "no-usage":
        return None
    if ask.dialect == "anthropic":
        return {
            "input_tokens": ask.prompt_tokens - ask.cached_tokens,
            "cache_read_input_tokens": ask.cached_tokens,
            "cache_creation_input_tokens": 0,
            "output_tokens": ask.completion_tokens,
        }
    total = ask.prompt_tokens + ask.completion_tokens
    if ask.dialect == "openai_responses":
        return {
            "input_tokens": ask.prompt_tokens,
            "input_tokens_details": {"cached_tokens": ask.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": ask.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": total + 1000 if fault == "wrong-usage" else total,
        }
    return {
        "prompt_tokens": ask.prompt_tokens,
        "completion_tokens": ask.completion_tokens,
        "total_tokens": total + 1000 if fault == "wrong-usage" else total,
        "prompt_tokens_details": {"cached_tokens": ask.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def whole(ask: Ask, fault: str) -> bytes:
    if ask.dialect == "bedrock":
        return _dump(bedrock.whole(ask, fault))
    if ask.dialect == "cohere":
        return cohere.whole(ask, fault)
    if ask.dialect == "ollama":
        return ollama.whole(ask, fault)
    usage = usage_of(ask, fault)
    if ask.dialect == "openai_responses":
        return _dump(responses.response(ask, usage, fault))
    with_usage = {} if usage is None else {"usage": usage}
    if ask.dialect == "anthropic":
        said: list[dict[str, Any]] = [{"type": "text", "text": ask.text}] if ask.has_text else []
        said += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)}
            for call in ask.calls("toolu")
        ]
        return _dump(
            {
                "id": f"msg_{ask.mark}",
                "type": "message",
                "role": "assistant",
                "model": ask.model,
                "content": [*thinking.blocks(ask.is_thinking), *said],
                "stop_reason": "tool_use" if ask.tool_name else "end_turn",
                "stop_sequence": None,
                **with_usage,
            }
        )
    content = ask.text if ask.has_text else None
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
    if ask.tool_name:
        message["tool_calls"] = [_chat_call(call, call.arguments) for call in ask.calls("call")]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": "tool_calls" if ask.tool_name else "stop",
    }
    return _dump({**_openai_head(ask, "chat.completion"), "choices": [choice], **with_usage})


def frames(ask: Ask, fault: str) -> list[bytes]:
    """Return the frames of a stream, the terminal marker last."""
    if ask.dialect == "bedrock":
        return bedrock.frames(ask, fault)
    if ask.dialect == "openai_responses":
        return responses.frames(ask, usage_of(ask, fault), fault)
    if ask.dialect == "cohere":
        return cohere.frames(ask, fault)
    if ask.dialect == "ollama":
        return ollama.frames(ask, fault)
    if ask.dialect == "azure":
        return azure.frames(_openai_frames(ask, fault))
    return _anthropic_frames(ask, fault) if ask.dialect == "anthropic" else _openai_frames(ask, fault)


def content_frame_count(ask: Ask) -> int:
    """Return how many frames come before the first piece of content."""
    return {"anthropic": 2, "openai_responses": 4, "azure": 2, "cohere": 2, "ollama": 0}.get(ask.dialect, 1)


def decisions(body: bytes) -> bytes:
    """Answer each question with its first choice; in lists or in maps, as they were asked."""
    asked = json.loads(body)
    questions = asked["questions"]
    usage = {"input_tokens": 40, "output_tokens": 0, "total_tokens": 40}
    if isinstance(questions, dict):
        found: object = {name: {"type": "noul", "noul": 0.86} for name in questions}
    else:
        shares = [{"value": "billing", "probability": 0.9}, {"value": "sales", "probability": 0.1}]
        found = [
            {"name": one["name"], "type": "choice", "choice": "billing", "probabilities": shares}
            for one in questions
        ]
    return _dump(
        {"id": "dec_1", "object": "decision", "model": asked["model"], "answers": found, "usage": usage}
    )


def error_body(dialect: str, status: int, fault: str) -> bytes:
    if dialect == "cohere":
        return cohere.error_body(fault)
    if dialect == "ollama":
        return ollama.error_body(fault)
    if dialect == "azure" and fault == "policy":
        return azure.policy_error()
    message, code = f"The fake provider was asked to fail: {fault}.", None
    if fault == "context":
        message, code = "This model's maximum context length is 8192 tokens.", "context_length_exceeded"
    if fault == "policy":
        message, code = "The request was stopped by the content filter.", "content_filter"
    if dialect == "bedrock":
        return bedrock.error_body(
            status, "Input is too long for requested model." if code == "context_length_exceeded" else message
        )
    kinds = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error",
             429: "rate_limit_error", 529: "overloaded_error"}  # fmt: skip
    fallback = "api_error" if dialect == "anthropic" else "server_error"
    kind = kinds.get(status, fallback if status >= 500 else "invalid_request_error")
    if dialect == "anthropic":
        if fault == "context":
            message = "prompt is too long: 250000 tokens > 200000 maximum"
        return _dump({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_up_1"})
    return _dump({"error": {"message": message, "type": kind, "param": None, "code": code}})


def error_frame(dialect: str) -> bytes:
    if dialect == "bedrock":
        return bedrock.error_frame()
    if dialect == "anthropic":
        return _event(
            "error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        )
    if dialect == "cohere":
        return cohere.error_frame()
    if dialect == "ollama":
        return ollama.error_frame()
    if dialect == "openai_responses":
        return responses.error_frame()
    return (
        b"data: " + _dump({"error": {"message": "Overloaded", "type": "server_error", "code": 503}}) + b"\n\n"
    )


def _openai_head(ask: Ask, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{ask.mark}",
        "object": kind,
        "created": 1_763_700_000,
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }


def _chat_call(call: coder.Call, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _openai_frames(ask: Ask, fault: str) -> list[bytes]:
    head = _openai_head(ask, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: " + _dump({**head, "choices": [choice]}) + b"\n\n"

    made = [chunk({"role": "assistant", "content": ""})]
    if ask.has_text:
        made += [chunk({"content": piece}) for piece in ask.pieces]
    for at, call in enumerate(ask.calls("call")):
        made.append(chunk({"tool_calls": [{"index": at, **_chat_call(call, "")}]}))
        made += [
            chunk({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})
            for piece in pieces_of(call.arguments)
        ]
    made.append(chunk({}, "tool_calls" if ask.tool_name else "stop"))
    usage = usage_of(ask, fault)
    if ask.wants_usage and usage is not None:
        made.append(b"data: " + _dump({**head, "choices": [], "usage": usage}) + b"\n\n")
    return [*made, b"data: [DONE]\n\n"]


def _anthropic_frames(ask: Ask, fault: str) -> list[bytes]:
    usage = usage_of(ask, fault) or {}
    message = {
        "id": f"msg_{ask.mark}", "type": "message", "role": "assistant", "model": ask.model, "content": [],
        "stop_reason": None, "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1} if usage else {"input_tokens": 0, "output_tokens": 0},
    }  # fmt: skip
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if ask.has_text:
        texts = [{"type": "text_delta", "text": piece} for piece in ask.pieces]
        blocks.append(({"type": "text", "text": ""}, texts))
    for call in ask.calls("toolu"):
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        inputs = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces_of(call.arguments)]
        blocks.append((block, inputs))
    stop = {"stop_reason": "tool_use" if ask.tool_name else "end_turn", "stop_sequence": None}
    end: dict[str, Any] = {"type": "message_delta", "delta": stop}
    if usage:
        end["usage"] = {"output_tokens": ask.completion_tokens}
    return [
        _event("message_start", {"type": "message_start", "message": message}),
        *(_event(event["type"], event) for event in thinking.events(ask.is_thinking)),
        *(
            frame
            for index, (block, deltas) in enumerate(blocks, int(ask.is_thinking))
            for frame in _block_frames(index, block, deltas)
        ),
        _event("message_delta", end),
        _event("message_stop", {"type": "message_stop"}),
    ]


def _block_frames(at: int, block: dict[str, Any], deltas: list[dict[str, Any]]) -> list[bytes]:
    return [
        _event("content_block_start", {"type": "content_block_start", "index": at, "content_block": block}),
        *(
            _event("content_block_delta", {"type": "content_block_delta", "index": at, "delta": delta})
            for delta in deltas
        ),
        _event("content_block_stop", {"type": "content_block_stop", "index": at}),
    ]


def _event(name: str, payload: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + _dump(payload) + b"\n\n"


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
