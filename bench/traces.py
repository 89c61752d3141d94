"""Reading traces at scale: fills an engine of its own with calls and times what the API asks of it.

Run `python -m bench.traces --spans 10000000`; not part of `make bench`: filling a large store takes minutes.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import describe, memory_mb
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from sternpost.base.clock import SystemClock
from sternpost.base.errors import QueryTimedOut
from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.overview.figures import QUIET_NS
from sternpost.capabilities.traces.service import TraceQuery, Traces
from sternpost.capabilities.traces.writing.rollup import build_call_figures
from tests.support.engine import EngineProcess

PROJECT = ProjectId("bench")
_DAYS = 10
_DAY_NS = 86_400 * 10**9
_CHUNK = 16_000  # a multiple of 32: ten traces, seven of a call alone, three of an application around one
_FILL = """
INSERT INTO spans (project_id, trace_id, span_id, parent_span_id, type, name, started_ns, ended_ns, status,
    operation, error_type, user_id, session_id, tags, trace_name, provider, request_model, response_model,
    response_id, parameters, finish_reasons, time_to_first_token_ns, in_fresh, in_cache_read, out_text,
    usage_source, cost_nanousd, cost_status, cost_parts, price_version, key_id, route, target, http_status,
    overhead_ns,
    input_hashes, output_hashes, preview_input, preview_output, attributes, scope, mapping_version,
    received_ns)
WITH
    number % 32 AS place,
    intDiv(number, 32) * 10 + if(place < 14, intDiv(place, 2), 7 + intDiv(place - 14, 6)) AS trace,
    if(place < 14, 5 + place % 2, 1 + (place - 14) % 6) AS role,
    ['chain', 'retriever', 'llm', 'chain', 'gateway', 'attempt'][role] AS kind,
    number - [0, 1, 2, 1, 1, 1][role] AS parent,
    cityHash64(trace) AS dice,
    kind IN ('gateway', 'llm') AS is_call,
    ['gpt-5-mini', 'gpt-5', 'claude-haiku-4-5', 'mistral-large', 'gpt-5-mini'][dice % 5 + 1] AS model,
    toInt64(100000000 + exp(13 + (dice % 1000) / 125) * 1000) AS length_ns,
    {newest:Int64} - toInt64(trace) * {step:Int64} AS began_ns
SELECT
    'bench', lower(hex(MD5(toString(trace)))), leftPad(lower(hex(number)), 16, '0'),
    if(role = 1 OR place < 14 AND role = 5, '', leftPad(lower(hex(parent)), 16, '0')),
    kind, [ 'answer', 'search', 'chat model', 'POST', 'chat fast', 'attempt'][role],
    began_ns + role * 1000000, began_ns + role * 1000000 + length_ns,
    if(dice % 50 = 0 AND kind != 'retriever', 'error', 'ok'), if(is_call, 'chat', ''),
    if(dice % 50 = 0, 'upstream_timeout', ''),
    concat('user-', toString(dice % 5000)), concat('session-', toString(intDiv(trace, 7))), ['beta'],
    if(place < 14, '', 'docs_bot'), if(is_call OR kind = 'attempt', 'openai', ''),
    if(is_call, 'fast', ''), if(is_call, model, ''),
    if(is_call, concat('chatcmpl-', lower(hex(MD5(toString(trace))))), ''),
    if(is_call, '{"temperature":0.2}', ''), if(is_call, ['stop'], []),
    if(kind = 'gateway', toNullable(toInt64(90000000)), NULL),
    if(is_call, 200 + dice % 4000, 0), if(is_call, dice % 100, 0), if(is_call, dice % 700, 0),
    if(is_call, 'provider', ''), if(is_call, toNullable(toInt64(dice % 9000000)), NULL),
    if(is_call, 'computed', ''),
    if(is_call, map('in_fresh', toInt64(dice % 90), 'out_text', toInt64(dice % 900)), map()),
    if(is_call, '2026-11-01', ''), if(kind = 'gateway', 'key_1', ''), if(kind = 'gateway', 'fast', ''),
    if(kind = 'attempt', model, ''), if(kind IN ('gateway', 'attempt'), 200, 0),
    if(kind = 'gateway', 800000, 0),
    if(is_call, [lower(hex(SHA256('system'))), lower(hex(SHA256(toString(trace))))], []),
    if(is_call, [lower(hex(SHA256(concat('out', toString(trace)))))], []),
    if(role = 6, '', concat('How do I fetch part ', toString(trace), ' of the manual, and what is there?')),
    if(role = 6, '', concat('The manual says in part ', toString(trace), ' that it turns: ', toString(dice))),
    map('http.route', '/v1/chat/completions', 'n', toString(number)),
    if(place < 14 OR role > 4, 'sternpost.gateway', 'sternpost.sdk 0.1'), 1, began_ns + length_ns
FROM numbers({first:UInt64}, {count:UInt64})
SETTINGS max_partitions_per_insert_block = 1000, max_threads = 1, max_insert_threads = 1,
    max_block_size = 16000, min_insert_block_size_rows = 16000
