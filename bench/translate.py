"""What translation costs between any two dialects, and how it grows with the body; no network, one thread."""

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from windlass.base.ids import KeyId, ProjectId, SpanId, TraceId
from windlass.capabilities.traces.mapping import spans_of_call
from windlass.contracts.call import CallRecord
from windlass.contracts.chat import (
    ChatReply,
    Finish,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    UsageSeen,
)
from windlass.contracts.dialect import Codec, UpstreamCodec
from windlass.contracts.message import Message, TextPart, ToolCallPart
from windlass.contracts.provider import STANDARD
from windlass.contracts.span import SpanStatus
from windlass.contracts.usage import Usage
from windlass.dialects.registry import CODECS, UPSTREAM_CODECS
from windlass.dialects.relay import open_relay

FIXTURES = Path(__file__).parents[1] / "tests" / "unit" / "dialects" / "fixtures"
CHUNKS = 200
SMALL, LARGE = 500_000, 10_000_000
_TOOL = {"type": "object", "properties": {"city": {"type": "string", "description": "where"}}}


def measure() -> dict[str, Any]:
    """Return microseconds of CPU: per call and per chunk for every pair, and how they grow with the body."""
    pairs = {
        f"{source}>{sink}": _pair(CODECS[source], UPSTREAM_CODECS[sink])
        for source in CODECS
        for sink in UPSTREAM_CODECS
    }
    crossing = {name: found for name, found in pairs.items() if len(set(name.split(">"))) == 2}
    calls = [found["call_us"] for found in crossing.values()]
    chunks = [found["chunk_us"] for found in crossing.values() if "chunk_us" in found]
    growth = {name: _growth(codec) for name, codec in CODECS.items()}
    return {
        "pairs": pairs,
        "worst_call_ms": round(max(calls) / 1000, 3),
        "worst_chunk_us": max(chunks),
        "growth": growth,
        "worst_growth": max(ratio for found in growth.values() for ratio in found.values()),
    }


def _pair(source: Codec, sink: UpstreamCodec) -> dict[str, float]:
    """Measure a caller of `source` at a provider of `sink`: the request there, the answer back."""
    body = _request(source, turns=2)
    there = _us(lambda: sink.write_request(source.read_request(body), quirks=STANDARD, facts=None))
    answer = _answer(sink)
    back = _us(lambda: source.write_reply(sink.read_reply(answer))) if answer else 0.0
    found = {"request_us": there, "reply_us": back, "call_us": round(there + back, 1)}
    if stream := _stream(sink):
        head = source.read_head(body)
        found["chunk_us"] = round(
            _us(lambda: open_relay(sink, source, head, STANDARD).feed(stream[0])) / stream[1], 2
        )
    return found


