"""What Cohere's chat and embeddings say, as the fake provider answers them; knows nothing of sockets.

Source: https://docs.cohere.com/reference/chat, .../chat-stream and .../embed.
"""

import base64
import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.fake_answers import Ask

_PLAN = "I will look it up."


def usage_of(ask: "Ask", fault: str) -> dict[str, Any]:
    """Bill what was asked and said; count Cohere's own instructions around the prompt beside it."""
    billed = {"input_tokens": ask.prompt_tokens, "output_tokens": ask.completion_tokens}
    if fault == "wrong-usage":
        billed["output_tokens"] += 1000
    tokens = {"input_tokens": ask.prompt_tokens + 200, "output_tokens": ask.completion_tokens}
    cached = {"cached_tokens": ask.cached_tokens} if ask.cached_tokens else {}
    return {"billed_units": billed, "tokens": tokens, **cached}


def whole(ask: "Ask", fault: str) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": [{"type": "text", "text": ask.text}]}
    if ask.tool_name:
        call = {"id": f"{ask.tool_name}_1", "type": "function"}
        function = {"name": ask.tool_name, "arguments": "".join(ask.arguments)}
        message = {"role": "assistant", "tool_plan": _PLAN, "tool_calls": [{**call, "function": function}]}
    usage = {} if fault == "no-usage" else {"usage": usage_of(ask, fault)}
    finish = "TOOL_CALL" if ask.tool_name else "COMPLETE"
    return json.dumps({"id": "co_1", "message": message, "finish_reason": finish, **usage}).encode()


def frames(ask: "Ask", fault: str) -> list[bytes]:
    made = [_event("message-start", id="co_1", delta={"message": {"role": "assistant", "content": []}})]
    made += _tool_frames(ask) if ask.tool_name else _text_frames(ask)
    usage = {} if fault == "no-usage" else {"usage": usage_of(ask, fault)}
    finish = "TOOL_CALL" if ask.tool_name else "COMPLETE"
    return [*made, _event("message-end", delta={"finish_reason": finish, **usage})]


def _text_frames(ask: "Ask") -> list[bytes]:
    def content(**fields: str) -> dict[str, Any]:
        return {"message": {"content": fields}}

    return [
        _event("content-start", index=0, delta=content(type="text", text="")),
        *(_event("content-delta", index=0, delta=content(text=piece)) for piece in ask.pieces),
        _event("content-end", index=0),
    ]


def _tool_frames(ask: "Ask") -> list[bytes]:
    def call(**fields: Any) -> dict[str, Any]:
        return {"message": {"tool_calls": fields}}

    function = {"name": ask.tool_name, "arguments": ""}
    start = call(id=f"{ask.tool_name}_1", type="function", function=function)
    return [
        _event("tool-plan-delta", delta={"message": {"tool_plan": _PLAN}}),
        _event("tool-call-start", index=0, delta=start),
        *(
            _event("tool-call-delta", index=0, delta=call(function={"arguments": piece}))
            for piece in ask.arguments
        ),
        _event("tool-call-end", index=0),
    ]


def error_body(fault: str) -> bytes:
    message = f"the fake provider was asked to fail: {fault}"
    if fault == "context":
        message = "too many tokens: size limit exceeded by 11326 tokens. The limit is 128000 tokens."
    return json.dumps({"id": "co_1", "message": message}).encode()


def error_frame() -> bytes:
    return _event("message-end", delta={"finish_reason": "ERROR", "error": "Overloaded"})


def embeddings(body: bytes) -> bytes:
    request = json.loads(body)
    kind = request["embedding_types"][0]
    size = int(request.get("output_dimension") or 4)
    vectors: list[Any] = [[(i + n) / 8 for n in range(size)] for i, _ in enumerate(request["texts"])]
    if kind == "base64":
        vectors = [base64.b64encode(struct.pack(f"<{size}f", *vector)).decode() for vector in vectors]
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": len(body) // 4}}
    reply = {"id": "emb_1", "embeddings": {kind: vectors}, "texts": request["texts"], "meta": meta}
    return json.dumps({**reply, "response_type": "embeddings_by_type"}).encode()


def rerank(body: bytes) -> bytes:
    count = len(json.loads(body)["documents"])
    results = [{"index": i, "relevance_score": 1 - i / 10} for i in range(count)]
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return json.dumps({"id": "rr_1", "results": results, "meta": meta}).encode()


def _event(name: str, **payload: Any) -> bytes:
    text = json.dumps({"type": name, **payload}, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode()
