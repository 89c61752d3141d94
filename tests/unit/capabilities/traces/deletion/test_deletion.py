import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from sternpost.base.ids import ProjectId, new_trace_id
from sternpost.capabilities.traces.deletion.jobs import look_again, work_once
from sternpost.capabilities.traces.deletion.records import STEPS, Counts, Deletion, DeletionId, Step
from sternpost.capabilities.traces.deletion.store import DeletionStore
from sternpost.capabilities.traces.deletion.trace_rows import TraceRows
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.capabilities.traces.writing.recent import RecentHashes
from sternpost.capabilities.traces.writing.writes import write_batches
from sternpost.contracts.journal import CallEntry, Position
from sternpost.contracts.span import SpanBundle, TraceAttributes
from sternpost.contracts.trace_store import TraceStore
from tests.support.engine import eventually
from tests.unit.capabilities.traces.calls import NOON, SECOND, call, request_body
from tests.unit.capabilities.traces.deletion.yard import Yard
from tests.unit.capabilities.traces.media_samples import picture


@pytest.fixture
def yard(tmp_path: Path, store: TraceStore, project: ProjectId) -> Iterator[Yard]:
    yard = Yard(tmp_path, store, project)
    yield yard
    yard.close()


def test_deleted_trace_takes_its_rows_and_the_messages_that_only_it_has(yard: Yard) -> None:
    gone = call(yard.project, request_body=request_body("Be brief.", "the word is zwieback"))
    stays = call(yard.project)
    yard.write(gone, stays)
    done = yard.delete("trace", gone.trace_id)
    assert yard.spans() == 2  # gateway and attempt of the other
    assert "zwieback" not in yard.bodies()
    assert {"Be brief.", "A machine for hoisting."} <= set(yard.bodies().replace('"', "\n").split("\n"))
    # One question; the system message and the answer are the other trace's as well.
    assert done.counts == Counts(1, 2, 0, 1, 0, done.counts.cost_nanousd)
    assert done.counts.cost_nanousd == 12_550
    for table in ("trace_times", "trace_sums"):
        assert yard.count(table) == 1


def test_deletion_is_told_by_events_that_name_no_person(yard: Yard) -> None:
    yard.write(call(yard.project, trace=TraceAttributes(user_id="ada@example.org")))
    yard.delete("user", "ada@example.org")
    kinds = [kind for kind, _ in yard.events()]
    assert kinds == ["traces.deletion_requested", "traces.deleted"]
    assert "ada" not in json.dumps(yard.events())
    counts = yard.events()[1][1]["counts"]  # type: ignore[index]
    assert (counts["traces"], counts["spans"]) == (1, 2)


@pytest.mark.parametrize("kind", ["session", "user"])
def test_all_traces_of_a_person_go_and_no_others(yard: Yard, kind: str) -> None:
    def whose(one: str) -> TraceAttributes:
        return TraceAttributes(user_id=one) if kind == "user" else TraceAttributes(session_id=one)

    yard.write(*(call(yard.project, trace=whose("ada/1 ü")) for _ in range(3)))
    yard.write(call(yard.project, trace=whose("bob")))
    done = yard.delete(kind, "ada/1 ü")  # type: ignore[arg-type]
    assert (done.counts.traces, yard.spans()) == (3, 2)


def test_what_arrives_late_for_a_deleted_trace_is_dropped_and_counted(yard: Yard) -> None:
    gone = call(yard.project)
    yard.write(gone)
    yard.delete("trace", gone.trace_id)
    yard.write(gone, call(yard.project))
    assert (yard.spans(), yard.drain.counts.dropped) == (2, 2)


def test_late_trace_of_a_deleted_user_is_dropped_with_spans_that_do_not_name_the_user(yard: Yard) -> None:
    yard.write(call(yard.project))
    yard.delete("user", "ada")
    late = spans_of_call(call(yard.project), NOON)  # it began before the deletion
    nameless = [replace(span, trace=TraceAttributes()) for span in late.spans]
    yard.write(SpanBundle(spans=late.spans[:1], contents=late.contents))
    yard.write(SpanBundle(spans=tuple(nameless[1:])))
    assert (yard.spans(), yard.drain.counts.dropped) == (0, 2)


def test_new_traces_of_a_deleted_user_are_kept(yard: Yard) -> None:
    yard.write(call(yard.project))
    yard.delete("user", "ada")
    yard.write(call(yard.project, started_ns=yard.clock.now_ns()))
    assert yard.spans() == 2


def test_content_sent_again_after_the_deletion_is_stored_again(yard: Yard) -> None:
    gone = call(yard.project)
    yard.write(gone)
    yard.delete("trace", gone.trace_id)
    assert yard.bodies() == ""
    yard.write(replace(gone, trace_id=new_trace_id()))
    assert "What is a forklift?" in yard.bodies()


