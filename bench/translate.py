"""What translation costs between any two dialects, and how it grows with the body; no network, one thread."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench import answers
from bench.machine import YARDSTICK_US, yardstick_us
from sternpost.base.collection import collection_paused
from sternpost.base.ids import KeyId, ProjectId, SpanId, TraceId
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.contracts.call import CallRecord
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.span import SpanStatus
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.protocols import Codec, UpstreamCodec
from sternpost.dialects.registry import CODECS, UPSTREAM_CODECS

SMALL, LARGE = 500_000, 10_000_000
_TOOL = {"type": "object", "properties": {"city": {"type": "string", "description": "where"}}}


def measure() -> dict[str, Any]:
    """Return microseconds of CPU: per call and per chunk for every pair, and how they grow with the body.

    The machines we measure on change their speed by a factor of two within minutes, so that a fixed loop is
    timed before and after each pair, and what the pair took is given at the loop's usual time, too.
    """
    pairs = {
        f"{source}>{sink}": _pair(CODECS[source], UPSTREAM_CODECS[sink])
        for source in CODECS
        for sink in UPSTREAM_CODECS
    }
    crossing = {name: found for name, found in pairs.items() if len(set(name.split(">"))) == 2}
    calls = [found["usual_call_us"] for found in crossing.values()]
    chunks = [found["usual_chunk_us"] for found in crossing.values()]
    seen_calls = [found["call_us"] for found in crossing.values()]
    seen_chunks = [found["chunk_us"] for found in crossing.values()]
    yards = [found["yardstick_us"] for found in pairs.values()]
    growth = {name: _growth(codec) for name, codec in CODECS.items()}
    return {
        "yardstick_us": {"usual": YARDSTICK_US, "seen": [min(yards), max(yards)]},
        "pairs": pairs,
        "worst_call_ms": {"usual": round(max(calls) / 1000, 3), "seen": round(max(seen_calls) / 1000, 3)},
        "worst_chunk_us": {"usual": max(chunks), "seen": max(seen_chunks)},
        "growth": growth,
        "worst_growth": max(ratio for found in growth.values() for ratio in found.values()),
    }


def _pair(source: Codec, sink: UpstreamCodec) -> dict[str, float]:
    """Measure a caller of `source` at a provider of `sink`: the request there, the answer back."""
    body = _request(source, turns=2)
    before = yardstick_us()
    there = _us(lambda: sink.write_request(source.read_request(body), quirks=STANDARD, facts=None))
    answer = answers.whole(sink.name)
    back = _us(lambda: source.write_reply(sink.read_reply(answer)))
    head = source.read_head(body)
    frames = answers.stream(sink.name, _request(CODECS.get(sink.name, source), turns=1))

    def relay() -> None:
        opened = open_relay(sink, source, head, STANDARD)
        for frame in frames:
            opened.feed(frame)

    chunk = _us(relay) / answers.CHUNKS
    yardstick = (before + yardstick_us()) / 2
    usual = YARDSTICK_US / yardstick
    return {
        "request_us": there,
        "reply_us": back,
        "call_us": round(there + back, 1),
        "usual_call_us": round((there + back) * usual, 1),
        "chunk_us": round(chunk, 2),
        "usual_chunk_us": round(chunk * usual, 2),
        "yardstick_us": round(yardstick, 1),
    }


def _request(codec: Codec, *, turns: int, text: str = "What does a forklift lift, and how? " * 8) -> bytes:
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
        return _request(codec, turns=0, text="What does a forklift lift? " * (size // 27))
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
            works[f"to_{name}"] = partial(_translate, codec, sink)
    return works


def _translate(codec: Codec, sink: UpstreamCodec, body: bytes) -> None:
    """Translate as the gateway does, which pauses the collector for bodies of this size."""
    with collection_paused():
        sink.write_request(codec.read_request(body), quirks=STANDARD, facts=None)


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
