"""Whatever a filter finds its traces by, the list is complete and in order; or it says back to when it is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.clock import Clock, ManualClock
from sternpost.base.ids import ProjectId, new_id
from sternpost.capabilities.traces.records import TracePage
from sternpost.capabilities.traces.service import TraceQuery, Traces
from sternpost.contracts.trace_store import TraceStore
from tests.unit.capabilities.traces.calls import NOON, SECOND

COUNT = 6000  # traces over three days, the newest first; more than the index is asked about
STEP_NS = 3 * 86_400 * SECOND // COUNT
SPANS = """
INSERT INTO spans (project_id, trace_id, span_id, parent_span_id, type, name, started_ns, ended_ns, status,
    user_id, session_id, cost_nanousd, cost_status, usage_source, input_hashes, output_hashes, scope,
    received_ns, cache_saved_nanousd, attributes, environment)
WITH
    leftPad(lower(hex(number)), 15, '0') AS id,
    part = 0 AS is_call
SELECT {project:String}, concat('0', '0000000000000000', id), concat(toString(part), id),
    if(is_call, '', concat('0', id)), if(is_call, 'gateway', 'attempt'), 'call',
    {newest:Int64} - toInt64(number) * {step:Int64} + part, {newest:Int64},
    if(number % 10 = 3, 'error', 'ok'),
    concat('user-', toString(number % 100)), concat('s', toString(intDiv(number, 3))),
    if(is_call, toNullable(toInt64(number) * 1000), NULL), if(is_call, 'computed', ''),
    if(is_call, 'provider', ''),
    if(is_call, ['system', toString(number)], []), if(is_call, [concat('out', toString(number))], []),
    'sternpost.gateway', 1, if(is_call, toNullable(toInt64(number) * 10), NULL),
    if(is_call, map('part', toString(number % 500), 'of', '"the manual"'), map()),
    if(number % 1000 = 3, 'prod', '')
FROM numbers({count:UInt64}) ARRAY JOIN [0, 1] AS part
"""
CONTENT = """
INSERT INTO content (project_id, hash, body, first_seen_ns)
SELECT {project:String}, if(side = 0, toString(number), concat('out', toString(number))),
    if(side = 0, '{"role":"user","parts":[{"type":"text","content":"the question"}]}',
    concat('{"role":"assistant","parts":[{"type":"text","content":"the manual',
        if(number % 100 < 62, ' mostly', ''), if(number % 500 = 7, ' zanzibar coast', ''), '"}]}')),
    {newest:Int64} - toInt64(number) * {step:Int64}
FROM numbers({count:UInt64}) ARRAY JOIN [0, 1] AS side
"""


class Hasty(ManualClock):
    """Ten seconds pass each time someone looks."""

    def monotonic_ns(self) -> int:
        self.advance(10)
        return super().monotonic_ns()


@pytest.fixture(scope="module")
def filled(store: TraceStore) -> ProjectId:
    project = ProjectId(new_id("prj"))
    values = {"project": project, "newest": NOON, "step": STEP_NS, "count": COUNT}
    store.command(SPANS, values)
    store.command(CONTENT, values)
    return project


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SegmentJournal]:
    opened = SegmentJournal(tmp_path)
    yield opened
    opened.close()


async def pages(
    traces: Traces, project: ProjectId, query: str, limit: int, most: int = 100
) -> list[TracePage]:
    read: list[TracePage] = []
    cursor: str | None = ""
    while cursor is not None and len(read) < most:
        read.append(await traces.list(project, TraceQuery(limit, cursor, query)))
        cursor = read[-1].next_cursor
    return read


def numbers(read: Sequence[TracePage]) -> list[int]:
    return [int(item.trace_id, 16) for page in read for item in page.items]


def expected(query: str) -> list[int]:
    tests = {
        "mostly": lambda n: n % 100 < 62,
        "zanzibar": lambda n: n % 500 == 7,
        '"zanzibar coast"': lambda n: n % 500 == 7,
        "quagga": lambda n: False,
        "zanzibar -mostly": lambda n: False,
        "zanzibar session:s2": lambda n: n == 7,
        "zanzibar OR session:s1": lambda n: n % 500 == 7 or n // 3 == 1,
        "mostly user:user-13 status:error": lambda n: n % 100 == 13,
        "user:user-5 OR session:s40": lambda n: n % 100 == 5 or n // 3 == 40,
        "(user:user-5 -session:s1) cost>=0.005": lambda n: n % 100 == 5 and n >= 5000,
        "cost:>0.0059": lambda n: n > 5900,
        "cost:>1": lambda n: False,
        "-mostly cost:<0.0001": lambda n: n % 100 >= 62 and n < 100,
        f"trace:{9:032x}": lambda n: n == 9,
        "attr.part:7": lambda n: n % 500 == 7,
        'attr.part:8 attr.of:"the manual"': lambda n: n % 500 == 8,
        "attr.environment:prod": lambda n: n % 1000 == 3,
        "environment:prod status:error": lambda n: n % 1000 == 3,
        "environment:none": lambda n: False,
        "saved:>0.000059": lambda n: n > 5900,
        "duration:>71h": lambda n: n > 5916,  # trace n lasts n times 43.2 s
        "duration:>71h duration:<71.5h": lambda n: 5916 < n < 5959,
    }  # fmt: skip
    return [n for n in range(COUNT) if tests[query](n)]


@pytest.mark.parametrize(
    "query",
    [
        "zanzibar", '"zanzibar coast"', "quagga", "zanzibar -mostly", "zanzibar session:s2",
        "zanzibar OR session:s1", "mostly user:user-13 status:error", "user:user-5 OR session:s40",
        "(user:user-5 -session:s1) cost>=0.005", "cost:>0.0059", "cost:>1", "-mostly cost:<0.0001",
        f"trace:{9:032x}", "attr.part:7", 'attr.part:8 attr.of:"the manual"', "attr.environment:prod",
        "environment:prod status:error", "environment:none", "saved:>0.000059", "duration:>71h",
        "duration:>71h duration:<71.5h",
    ],
)  # fmt: skip
@pytest.mark.parametrize("clock", [ManualClock(NOON), Hasty(NOON)], ids=["patient", "hasty"])
async def test_pages_hold_every_match_once_newest_first(
    store: TraceStore, filled: ProjectId, journal: SegmentJournal, query: str, clock: Clock
) -> None:
    read = await pages(Traces(store, journal, clock), filled, query, limit=40)
    assert numbers(read) == expected(query)
    assert read[-1].searched_until is None


async def test_word_in_most_messages_is_found_in_all_of_the_newest_traces(
    store: TraceStore, filled: ProjectId, journal: SegmentJournal
) -> None:
    read = await pages(Traces(store, journal, ManualClock(NOON)), filled, "mostly", limit=200, most=6)
    assert numbers(read) == expected("mostly")[:1200]


async def test_search_that_takes_long_says_back_to_when_it_is_complete(
    store: TraceStore, filled: ProjectId, journal: SegmentJournal
) -> None:
    page = await Traces(store, journal, Hasty(NOON)).list(filled, TraceQuery(50, "", "status:truncated"))
    assert list(page.items) == []
    assert page.next_cursor is not None
    assert page.searched_until is not None
    assert page.searched_until.startswith("2026-11-")
