"""What Ollama's own chat says, as the fake provider answers it: one line of JSON for each piece.

Source: https://docs.ollama.com/api/chat.
"""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.fake_answers import Ask


def whole(ask: "Ask", fault: str) -> bytes:
    return _line(ask, _said(ask, ask.text), fault, is_last=True)


def frames(ask: "Ask", fault: str) -> list[bytes]:
    pieces = ["" if ask.tool_name else piece for piece in (ask.pieces[:1] if ask.tool_name else ask.pieces)]
    made = [_line(ask, _said(ask, piece), fault) for piece in pieces]
    return [*made, _line(ask, {"role": "assistant", "content": ""}, fault, is_last=True)]


def error_body(fault: str) -> bytes:
    return json.dumps({"error": f"the fake provider was asked to fail: {fault}"}).encode()


def error_frame() -> bytes:
    return b'{"error":"an error was encountered while running the model"}\n'


def _said(ask: "Ask", text: str) -> dict[str, Any]:
    if not ask.tool_name:
        return {"role": "assistant", "content": text}
    function = {"name": ask.tool_name, "arguments": {"city": "Paris"}}
    return {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}


def _line(ask: "Ask", message: dict[str, Any], fault: str, *, is_last: bool = False) -> bytes:
    line = {
        "model": ask.model,
        "created_at": "2025-10-26T17:15:24.097767Z",
        "message": message,
        "done": is_last,
    }
    if is_last:
        line |= {"done_reason": "stop", "total_duration": 5, "load_duration": 1}
    if is_last and fault != "no-usage":
        line |= {"prompt_eval_count": ask.prompt_tokens, "eval_count": ask.completion_tokens}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
