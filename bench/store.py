"""The trace store alone: start, memory, insert rate and the newest traces of a large project.

Run `python -m bench.store --spans 2000000`; not part of `make bench`: filling a large store takes long.
"""

import argparse
import json
import time
from statistics import median
from typing import Any

from bench.machine import memory_mb
from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from tests.support.engine import EngineProcess, running_engine

_DAY_NS = 86_400 * 10**9
_COLUMNS = ["project_id", "trace_id", "span_id", "started_ns", "ended_ns", "request_model", "cost_nanousd"]
_COLUMNS += [
    "cost_status",
    "in_fresh",
    "out_text",
    "user_id",
    "tags",
    "preview_input",
    "preview_output",
    "attributes",
]
_NEWEST = """
SELECT trace_id, max(started_ns) AS newest_ns FROM (
    SELECT trace_id, started_ns FROM spans
    WHERE project_id = 'bench' AND started_ns >= {after:Int64} AND started_ns < {before:Int64}
    ORDER BY project_id DESC, started_ns DESC LIMIT 2000)
GROUP BY trace_id ORDER BY newest_ns DESC LIMIT 51
"""
_TIMES = """
SELECT min(first_started_ns), max(last_started_ns) FROM trace_times
WHERE project_id = 'bench' AND trace_id IN {traces:Array(String)}
"""
_SUMS = """
SELECT trace_id, count(), sum(cost_nanousd), min(started_ns), max(ended_ns), any(preview_input)
FROM spans FINAL WHERE project_id = 'bench' AND trace_id IN {traces:Array(String)}
AND started_ns BETWEEN {low:Int64} AND {high:Int64} GROUP BY trace_id
"""
_FILL = """
INSERT INTO spans (project_id, trace_id, span_id, started_ns, ended_ns, cost_nanousd, cost_status,
    preview_input, attributes)
SELECT 'bench', lower(hex(MD5(toString(intDiv(number, 4))))), leftPad(lower(hex(number)), 16, '0'),
    {newest:Int64} - toInt64(number) * {step:Int64} AS started, started + 900000000, 1234567, 'computed',
    repeat('How? ', 30), map('n', toString(number))
FROM numbers({first:UInt64}, 50000)
SETTINGS max_partitions_per_insert_block = 1000
"""


def measure(span_count: int) -> dict[str, Any]:
    began = time.perf_counter()
    with running_engine() as engine:
        start_s = time.perf_counter() - began
        store = engine.store()
        store.migrate()
        time.sleep(5)
        idle_mb = memory_mb(engine.pid)
        rate = _insert_rate(store)
        _fill(store, span_count)
        list_ms = [_list_ms(store) for _ in range(9)]
        store.close()
        return {
            "start_s": round(start_s, 2),
            "restart_full_s": round(_restart_s(engine), 2),
            "idle_mb": round(idle_mb),
            "insert_per_s_1000_rows": round(rate),
            "spans": span_count,
            "newest_50_traces_ms": {"first": round(list_ms[0], 1), "median": round(median(list_ms), 1)},
        }


def _insert_rate(store: ClickHouseTraceStore) -> float:
    now = time.time_ns()
    batches = [[_row(1000 * batch + turn, now) for turn in range(1000)] for batch in range(20)]
    began = time.perf_counter()
    for batch in batches:
        store.insert("spans", _COLUMNS, batch)
    return 20_000 / (time.perf_counter() - began)


def _row(number: int, now: int) -> list[object]:
    at = now - 3600 * 10**9 + number
    words = f"question {number} " * 10
    facts: list[object] = [
        "gpt-5",
        1_234_567,
        "computed",
        1200,
        300,
        f"u{number % 99}",
        ["beta"],
        words,
        words,
    ]
    return ["live", f"{number // 4:032x}", f"{number:016x}", at, at + 9, *facts, {"http.route": "/v1"}]


def _fill(store: ClickHouseTraceStore, span_count: int) -> None:
    step_ns = 10 * _DAY_NS // span_count
    for first in range(0, span_count, 50_000):
        store.command(_FILL, {"first": first, "newest": time.time_ns(), "step": step_ns})


def _list_ms(store: ClickHouseTraceStore) -> float:
    now = time.time_ns()
    began = time.perf_counter()
    traces = [row[0] for row in store.query(_NEWEST, {"after": now - _DAY_NS, "before": now}).rows]
    low, high = store.query(_TIMES, {"traces": traces}).rows[0]
    store.query(_SUMS, {"traces": traces, "low": low, "high": high})
    return (time.perf_counter() - began) * 1000


def _restart_s(engine: EngineProcess) -> float:
    engine.kill()
    began = time.perf_counter()
    engine.start()
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=2_000_000)
    print(json.dumps(measure(parser.parse_args().spans), indent=2))
