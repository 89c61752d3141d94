"""Call records as the gateway writes them, for the tests of traces."""

import json

from sternpost.base.ids import KeyId, ProjectId, new_span_id, new_trace_id
from sternpost.base.money import NanoUsd
from sternpost.contracts.call import AttemptRecord, CallRecord
from sternpost.contracts.span import SpanStatus, TraceAttributes
from sternpost.contracts.usage import Cost, CostStatus, Usage

SECOND = 1_000_000_000
NOON = 1_795_176_000 * SECOND  # 2026-11-20 12:00 UTC


def request_body(*texts: str, model: str = "fast", **fields: object) -> bytes:
    roles = ["system", *["user", "assistant"] * len(texts)]
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    return json.dumps({"model": model, "messages": messages, **fields}).encode()


def reply_body(text: str, model: str = "gpt-5-mini-2025-08-07") -> bytes:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    reply = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model}
    return json.dumps({**reply, "choices": [choice], "usage": usage}).encode()


def attempt(number: int = 1, status: SpanStatus = SpanStatus.OK, started_ns: int = NOON) -> AttemptRecord:
    return AttemptRecord(
        span_id=new_span_id(),
        number=number,
        provider="openai",
        model="gpt-5-mini",
        started_ns=started_ns + SECOND // 10,
        ended_ns=started_ns + SECOND,
        status=status,
        http_status=200 if status == SpanStatus.OK else 500,
    )


def call(project: ProjectId, **changes: object) -> CallRecord:
    """A call that took 1.1 s, of which the upstream took 0.9 s."""
    started_ns = changes.pop("started_ns", NOON)
    assert isinstance(started_ns, int)
    fields: dict[str, object] = {
        "project_id": project,
        "key_id": KeyId("key_1"),
        "trace_id": new_trace_id(),
        "span_id": new_span_id(),
        "parent_span_id": None,
        "operation": "chat",
        "started_ns": started_ns,
        "ended_ns": started_ns + SECOND * 11 // 10,
        "status": SpanStatus.OK,
        "http_status": 200,
        "dialect_in": "openai_chat",
        "dialect_out": "openai_chat",
        "request_model": "fast",
        "route": "fast",
        "provider": "openai",
        "target_model": "gpt-5-mini",
        "response_model": "gpt-5-mini-2025-08-07",
        "first_token_ns": started_ns + SECOND // 2,
        "trace": TraceAttributes(user_id="ada", session_id="s1", tags=("beta",)),
        "usage": Usage(in_fresh=10, in_cache_read=2, out_text=5),
        "cost": Cost(CostStatus.COMPUTED, NanoUsd(12_550), {"in_fresh": 2_550, "out_text": 10_000}, "v1"),
        "attempts": (attempt(started_ns=started_ns),),
        "request_body": request_body("Be brief.", "What is a forklift?"),
        "reply_body": reply_body("A machine for hoisting."),
    }
    return CallRecord(**{**fields, **changes})  # type: ignore[arg-type]
