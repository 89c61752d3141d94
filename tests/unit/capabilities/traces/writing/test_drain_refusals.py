"""What the drain does with rows that the store refuses: each refusal is the real engine's own."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from sternpost.base.errors import StoreUnavailable
from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.writing.drain import Drain, DrainCounts
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.contracts.journal import BatchEntry, JournalEntry
from sternpost.contracts.span import SpanBundle
from sternpost.contracts.trace_store import TraceStore
from tests.support.polling import until
from tests.unit.capabilities.traces.calls import NOON, SECOND, call
from tests.unit.capabilities.traces.desk import Desk, span_count

DAY = 86_400 * SECOND


@pytest.fixture
def desk(tmp_path: Path, store: TraceStore) -> Iterator[Desk]:
    desk = Desk(tmp_path, store)
    yield desk
    desk.close()


@contextmanager
def refusing(store: TraceStore, project: ProjectId, is_poison: str) -> Generator[None]:
    """Let the table itself say no to some rows of the project, with an error that names them."""
    store.command(
        f"ALTER TABLE spans ADD CONSTRAINT of_test CHECK project_id != '{project}' OR NOT ({is_poison})"
    )
    yield
    store.command("ALTER TABLE spans DROP CONSTRAINT of_test")


@contextmanager
def failing(store: TraceStore, project: ProjectId, is_poison: str) -> Generator[None]:
    """Let a view behind the table fail on some rows of the project, with an error nobody thought of."""
    store.command(
        "CREATE MATERIALIZED VIEW of_test ENGINE = Null AS "
        f"SELECT throwIf(project_id = '{project}' AND {is_poison}) AS thrown FROM spans"
    )
    yield
    store.command("DROP VIEW of_test SYNC")


def batch(project: ProjectId, *names: str, step_ns: int = 1) -> SpanBundle:
    found = spans_of_call(call(project), NOON)
    spans = [
        replace(found.spans[0], name=name, span_id=f"{number:016x}", started_ns=NOON + number * step_ns)
        for number, name in enumerate(names)
    ]
    return SpanBundle(spans=tuple(spans), contents=found.contents)


def aside(desk: Desk) -> list[JournalEntry]:
    decode = msgspec.msgpack.Decoder(JournalEntry).decode
    return [decode(path.read_bytes()) for path in desk.aside.glob("*.msgpack")]


def test_only_the_row_at_fault_is_set_aside_and_all_beside_it_is_stored(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    names = ["good"] * 40
    names[17] = "poison"
    desk.write(batch(project, *names), call(project))
    with refusing(store, project, "name = 'poison'"):
        assert desk.drain.drain_once() == 2

    assert span_count(store, project) == 41  # 39 of 40, and the call's gateway and attempt
    (entry,) = aside(desk)
    assert isinstance(entry, BatchEntry)
    assert [span.name for span in entry.batch.spans] == ["poison"]
    assert desk.drain.counts.set_aside == 1
    assert desk.drain.drain_once() == 0


def test_an_error_nobody_thought_of_is_held_against_a_row_when_others_are_taken(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    desk.write(batch(project, "poison", "good", "good", "poison"))
    with failing(store, project, "name = 'poison'"):
        desk.drain.drain_once()

    (entry,) = aside(desk)
    assert isinstance(entry, BatchEntry)
    assert [span.name for span in entry.batch.spans] == ["poison", "poison"]
    assert desk.drain.counts.spans == 2


def test_an_error_nobody_thought_of_on_every_row_is_an_outage_and_sets_nothing_aside(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    desk.write(batch(project, *["good"] * 30))
    with failing(store, project, "1"), pytest.raises(StoreUnavailable, match="at fault"):
        desk.drain.drain_once()

    assert desk.drain.counts.set_aside == 0
    assert not desk.aside.exists()


async def test_an_outage_is_told_with_its_reason_and_its_end(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    told: list[tuple[bool, str]] = []

    def note(counts: DrainCounts) -> None:
        told.append((counts.is_store_up, counts.reason))

    desk.drain.on_change = note
    stop = Event()
    thread = Thread(target=desk.drain.run, args=(stop,))
    with failing(store, project, "1"):
        await desk.append([call(project)])
        thread.start()
        await until(lambda: len(told) > 1)
    await until(lambda: desk.drain.counts.is_store_up and desk.drain.counts.flushes == 1)
    stop.set()
    thread.join(timeout=10)

    assert span_count(store, project) == 2
    assert [is_up for is_up, _ in told] == [True, False, True]
    assert "395" in told[1][1]  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO


def test_spans_of_more_days_than_one_insert_may_have_are_all_stored(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    desk.write(batch(project, *["old"] * 230, step_ns=-DAY), call(project))
    desk.drain.drain_once()

    assert span_count(store, project) == 232
    sql = "SELECT count() FROM content WHERE project_id = {p:String} GROUP BY first_seen_ns"
    assert len(store.query(sql, {"p": project}).rows) == 230  # the messages of each day, with its spans


def test_what_can_not_be_set_aside_stays_in_the_journal(
    desk: Desk, store: TraceStore, project: ProjectId
) -> None:
    desk.write(b"\x93not a record", call(project))
    desk.aside.write_bytes(b"")  # a file where the folder should be

    with pytest.raises(StoreUnavailable, match="set aside"):
        desk.drain.drain_once()

    desk.aside.unlink()
    desk.reader.close()
    again = Desk(desk.root.parent, store)
    assert again.drain.drain_once() == 2
    assert len(list(again.aside.glob("*.msgpack"))) == 1
    again.close()


class _AtTheSecondLook(Event):
    """A stop that is asked for while the first flush is under way."""

    looks = 0

    def is_set(self) -> bool:
        self.looks += 1
        return self.looks > 1

    def wait(self, timeout: float | None = None) -> bool:
        return True


def test_a_stop_does_not_wait_for_a_long_back_fill_which_stays_in_the_journal(
    tmp_path: Path, store: TraceStore, project: ProjectId
) -> None:
    desk = Desk(tmp_path, store)
    desk.write(batch(project, *["old"] * 60, step_ns=-DAY))
    Drain(desk.reader, store, desk.blobs, aside=desk.aside, flush_after_s=0).run(_AtTheSecondLook())
    written = span_count(store, project)
    desk.close()

    again = Desk(tmp_path, store)
    assert again.drain.drain_once() == 1
    again.close()
    assert written == 22  # two newest days, and twenty older ones
    assert span_count(store, project) == 60
