"""Random histories of writers, reads, commits and restarts against a list."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sternpost.backends.journal.layout import writer_names
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.journal.space import JournalLimits
from sternpost.contracts.journal import ReadRecord

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 8)),
        st.tuples(st.just("read"), st.integers(1, 10)),
        st.tuples(st.just("commit"), st.integers(0, 10)),
        st.tuples(st.just("reopen reader"), st.just(0)),
        st.tuples(st.just("reopen writer"), st.just(0)),
    ),
    max_size=30,
)
LIMITS = JournalLimits(segment_bytes=120, min_free_bytes=0)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example(
    [("append", 1), ("read", 1), ("commit", 1), ("reopen reader", 0), ("commit", 0), ("reopen reader", 0)]
)
@given(STEPS)
def test_reads_follow_appends_and_restarts_go_back_to_the_last_commit(steps: list[tuple[str, int]]):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(replay(Path(folder), steps))


async def replay(root: Path, steps: list[tuple[str, int]]) -> None:
    journal, reader = SegmentJournal(root, LIMITS), SegmentReader(root)
    undone: set[bytes] = set()  # appended and not committed
    outstanding: list[ReadRecord] = []  # read and not committed
    appended = 0
    for step, count in steps:
        if step == "append":
            fresh = [b"record %04d" % n for n in range(appended, appended + count)]
            await asyncio.gather(*(journal.append(payload, "written") for payload in fresh))
            appended += count
            undone.update(fresh)
        elif step == "read":
            outstanding += reader.read(max_records=count, max_bytes=10_000)
        elif step == "commit":
            done, outstanding = outstanding[:count], outstanding[count:]
            reader.commit(done)
            undone -= {record.payload for record in done}
        elif step == "reopen reader":
            reader.close()
            reader, outstanding = SegmentReader(root), []
        else:
            journal.close()
            journal = SegmentJournal(root, LIMITS)
        check(outstanding, undone)
    while records := reader.read(max_records=100, max_bytes=10_000):
        outstanding += records
    assert {record.payload for record in outstanding} == undone
    reader.commit(outstanding)
    journal.close()
    reader.read(max_records=1, max_bytes=1)
    reader.close()
    assert writer_names(root) == []


def check(outstanding: list[ReadRecord], undone: set[bytes]) -> None:
    payloads = [record.payload for record in outstanding]
    assert len(payloads) == len(set(payloads))
    assert undone >= set(payloads)
    for writer in {record.position.writer for record in outstanding}:
        mine = [record.payload for record in outstanding if record.position.writer == writer]
        assert mine == sorted(mine)  # each writer's records come in order
