import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event, Thread

import pytest

from sternpost.backends.journal.reader import SegmentReader
from sternpost.base.errors import StoreUnavailable
from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.writing.drain import Drain
from sternpost.contracts.trace_store import TraceStore
from tests.support.polling import until
from tests.unit.capabilities.traces.calls import NOON, SECOND, call
from tests.unit.capabilities.traces.desk import Desk, span_count


@pytest.fixture
def desk(tmp_path: Path, store: TraceStore) -> Iterator[Desk]:
    desk = Desk(tmp_path, store)
    yield desk
    desk.close()


def test_journaled_call_is_in_the_store_with_its_messages(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    desk.write(call(project))
    assert desk.drain.drain_once() == 1
    sql = (
        "SELECT input_hashes, cost_nanousd, in_fresh, tags FROM spans "
        "WHERE project_id = {p:String} AND type = 'gateway'"
    )
    hashes, cost, fresh, tags = store.query(sql, {"p": project}).rows[0]
    assert (cost, fresh, tags) == (12_550, 10, ["beta"])
    sql = "SELECT count() FROM content WHERE project_id = {p:String} AND hash IN {hashes:Array(String)}"
    assert store.query(sql, {"p": project, "hashes": hashes}).rows[0][0] == 2


def test_drained_record_is_not_read_again(desk: Desk, store: TraceStore, project: ProjectId) -> None:
    desk.write(call(project), call(project))
    assert (desk.drain.drain_once(), desk.drain.drain_once()) == (2, 0)


def test_batch_repeated_after_a_crash_counts_once(desk: Desk, store: TraceStore, project: ProjectId) -> None:
    record = call(project)
    desk.write(record, record)
    desk.drain.drain_once()
    desk.write(record)
    desk.drain.drain_once()
    assert span_count(store, project) == 2  # gateway and attempt


def test_same_message_is_sent_to_the_store_once(desk: Desk, project: ProjectId) -> None:
    desk.write(call(project), call(project))
    desk.drain.drain_once()
    desk.write(call(project))
    desk.drain.drain_once()
    assert desk.drain.counts.contents == 3  # system, question, answer
    assert desk.drain.counts.contents_known == 6


def test_content_is_kept_with_the_spans_of_each_day(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    for hours in (0, 0, 24):
        desk.write(call(project, started_ns=NOON + hours * 3600 * SECOND))
    desk.drain.drain_once()
    sql = (
        "SELECT count() FROM content WHERE project_id = {p:String} "
        "GROUP BY toDate(fromUnixTimestamp64Nano(first_seen_ns, 'UTC'))"
    )
    assert store.query(sql, {"p": project}).rows == [(3,), (3,)]


def test_undecodable_record_is_set_aside_and_blocks_nothing(
    desk: Desk, store: TraceStore, project: ProjectId, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        desk.write(b"\x93not a record", call(project))
        desk.drain.drain_once()
    assert span_count(store, project) == 2
    assert desk.drain.counts.set_aside == 1
    assert [path.read_bytes() for path in desk.aside.glob("*.msgpack")] == [b"\x93not a record"]
    assert "can't be read" in next(desk.aside.glob("*.txt")).read_text()
    assert "set aside" in caplog.text


def test_row_that_the_store_refuses_is_set_aside_alone(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    desk.write(call(project), call(project, http_status=2**20), call(project))  # the column has 16 bits
    desk.drain.drain_once()
    assert span_count(store, project) == 5  # of the one at fault the attempt, which is sound
    assert desk.drain.counts.set_aside == 1
    assert desk.drain.drain_once() == 0


class FlakyStore:
    """The real store, away for the first few inserts."""

    def __init__(self, store: TraceStore, failures: int) -> None:
        self._store = store
        self.failures = failures

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the engine is away")
        self._store.insert(table, columns, rows)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


async def test_store_that_is_away_loses_nothing_and_is_said_once(
    tmp_path: Path, store: TraceStore, project: ProjectId, caplog: pytest.LogCaptureFixture
) -> None:
    flaky = FlakyStore(store, failures=3)
    desk = Desk(tmp_path, flaky)  # type: ignore[arg-type]  # delegates everything else
    await desk.append([call(project)])
    stop = Event()
    thread = Thread(target=desk.drain.run, args=(stop,))
    with caplog.at_level(logging.INFO):
        thread.start()
        await until(lambda: span_count(store, project) == 2)
        stop.set()
        thread.join(timeout=10)
    desk.close()
    assert desk.drain.counts.failures == 3
    assert caplog.text.count("the journal keeps them") == 1
    assert caplog.text.count("accepts spans again") == 1


def test_failed_insert_leaves_the_records_in_the_journal(
    tmp_path: Path, store: TraceStore, project: ProjectId
) -> None:
    desk = Desk(tmp_path, FlakyStore(store, failures=1))  # type: ignore[arg-type]  # delegates the rest
    desk.write(call(project))
    with pytest.raises(StoreUnavailable):
        desk.drain.drain_once()
    desk.reader.close()
    again = Drain(SegmentReader(desk.root), store, desk.blobs, aside=desk.aside)
    assert again.drain_once() == 1
    desk.close()


async def test_a_call_becomes_visible_by_itself(desk: Desk, store: TraceStore, project: ProjectId) -> None:
    stop = Event()
    thread = Thread(target=desk.drain.run, args=(stop,))
    thread.start()
    try:
        await desk.append([call(project)])
        await until(lambda: span_count(store, project) == 2, timeout_s=20)
    finally:
        stop.set()
        thread.join(timeout=10)