"""
_FILL_LARGE = """
INSERT INTO spans (project_id, trace_id, span_id, parent_span_id, type, name, started_ns, ended_ns,
    attributes, preview_input, received_ns)
SELECT 'bench', {trace:String}, leftPad(lower(hex(number)), 16, 'f'), if(number = 0, '', 'fffffffffffffff0'),
    'tool', 'look up', {at:Int64} + number * 1000, {at:Int64} + number * 1000 + 500000,
    map('step', toString(number), 'text', repeat('so ', 50)), 'How?', {at:Int64}
FROM numbers({count:UInt64})
"""

# What each trace asked and was told. All answers say "manual", one in 20,000 "zanzibar", none "quagga".
_FILL_CONTENT = """
INSERT INTO content (project_id, hash, body, first_seen_ns)
SELECT 'bench', lower(hex(SHA256(concat(['', 'out'][side], toString(number))))),
    concat('{"role":"', ['user', 'assistant'][side], '","parts":[{"type":"text","content":"',
        if(side = 1, concat('How do I fetch part ', toString(number), ' of the book, and what is there?'),
            concat('The manual says in part ', toString(number), ' that it turns: ',
                toString(cityHash64(number)), if(number % 20000 = 19, ' near Zanzibar', ''))), '"}]}'),
    {newest:Int64} - toInt64(number) * {step:Int64}