def test_content_that_a_span_comes_to_refer_to_meanwhile_is_kept(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other call is stored between the look for references and the deletion."""
    gone, other = call(yard.project), call(yard.project)
    yard.write(gone)
    look = TraceRows.find_messages

    def look_and_write(self: TraceRows) -> None:
        look(self)
        yard.write(other)

    monkeypatch.setattr(TraceRows, "find_messages", look_and_write)
    yard.delete("trace", gone.trace_id)
    assert "What is a forklift?" in yard.bodies()
    assert yard.spans() == 2


def test_media_go_with_the_last_message_that_refers_to_them(yard: Yard) -> None:
    def with_picture(seed: int) -> bytes:
        url = "data:image/png;base64," + base64.b64encode(picture(seed=seed)).decode()
        parts = [{"type": "text", "text": f"see {seed}"}, {"type": "image_url", "image_url": {"url": url}}]
        return json.dumps({"model": "fast", "messages": [{"role": "user", "content": parts}]}).encode()

    first = call(yard.project, request_body=with_picture(1))
    twice = call(yard.project, request_body=with_picture(2))
    again = call(yard.project, request_body=with_picture(2).replace(b"see 2", b"look at this"))
    yard.write(first, twice, again)
    assert len(list(yard.desk.blobs.walk())) == 2
    assert yard.delete("trace", first.trace_id).counts.media == 1
    assert yard.delete("trace", twice.trace_id).counts.media == 0
    assert yard.delete("trace", again.trace_id).counts.media == 1
    assert list(yard.desk.blobs.walk()) == []


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class Mortal(DeletionStore):
    """Dies instead of recording a step, but for so many."""

    left = 0

    def advance(self, deletion_id: DeletionId, step: Step, counts: Counts) -> None:
        self._live()
        super().advance(deletion_id, step, counts)

    def finish(self, deletion: Deletion) -> None:
        self._live()
        super().finish(deletion)

    def _live(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1


def test_deletion_that_is_cut_off_in_each_step_goes_on(yard: Yard) -> None:
    gone = call(yard.project)
    yard.write(gone)
    asked = yard.request("trace", gone.trace_id)
    mortal = Mortal(yard.tables, yard.log)
    around = replace(yard.around, deletions=mortal)
    for _ in STEPS:
        with pytest.raises(Killed):
            work_once(around, "worker", Event())
        mortal.left = 1
    work_once(around, "worker", Event())
    done = yard.deletions.find(yard.project, asked.deletion_id)
    assert done is not None
    assert (done.state, done.counts.spans, yard.spans()) == ("done", 2, 0)
    assert [kind for kind, _ in yard.events()].count("traces.deleted") == 1


def test_spans_that_another_worker_stored_later_are_found_and_deleted(yard: Yard) -> None:
    gone = call(yard.project)
    yard.write(gone)
    asked = yard.delete("trace", gone.trace_id)
    write_batches(yard.store, yard.desk.blobs, [spans_of_call(gone, NOON)], RecentHashes())
    assert yard.spans() == 2
    look_again(yard.around, 0)
    assert work_once(yard.around, "worker", Event())
    assert yard.spans() == 0
    done = yard.deletions.find(yard.project, asked.deletion_id)
    assert done is not None
    assert done.counts.spans == 4


def test_records_that_were_set_aside_lose_deleted_traces(yard: Yard) -> None:
    gone, stays = call(yard.project), call(yard.project)
    yard.write(gone)
    aside = yard.around.aside
    for number, payload in enumerate(
        (
            msgspec.msgpack.encode(CallEntry(gone)),
            msgspec.msgpack.encode(CallEntry(stays)),
            b"\x93broken " + gone.trace_id.encode(),
        )
    ):
        aside.keep(Position("w-1", 1, number), payload, "a test")
    yard.delete("trace", gone.trace_id)
    assert aside.count() == 1


def test_drained_records_are_erased_from_the_journal(yard: Yard) -> None:
    gone = call(yard.project, request_body=request_body("", "the word is zwieback"))
    yard.write(gone)
    segments = list(yard.desk.root.glob("w-*/*"))
    assert any(b"zwieback" in path.read_bytes() for path in segments)
    yard.delete("trace", gone.trace_id)
    assert not any(b"zwieback" in path.read_bytes() for path in yard.desk.root.rglob("*") if path.is_file())
    yard.write(call(yard.project))  # the segment goes on behind what was erased
    assert yard.spans() == 2


def test_flush_waits_for_a_deletion_that_has_its_turn(yard: Yard) -> None:
    writer = Thread(target=yard.write, args=(call(yard.project),))
    with yard.drain.turns.paused(lambda: False) as is_held:
        assert is_held
        writer.start()
        eventually(lambda: yard.drain.counts.records == 1)
        assert yard.spans() == 0
    writer.join()
    assert yard.spans() == 2


def test_preview_counts_without_deleting(yard: Yard) -> None:
    yard.write(call(yard.project), call(yard.project, started_ns=NOON + 5 * SECOND))
    found = TraceRows.asked(yard.store, yard.project, "user", "ada").count()
    assert found.counts == Counts(2, 4, 0, 0, 0, found.counts.cost_nanousd)
    assert (found.counts.cost_nanousd, found.first_ns, found.last_ns) == (
        2 * 12_550,
        NOON,
        NOON + 5 * SECOND + SECOND // 10,  # the attempt begins a tenth of a second later
    )
