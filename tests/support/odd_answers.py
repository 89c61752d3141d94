"""Answers of every dialect around texts and ends that a test chooses, as raw JSON: whole and streamed."""

from collections.abc import Sequence

from sternpost.contracts.call import Dialect
from tests.support import event_stream

SSE, JSON, LINES, BINARY = (
    "text/event-stream",
    "application/json",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
)
DIALECTS: tuple[Dialect, ...] = (
    "openai_chat",
    "openai_responses",
    "anthropic",
    "gemini",
    "bedrock",
    "cohere",
    "ollama",
)
# How each dialect says that a reply came to its end.
END: dict[Dialect, bytes] = {
    "openai_chat": b"stop",
    "openai_responses": b"completed",
    "anthropic": b"end_turn",
    "gemini": b"STOP",
    "bedrock": b"end_turn",
    "cohere": b"COMPLETE",
    "ollama": b"stop",
}


def stream_type(dialect: Dialect) -> str:
    return {"bedrock": BINARY, "ollama": LINES}.get(dialect, SSE)


def whole(dialect: Dialect, text: bytes, end: bytes | None = None) -> bytes:
    """Return a whole reply. text: the inside of a JSON string; end: another finish reason than the usual."""
    return _WHOLE[dialect].replace(b"TEXT", text).replace(b"END", end or END[dialect])


def stream(dialect: Dialect, texts: Sequence[bytes], end: bytes | None = None) -> bytes:
    """Return a stream with a delta for each text."""
    start, delta, ending = _STREAM[dialect]
    frames = [start, *(delta.replace(b"TEXT", text) for text in texts), *ending]
    frames = [one.replace(b"END", end or END[dialect]) for one in frames if one]
    if dialect == "ollama":
        return b"".join(one + b"\n" for one in frames)
    if dialect == "bedrock":
        return b"".join(_binary(one) for one in frames)
    return b"".join(b"data: " + one + b"\n\n" for one in frames)


def _binary(named: bytes) -> bytes:
    name, _, payload = named.partition(b" ")
    headers = [(":event-type", name.decode()), (":message-type", "event")]
    return event_stream.frame(b"".join(event_stream.string_header(*one) for one in headers), payload)


_WHOLE: dict[Dialect, bytes] = {
    "openai_chat": b'{"id":"c1","object":"chat.completion","created":1,"model":"m1","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"TEXT"},"finish_reason":"END"}],'
    b'"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}',
    "openai_responses": b'{"id":"resp_1","object":"response","created_at":1,"model":"m1","status":"END",'
    b'"output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":'
    b'[{"type":"output_text","text":"TEXT","annotations":[]}]}],'
    b'"usage":{"input_tokens":10,"output_tokens":2,"total_tokens":12}}',
    "anthropic": b'{"id":"msg_1","type":"message","role":"assistant","model":"m1","content":'
    b'[{"type":"text","text":"TEXT"}],"stop_reason":"END","usage":{"input_tokens":10,"output_tokens":2}}',
    "gemini": b'{"candidates":[{"content":{"role":"model","parts":[{"text":"TEXT"}]},"finishReason":"END",'
    b'"index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":2,"totalTokenCount":12},'
    b'"modelVersion":"m1","responseId":"r1"}',
    "bedrock": b'{"output":{"message":{"role":"assistant","content":[{"text":"TEXT"}]}},"stopReason":"END",'
    b'"usage":{"inputTokens":10,"outputTokens":2,"totalTokens":12}}',
    "cohere": b'{"id":"c1","finish_reason":"END","message":{"role":"assistant","content":'
    b'[{"type":"text","text":"TEXT"}]},"usage":{"billed_units":{"input_tokens":10,"output_tokens":2}}}',
    "ollama": b'{"model":"m1","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant",'
    b'"content":"TEXT"},"done":true,"done_reason":"END","prompt_eval_count":10,"eval_count":2}',
}
_STREAM: dict[Dialect, tuple[bytes, bytes, tuple[bytes, ...]]] = {
    "openai_chat": (
        b"",
        b'{"id":"c1","model":"m1","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}]}',
        (
            b'{"id":"c1","model":"m1","choices":[{"index":0,"delta":{},"finish_reason":"END"}]}',
            b'{"id":"c1","model":"m1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2}}',
            b"[DONE]",
        ),
    ),
    "openai_responses": (
        b'{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"m1",'
        b'"status":"in_progress"}}',
        b'{"type":"response.output_text.delta","sequence_number":1,"output_index":0,"content_index":0,'
        b'"item_id":"msg_1","delta":"TEXT"}',
        (
            b'{"type":"response.completed","sequence_number":2,"response":{"id":"resp_1","model":"m1",'
            b'"status":"END","output":[],"usage":{"input_tokens":10,"output_tokens":2}}}',
        ),
    ),
    "anthropic": (
        b'{"type":"message_start","message":{"id":"msg_1","model":"m1","content":[],'
        b'"usage":{"input_tokens":10,"output_tokens":0}}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"TEXT"}}',
        (
            b'{"type":"message_delta","delta":{"stop_reason":"END"},"usage":{"output_tokens":2}}',
            b'{"type":"message_stop"}',
        ),
    ),
    "gemini": (
        b"",
        b'{"candidates":[{"content":{"parts":[{"text":"TEXT"}]},"index":0}],"modelVersion":"m1",'
        b'"usageMetadata":{"promptTokenCount":10},"responseId":"r1"}',
        (
            b'{"candidates":[{"content":{"parts":[]},"finishReason":"END","index":0}],'
            b'"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":2,"totalTokenCount":12}}',
        ),
    ),
    "bedrock": (
        b'messageStart {"role":"assistant"}',
        b'contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"TEXT"}}',
        (
            b'messageStop {"stopReason":"END"}',
            b'metadata {"usage":{"inputTokens":10,"outputTokens":2,"totalTokens":12}}',
        ),
    ),
    "cohere": (
        b'{"type":"message-start","id":"c1","delta":{"message":{"role":"assistant"}}}',
        b'{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"TEXT"}}}}',
        (
            b'{"type":"message-end","delta":{"finish_reason":"END",'
            b'"usage":{"billed_units":{"input_tokens":10,"output_tokens":2}}}}',
        ),
    ),
    "ollama": (
        b"",
        b'{"model":"m1","created_at":"2026-01-01T00:00:00Z","message":{"content":"TEXT"},"done":false}',
        (
            b'{"model":"m1","message":{"content":""},"done":true,"done_reason":"END",'
            b'"prompt_eval_count":10,"eval_count":2}',
        ),
    ),
}