FROM numbers({first:UInt64}, {count:UInt64}) ARRAY JOIN [1, 2] AS side
SETTINGS max_partitions_per_insert_block = 1000, max_threads = 1, max_insert_threads = 1
"""
_BUSY_PROJECT = ProjectId("busy")


def measure(home: Path, spans: int, runs: int, busy: int) -> dict[str, Any]:
    """Fill the engine of an empty folder, or use what it holds, and time each question `runs` times."""
    engine = EngineProcess(home)
    engine.start()
    try:
        store = engine.store()
        store.migrate()
        filled_s = _fill(store, spans, busy)
        timed = asyncio.run(_time_all(store, home, runs))
        store.close()
        return {
            "spans": spans,
            "busy_hour_spans": busy,
            "fill_s": filled_s,
            "load_average": [round(load, 2) for load in os.getloadavg()],
            "engine_mb": round(memory_mb(engine.pid)),
            "ms": timed,
        }
    finally:
        engine.stop()


def _fill(store: ClickHouseTraceStore, spans: int, busy: int) -> float:
    began = time.perf_counter()
    if store.query("SELECT count() FROM spans").rows[0][0]:
        return 0.0
    step_ns = _DAYS * _DAY_NS // max(spans * 10 // 32, 1)
    now_ns = time.time_ns()
    for first in range(0, spans, _CHUNK):
        chunk = {"first": first, "count": min(_CHUNK, spans - first), "newest": now_ns, "step": step_ns}
        store.command(_FILL, chunk)
        traces = {"first": first * 10 // 32, "count": int(chunk["count"]) * 10 // 32}
        store.command(_FILL_CONTENT, {**chunk, **traces})
    _fill_busy_hour(store, busy)
    for size in (1000, 6000):
        trace = f"{size:f>32}"
        store.command(_FILL_LARGE, {"trace": trace, "at": now_ns - _DAY_NS, "count": size})
    _age(store)
    return round(time.perf_counter() - began, 1)


def _fill_busy_hour(store: ClickHouseTraceStore, spans: int) -> None:
    """Give another project its spans within the last hour; nothing of it is kept from an earlier run."""
    store.command("ALTER TABLE spans DELETE WHERE project_id = 'busy' SETTINGS mutations_sync = 2")
    fill = _FILL.replace("'bench'", "'busy'", 1).replace(
        "MD5(toString(trace))", "MD5(concat('busy', toString(trace)))"
    )
    step_ns = 3600 * 10**9 // max(spans * 10 // 32, 1)
    newest_ns = time.time_ns()
    for first in range(0, spans, _CHUNK):
        count = min(_CHUNK, spans - first)
        store.command(fill, {"first": first, "count": count, "newest": newest_ns, "step": step_ns})


def _age(store: ClickHouseTraceStore) -> None:
    """Do what the engine and the worker do in the hours after a write."""
    days = [row[0] for row in store.query(_DAYS_HELD).rows]
    for day in days[:-2]:
        for table in ("spans", "trace_times"):
            store.command(f"OPTIMIZE TABLE {table} PARTITION {day} FINAL")
    print("waiting until the last write counts as past ...", flush=True)
    time.sleep(QUIET_NS / 1e9 + 2)
    while build_call_figures(store):
        print("building figures ...", flush=True)
    _touch_busy_hour(store)


def _touch_busy_hour(store: ClickHouseTraceStore) -> None:
    """Write one span to now and one to six minutes ago, as a live project does: their sums do not count."""
    fill = _FILL.replace("'bench'", "'busy'", 1)
    for back_s in (0, 360):
        newest_ns = time.time_ns() - back_s * 10**9
        store.command(fill, {"first": 10**9 + back_s * 32, "count": 1, "newest": newest_ns, "step": 0})


_DAYS_HELD = """
SELECT DISTINCT partition FROM system.parts WHERE active AND table = 'spans' ORDER BY partition
"""


async def _time_all(store: ClickHouseTraceStore, home: Path, runs: int) -> dict[str, Any]:
    with ExitStack() as stack:
        journal = SegmentJournal(home / "journal")
        stack.callback(journal.close)
        traces = Traces(store, journal, SystemClock())
        page = await traces.list(PROJECT, TraceQuery())
        queries = {
            "list": TraceQuery(),
            "list_second_page": TraceQuery(cursor=page.next_cursor or ""),
            "list_24h": TraceQuery(since="now-24h"),
            "filter_common": TraceQuery(filter="status:error"),
            "filter_user": TraceQuery(filter="user:user-77"),
            "filter_session": TraceQuery(filter="session:session-4321"),
            "filter_session_absent": TraceQuery(filter="session:none"),
            "filter_trace": TraceQuery(filter=f"trace:{page.items[40].trace_id}"),
            "filter_cost": TraceQuery(filter="cost:>0.0085"),
            "filter_cost_absent": TraceQuery(filter="cost:>5"),
            "text_common": TraceQuery(filter="manual"),
            "text_rare": TraceQuery(filter="zanzibar"),
            "text_absent": TraceQuery(filter="quagga"),
        }
        asks: dict[str, Callable[[], Awaitable[object]]] = {
            name: partial(traces.list, PROJECT, query) for name, query in queries.items()
        }
        for since in ("now-1h", "now-24h", "now-7d", "now-30d"):
            asks[f"overview_{since[4:]}"] = partial(traces.overview, PROJECT, since, "", "")
        asks["overview_busy_1h"] = partial(traces.overview, _BUSY_PROJECT, "now-1h", "", "")
        asks["trace"] = partial(traces.get, PROJECT, page.items[9].trace_id)
        for size in (1000, 6000):
            asks[f"trace_of_{size}_spans"] = partial(traces.get, PROJECT, f"{size:f>32}")
        timed = {name: await _timed(ask, runs) for name, ask in asks.items()}
        # The same questions so that no index and no sums answer, by turns: the ratio holds on any machine.
        patient = Traces(store, journal, _Patient())
        plain: dict[str, Callable[[], Awaitable[object]]] = {
            name: partial(patient.list, PROJECT, TraceQuery(filter=f"NOT NOT {query.filter}"))
            for name, query in queries.items()
            if name.startswith(("filter_user", "filter_session", "filter_trace", "filter_cost", "text_"))
        }
        plain["overview_busy_1h"] = partial(traces.overview, _BUSY_PROJECT, "now-1h", "", "10")
        for name, ask in plain.items():
            timed[name] |= await _beside(asks[name], ask, runs)
        return timed


class _Patient(SystemClock):
    """A clock by which no search takes long."""

    def monotonic_ns(self) -> int:
        return 0


async def _beside(
    ask: Callable[[], Awaitable[object]], plain: Callable[[], Awaitable[object]], runs: int
) -> dict[str, object]:
    """Time two ways to the same answer by turns."""
    turns = [(await _timed(ask, 1), await _timed(plain, 1)) for _ in range(max(runs // 2, 1))]
    pairs = [
        (float(str(one["min"])), float(str(two["min"]))) for one, two in turns if one["min"] and two["min"]
    ]
    if not pairs:
        return {"without_index": None, "ratio": None}
    return {
        "without_index": round(median(two for _, two in pairs), 1),
        "ratio": round(median(two / one for one, two in pairs), 1),
    }


async def _timed(ask: Callable[[], Awaitable[object]], runs: int) -> dict[str, object]:
    """Time one question, and the longest that the event loop stood still meanwhile."""
    taken: list[float] = []
    stalls: list[float] = []
    for _ in range(runs):
        beats = asyncio.create_task(_longest_stall(stalls))
        await asyncio.sleep(0)
        began = time.perf_counter()
        try:
            await ask()
        except QueryTimedOut:
            return {"min": None, "why": "timed out"}
        finally:
            beats.cancel()
        taken.append((time.perf_counter() - began) * 1000)
        if sum(taken) > 15_000:
            break
    return {
        "min": round(min(taken), 1),
        "median": round(median(taken), 1),
        "stall": round(max(stalls, default=0.0), 1),
    }


async def _longest_stall(stalls: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        stalls.append((time.perf_counter() - before) * 1000 - 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=2_000_000)
    parser.add_argument("--busy", type=int, default=300_000, help="spans of another project's last hour")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--home", type=Path, help="kept, and measured again without filling")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sternpost-bench-") as folder:
        found = measure(arguments.home or Path(folder), arguments.spans, arguments.runs, arguments.busy)
    stamp = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": describe()}
    path = Path(__file__).parent / "results" / f"{time.strftime('%Y-%m-%d')}-traces-{arguments.spans}.json"
    path.write_text(json.dumps({**stamp, **found}, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
