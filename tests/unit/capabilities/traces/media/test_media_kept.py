"""Media on their way from the journal into the store, through crashes and until retention takes them."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.backends.blobs.room import MediaRoom
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.errors import StoreUnavailable
from sternpost.base.ids import ContentHash, ProjectId
from sternpost.capabilities.traces.media.room import NOTE
from sternpost.capabilities.traces.media.service import TraceMedia
from sternpost.capabilities.traces.writing.drain import Drain
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.capabilities.traces.writing.recent import RecentHashes
from sternpost.capabilities.traces.writing.retention import drop_blobs_before
from sternpost.capabilities.traces.writing.writes import write_batches
from sternpost.contracts.blobs import Blob
from sternpost.contracts.call import CallRecord
from sternpost.contracts.journal import CallEntry
from sternpost.contracts.span import SpanBundle
from sternpost.contracts.trace_store import TraceStore
from tests.unit.capabilities.traces.calls import NOON, SECOND, call
from tests.unit.capabilities.traces.media_samples import data_url, picture

DAY = 86_400 * SECOND
PICTURE = picture()


def call_with_picture(project: ProjectId, *, started_ns: int = NOON, text: str = "Look") -> CallRecord:
    parts = [
        {"type": "text", "text": text},
        {"type": "image_url", "image_url": {"url": data_url(PICTURE, "image/png")}},
    ]
    body = json.dumps({"model": "fast", "messages": [{"role": "user", "content": parts}]}).encode()
    return call(project, request_body=body, started_ns=started_ns)


def only_blob(blobs: "Counting") -> Path:
    (path,) = (one for one in blobs.root.rglob("*") if one.is_file())
    return path


def image_hashes(store: TraceStore, project: ProjectId) -> set[str]:
    rows = store.query("SELECT body FROM content WHERE project_id = {p:String}", {"p": project}).rows
    parts = (part for row in rows for part in msgspec.json.decode(str(row[0])).get("parts", ()))
    return {part["hash"] for part in parts if part["type"] == "blob"}


class Counting(FolderBlobs):
    """Counts what is put, and refuses as often as it is told to."""

    def __init__(self, root: Path, refusals: int = 0) -> None:
        super().__init__(root)
        self.root = root
        self.puts = 0
        self.refusals = refusals

    def put(self, blob: Blob) -> None:
        self.puts += 1
        if self.puts <= self.refusals:
            raise StoreUnavailable("the disk is full")
        super().put(blob)


@pytest.fixture
def blobs(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "blobs")


def test_a_picture_sent_a_hundred_times_is_one_blob_put_once_a_day(
    store: TraceStore, blobs: Counting, project: ProjectId
) -> None:
    recent = RecentHashes()
    for days in (0, 0, 1):
        calls = [
            call_with_picture(project, started_ns=NOON + days * DAY, text=f"Look {n}") for n in range(50)
        ]
        write_batches(store, blobs, [spans_of_call(one, NOON) for one in calls], recent)
    assert [one.size_bytes for one in blobs.walk()] == [len(PICTURE)]
    assert blobs.puts == 2  # once for each of the two days
    assert image_hashes(store, project) == {one.hash for one in blobs.walk()}


def drain_of(folder: Path, store: TraceStore, blobs: FolderBlobs, records: Sequence[CallRecord]) -> Drain:
    journal = SegmentJournal(folder / "journal")

    async def append() -> None:
        for record in records:
            await journal.append(msgspec.msgpack.encode(CallEntry(record)), "written")

    asyncio.run(append())
    journal.close()
    return Drain(SegmentReader(folder / "journal"), store, blobs, aside=folder / "aside")


def test_a_full_disk_loses_nothing(store: TraceStore, project: ProjectId, tmp_path: Path) -> None:
    blobs = Counting(tmp_path / "blobs", refusals=1)
    drain = drain_of(tmp_path, store, blobs, [call_with_picture(project)])
    with pytest.raises(StoreUnavailable):
        drain.drain_once()
    assert image_hashes(store, project) == set()  # no row refers to what isn't there
    again = drain_of(tmp_path / "second", store, blobs, [call_with_picture(project)])
    assert again.drain_once() == 1
    assert image_hashes(store, project) == {one.hash for one in blobs.walk()}
    assert not (tmp_path / "aside").exists()


def test_without_room_the_trace_is_kept_by_hash_and_says_so(
    store: TraceStore, project: ProjectId, tmp_path: Path
) -> None:
    root = tmp_path / "blobs"
    blobs = FolderBlobs(root, MediaRoom(root, min_free_bytes=10**9, free=lambda _: 10**9))
    drain = drain_of(
        tmp_path, store, blobs, [call_with_picture(project), call_with_picture(project, text="b")]
    )
    assert drain.drain_once() == 2
    assert list(blobs.walk()) == []
    assert len(image_hashes(store, project)) == 1
    rows = store.query(
        "SELECT attributes[{note:String}] FROM spans WHERE project_id = {project:String} "
        "AND type = 'gateway'",
        {"project": project, "note": NOTE},
    ).rows
    assert [str(row[0])[:26] for row in rows] == ["1: the disk is nearly full"] * 2


def put_at(blobs: Counting, at_ns: int) -> None:
    os.utime(only_blob(blobs), ns=(at_ns, at_ns))


def test_a_blob_goes_with_the_last_day_that_used_it(
    store: TraceStore, blobs: Counting, project: ProjectId
) -> None:
    write_batches(store, blobs, [spans_of_call(call_with_picture(project), NOON)], RecentHashes())
    put_at(blobs, NOON)
    assert drop_blobs_before(blobs, NOON + DAY) == 0  # the day itself is dropped, its media a day later
    assert drop_blobs_before(blobs, NOON + 2 * DAY) == 1
    assert list(blobs.walk()) == []
    assert drop_blobs_before(blobs, NOON + 2 * DAY) == 0


def test_a_thumbnail_drawn_late_goes_with_its_picture(
    store: TraceStore, blobs: Counting, project: ProjectId
) -> None:
    write_batches(store, blobs, [spans_of_call(call_with_picture(project), NOON)], RecentHashes())
    put_at(blobs, NOON)
    (kept,) = blobs.walk()
    assert not asyncio.run(TraceMedia(blobs).thumbnail(kept, 256)).is_placeholder
    assert len(list(blobs.walk())) == 2
    assert drop_blobs_before(blobs, NOON + 2 * DAY) == 1
    assert list(blobs.walk()) == []


def test_a_blob_used_again_outlives_the_day_it_came_with(
    store: TraceStore, blobs: Counting, project: ProjectId
) -> None:
    write_batches(store, blobs, [spans_of_call(call_with_picture(project), NOON)], RecentHashes())
    put_at(blobs, NOON)
    again = call_with_picture(project, started_ns=NOON + 40 * DAY)
    write_batches(
        store, blobs, [spans_of_call(again, NOON)], RecentHashes()
    )  # puts it now, by the real clock
    assert drop_blobs_before(blobs, NOON + 2 * DAY) == 0
    assert len(list(blobs.walk())) == 1


def test_a_medium_without_spans_is_put(store: TraceStore, project: ProjectId, tmp_path: Path) -> None:
    blobs = Counting(tmp_path / "blobs")
    blob = Blob(project, ContentHash("ab" * 32), "image/png", PICTURE)
    write_batches(store, blobs, [SpanBundle(blobs=(blob,))], RecentHashes())
    assert blobs.read(project, blob.hash) == PICTURE
