"""What the fake provider says in OpenAI's Responses dialect; the other two are in `fake_answers`."""

import json
import zlib
from typing import TYPE_CHECKING, Any

_COUNTED = {  # developers.openai.com/api/reference/resources/responses/subresources/input_tokens
    "conversation", "input", "instructions", "model", "parallel_tool_calls", "personality",
    "previous_response_id", "reasoning", "text", "tool_choice", "tools", "truncation",
}  # fmt: skip
SEALED_ELSEWHERE = "sealed-elsewhere"  # encrypted content of another account

if TYPE_CHECKING:
    from tests.support.fake_answers import Ask


def response(ask: "Ask", usage: dict[str, Any] | None, fault: str) -> dict[str, Any]:
    """Return the whole response; `fault` may make it `incomplete` or `failed`."""
    status = fault if fault in {"incomplete", "failed"} else "completed"
    if ask.is_background and not ask.is_stream:
        status, usage = "queued", None
    return {
        "id": _id(ask),
        "object": "response",
        "created_at": 1_763_700_000,
        "status": status,
        "error": {"code": "server_error", "message": "The fake provider failed."}
        if fault == "failed"
        else None,
        "incomplete_details": {"reason": "max_output_tokens"} if fault == "incomplete" else None,
        "model": ask.model,
        "output": _items(ask) if status != "queued" else [],
        "parallel_tool_calls": True,
        "previous_response_id": ask.previous_id or None,
        "service_tier": "default",
        "store": True,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
        "metadata": {},
    }


def sealed_elsewhere() -> tuple[int, bytes]:
    """Refuse what another account encrypted, in OpenAI's words."""
    words = "The encrypted content for item rs_1 could not be verified. Reason: it could not be decrypted."
    error = {"message": words, "type": "invalid_request_error", "param": None}
    return 400, json.dumps({"error": {**error, "code": "invalid_encrypted_content"}}).encode()


def count(body: bytes) -> tuple[int, bytes]:
    """Count roughly; OpenAI refuses fields that count for nothing."""
    fields = json.loads(body)
    if unknown := [name for name in fields if name not in _COUNTED]:
        error = {"message": f"Unknown parameter: '{unknown[0]}'.", "type": "invalid_request_error"}
        return 400, json.dumps(
            {"error": {**error, "param": unknown[0], "code": "unknown_parameter"}}
        ).encode()
    tokens = len(json.dumps(fields.get("input"))) // 4
    return 200, json.dumps({"object": "response.input_tokens", "input_tokens": tokens}).encode()


def compacted(body: bytes) -> bytes:
    """Answer with one compaction item; its usage is 900 tokens in and 100 out."""
    usage = {"input_tokens": 900, "output_tokens": 100, "total_tokens": 1000}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    item = {"id": "cmp_1", "type": "compaction", "encrypted_content": "sealed"}
    made = {"id": "resp_cmp_1", "object": "response.compaction", "created_at": 1_763_700_000}
    return json.dumps({**made, "output": [item], "usage": {**usage, **details}}).encode()


def kept(method: str, path: str) -> tuple[int, bytes]:
    """Answer for a response that is kept; only those with `resp_` in their id exist."""
    reply_id = path.partition("?")[0].split("/responses/")[1].partition("/")[0]
    if not reply_id.startswith("resp_"):
        error = {"message": f"Response with id '{reply_id}' not found.", "type": "invalid_request_error"}
        return 404, json.dumps({"error": {**error, "param": "id", "code": None}}).encode()
    if method == "DELETE":
        return 200, json.dumps({"id": reply_id, "object": "response", "deleted": True}).encode()
    status = "cancelled" if path.endswith("/cancel") else "completed"
    part = {"type": "output_text", "text": "made in the background", "annotations": [], "logprobs": []}
    item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    usage = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
    body = {"id": reply_id, "object": "response", "status": status, "model": "m1", "output": [item]}
    body["usage"] = usage
    return 200, json.dumps(body).encode()


def frames(ask: "Ask", usage: dict[str, Any] | None, fault: str) -> list[bytes]:
    """Return the frames of a stream, the terminal one last."""
    final = response(ask, usage, fault)
    started = {**final, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    made: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": {**started, "error": None}}),
        ("response.in_progress", {"response": {**started, "error": None}}),
    ]
    for at, item in enumerate(_items(ask)):
        made += _text_events(ask, item, at) if item["type"] == "message" else _call_events(item, at)
        made.append(("response.output_item.done", {"output_index": at, "item": item}))
    made.append((f"response.{final['status']}", {"response": final}))
    return [_frame(kind, number, fields) for number, (kind, fields) in enumerate(made)]


def error_frame() -> bytes:
    return _frame("error", 99, {"code": "server_error", "message": "Overloaded", "param": None})


def _call_events(item: dict[str, Any], at: int) -> list[tuple[str, dict[str, Any]]]:
    field = "input" if item["type"] == "custom_tool_call" else "arguments"
    kind = f"response.{item['type']}_{field}"
    place = {"item_id": item["id"], "output_index": at}
    text, third = item[field], len(item[field]) // 3 + 1
    pieces = [text[begin : begin + third] for begin in range(0, len(text), third)]
    opened = {**item, "status": "in_progress", field: ""}
    return [
        ("response.output_item.added", {"output_index": at, "item": opened}),
        *((f"{kind}.delta", {**place, "delta": piece}) for piece in pieces),
        (f"{kind}.done", {**place, "name": item["name"], field: text}),
    ]


def _text_events(ask: "Ask", item: dict[str, Any], at: int) -> list[tuple[str, dict[str, Any]]]:
    place = {"item_id": item["id"], "output_index": at, "content_index": 0}
    part = item["content"][0]
    opened = {**item, "status": "in_progress", "content": []}
    return [
        ("response.output_item.added", {"output_index": at, "item": opened}),
        ("response.content_part.added", {**place, "part": {**part, "text": ""}}),
        *(
            ("response.output_text.delta", {**place, "delta": piece, "logprobs": [], "obfuscation": "x"})
            for piece in ask.pieces
        ),
        ("response.output_text.done", {**place, "text": ask.text, "logprobs": []}),
        ("response.content_part.done", {**place, "part": part}),
    ]


def _items(ask: "Ask") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if ask.has_text:
        part = {"type": "output_text", "text": ask.text, "annotations": [], "logprobs": []}
        message = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant"}
        items.append({**message, "content": [part]})
    for number, call in enumerate(ask.calls("call"), 1):
        kind, field = ("custom_tool_call", "input") if call.is_custom else ("function_call", "arguments")
        where = {"namespace": call.namespace} if call.namespace else {}
        item = {"id": f"fc_{number}", "type": kind, "status": "completed", "call_id": call.id}
        items.append({**item, **where, "name": call.name, field: call.arguments})
    return items


def _id(ask: "Ask") -> str:
    return f"resp_{zlib.crc32(repr(ask).encode()):08x}"


def _frame(kind: str, number: int, fields: dict[str, Any]) -> bytes:
    body = {"type": kind, "sequence_number": number, **fields}
    return (
        b"event: " + kind.encode() + b"\ndata: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"
    )
