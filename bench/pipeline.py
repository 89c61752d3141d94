"""From the journal to the trace store: journal appends, drain rate, and the time until a call can be read."""

import json
import time
import urllib.request
from statistics import median
from typing import Any

from bench.gateway import ASK
from tests.support.running import RunningSternpost


def time_to_visible(sternpost: RunningSternpost, *, calls: int = 20) -> dict[str, float]:
    """Seconds from the end of a call until `GET /api/traces` lists it, one call at a time."""
    waits: list[float] = []
    for _ in range(calls):
        status, headers, _ = sternpost.request("POST", "/v1/chat/completions", ASK)
        assert status == 200
        began = time.perf_counter()
        while not _is_newest(sternpost, headers["x-sternpost-trace-id"]):
            if time.perf_counter() - began > 10:
                raise RuntimeError("a trace did not become visible within 10 s")
            time.sleep(0.01)
        waits.append(time.perf_counter() - began)
    return {"median": round(median(waits), 3), "max": round(max(waits), 3)}


def _is_newest(sternpost: RunningSternpost, trace_id: str) -> bool:
    items = sternpost.get("/api/traces?limit=1")["items"]
    return bool(items) and items[0]["trace_id"] == trace_id


def drain_rate(sternpost: RunningSternpost, *, batches: int = 120, spans: int = 500) -> dict[str, Any]:
    """Send OTLP batches as fast as they are acknowledged, then wait until every span can be queried."""
    began = time.perf_counter()
    for number in range(batches):
        body = json.dumps(batch_of(number, spans)).encode()
        request = urllib.request.Request(
            f"{sternpost.base_url}/v1/traces",
            data=body,
            headers={"authorization": f"Bearer {sternpost.key}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            assert reply.status == 200
    acknowledged_s = time.perf_counter() - began
    last = f"{batches - 1:016x}{1:016x}"
    while True:
        status, _, detail = sternpost.request("GET", f"/api/traces/{last}")
        if status == 200 and len(detail["spans"]) + detail["trace"].get("truncated_spans", 0) >= spans:
            break
        if time.perf_counter() - began > 120:
            raise RuntimeError("the spans did not become visible within 120 s")
        time.sleep(0.05)
    queryable_s = time.perf_counter() - began
    total = batches * spans
    return {
        "spans": total,
        "acknowledged_per_s": round(total / acknowledged_s),
        "queryable_per_s": round(total / queryable_s),
        "lag_after_last_ack_s": round(queryable_s - acknowledged_s, 2),
    }


def batch_of(number: int, spans: int) -> dict[str, Any]:
    now_ns = time.time_ns()
    made = [
        {
            "traceId": f"{number:016x}{1:016x}",
            "spanId": f"{number * spans + index + 1:016x}",
            "parentSpanId": "" if index == 0 else f"{number * spans + 1:016x}",
            "name": "chat m1",
            "kind": 3,
            "startTimeUnixNano": str(now_ns + index * 1000),
            "endTimeUnixNano": str(now_ns + index * 1000 + 5_000_000),
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.request.model", "value": {"stringValue": "m1"}},
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "120"}},
                {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "40"}},
                {"key": "step", "value": {"intValue": str(index)}},
            ],
        }
        for index in range(spans)
    ]
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "bench"}, "spans": made}]}]}