def _request(codec: Codec, *, turns: int, text: str = "What does a windlass lift, and how? " * 8) -> bytes:
    """Write a conversation with tools, calls and results, as callers of a dialect do."""
    messages: list[dict[str, Any]] = []
    for number in range(turns):
        if codec.name == "anthropic":
            call = {"type": "tool_use", "id": f"c{number}", "name": "f", "input": {"city": "Ulm"}}
            result = {"type": "tool_result", "tool_use_id": f"c{number}", "content": text}
            messages += [
                {"role": "user", "content": text},
                {"role": "assistant", "content": [{"type": "text", "text": text}, call]},
                {"role": "user", "content": [result]},
                {"role": "assistant", "content": text},
            ]
        else:
            call = {"id": f"c{number}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            messages += [
                {"role": "user", "content": text},
                {"role": "assistant", "content": text, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": f"c{number}", "content": text},
                {"role": "assistant", "content": text},
            ]
    messages.append({"role": "user", "content": text})
    return json.dumps(_wrapped(codec, messages)).encode()


def _wrapped(codec: Codec, messages: list[dict[str, Any]]) -> dict[str, Any]:
    if codec.name == "anthropic":
        tools = [{"name": "f", "input_schema": _TOOL}]
        return {"model": "m", "max_tokens": 500, "system": "Be brief.", "tools": tools, "messages": messages}
    if codec.name == "openai_responses":
        items: list[dict[str, Any]] = []
        for message in messages:
            if message["role"] == "tool":
                items.append(
                    {
                        "type": "function_call_output",
                        "call_id": message["tool_call_id"],
                        "output": message["content"],
                    }
                )
                continue
            items.append({"role": message["role"], "content": message["content"]})
            items += [
                {"type": "function_call", "call_id": call["id"], **call["function"]}
                for call in message.get("tool_calls", ())
            ]
        tool = {"type": "function", "name": "f", "parameters": _TOOL}
        return {"model": "m", "instructions": "Be brief.", "tools": [tool], "input": items}
    tool = {"type": "function", "function": {"name": "f", "parameters": _TOOL}}
    return {
        "model": "m",
        "tools": [tool],
        "messages": [{"role": "system", "content": "Be brief."}, *messages],
    }


def _answer(codec: UpstreamCodec) -> bytes:
    """Return a reply as a provider writes it: ours, or a fixture where we only read the dialect."""
    if codec.name in CODECS:
        parts = (TextPart("A rope and a drum. " * 20), ToolCallPart("f", '{"city":"Ulm"}', "c1"))
        message = Message("assistant", parts, finish_reason="tool")
        return CODECS[codec.name].write_reply(ChatReply("r1", "m", (message,), Usage(in_fresh=9, out_text=9)))
    path = FIXTURES / f"{codec.name}_reply.json"
    return path.read_bytes() if path.is_file() else b""


def _stream(codec: UpstreamCodec) -> tuple[bytes, int] | None:
    """Return a stream of text chunks and how many they are."""
    if codec.name in CODECS:
        head = CODECS[codec.name].read_head(_request(CODECS[codec.name], turns=1))
        writer = CODECS[codec.name].open_writer(head, created_s=1)
        events: Sequence[StreamEvent] = [
            StreamStart("r1", "m"),
            *(TextDelta(f" word{number}") for number in range(CHUNKS)),
            UsageSeen(Usage(in_fresh=9, out_text=CHUNKS)),
            Finish("end"),
            StreamEnd(),
        ]
        return b"".join(writer.write(event) for event in events), CHUNKS
    path = FIXTURES / f"{codec.name}_text.sse"
    if not path.is_file():
        return None
    body = path.read_bytes()
    return body, max(1, body.count(b"\n\n"))


def _growth(codec: Codec) -> dict[str, float]:
    """Return how much more 10 MB cost than 0.5 MB, for many turns and for one text of that size."""
    found: dict[str, float] = {}
    for shape in ("turns", "text"):
        small, large = (_sized(codec, size, shape) for size in (SMALL, LARGE))
        for name, work in _works(codec).items():
            ratio = _us(partial(work, large), 3) / _us(partial(work, small), 3)
            found[f"{shape}.{name}"] = round(ratio, 1)
    return found


def _sized(codec: Codec, size: int, shape: str) -> bytes:
    if shape == "text":
        return _request(codec, turns=0, text="What does a windlass lift? " * (size // 27))
    one = len(_request(codec, turns=2)) - len(_request(codec, turns=1))
    return _request(codec, turns=size // one)


def _works(codec: Codec) -> dict[str, Callable[[bytes], object]]:
    works: dict[str, Callable[[bytes], object]] = {
        "read_head": codec.read_head,
        "edit": lambda body: codec.edit(codec.read_head(body), model="n", quirks=STANDARD, facts=None),
        "record": lambda body: spans_of_call(_record(codec, body), 1),
    }
    for name, sink in UPSTREAM_CODECS.items():
        if name != codec.name:
            works[f"to_{name}"] = lambda body, sink=sink: sink.write_request(
                codec.read_request(body), quirks=STANDARD, facts=None
            )
    return works


def _record(codec: Codec, body: bytes) -> CallRecord:
    return CallRecord(
        project_id=ProjectId("p"),
        key_id=KeyId("k"),
        trace_id=TraceId("t" * 32),
        span_id=SpanId("s" * 16),
        parent_span_id=None,
        operation="chat",
        started_ns=1,
        ended_ns=2,
        status=SpanStatus.OK,
        http_status=200,
        dialect_in=codec.name,
        request_body=body,
    )


def _us(work: Callable[[], object], rounds: int = 7) -> float:
    """Return CPU microseconds, the best of some rounds of at least 2 ms: what is above it is the machine."""
    work()
    times: list[float] = []
    for _ in range(rounds):
        count, began = 0, time.process_time()
        while count == 0 or time.process_time() - began < 0.002:
            work()
            count += 1
        times.append((time.process_time() - began) / count * 1e6)
    return round(min(times), 1)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
