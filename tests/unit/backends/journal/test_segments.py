import asyncio
import logging
import resource
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from sternpost.backends.journal.layout import segment_sizes, writer_names
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.journal.space import JournalLimits
from sternpost.base.errors import AlreadyRunning, JournalFull
from tests.support.polling import until


def drain(root: Path) -> list[bytes]:
    reader = SegmentReader(root)
    found: list[bytes] = []
    try:
        while records := reader.read(max_records=1000, max_bytes=10_000_000):
            found += [record.payload for record in records]
            reader.commit(records)
    finally:
        reader.close()
    return found


async def test_records_are_read_in_order_over_many_segments_and_then_deleted(tmp_path: Path):
    journal = SegmentJournal(tmp_path, JournalLimits(segment_bytes=500, min_free_bytes=0))
    payloads = [b"%06d" % n for n in range(1000)]
    for start in range(0, 1000, 20):
        await asyncio.gather(*(journal.append(p, "written") for p in payloads[start : start + 20]))
    assert len(segment_sizes(journal.folder)) > 10
    journal.close()

    assert drain(tmp_path) == payloads
    assert writer_names(tmp_path) == []  # the writer is gone and everything of it is drained


async def test_a_synced_append_waits_for_the_disk_and_a_written_one_does_not(tmp_path: Path):
    journal = SegmentJournal(tmp_path, JournalLimits(min_free_bytes=0))
    await journal.append(b"written", "written")
    await journal.append(b"synced", "synced")
    reader = SegmentReader(tmp_path)
    assert [r.payload for r in reader.read(max_records=9, max_bytes=999)] == [b"written", b"synced"]
    assert journal.state().is_writable
    reader.close()
    journal.close()


async def test_a_reader_resumes_at_its_cursor_after_a_restart(tmp_path: Path):
    journal = SegmentJournal(tmp_path, JournalLimits(min_free_bytes=0))
    for n in range(10):
        await journal.append(b"%d" % n, "written")
    reader = SegmentReader(tmp_path)
    reader.commit(reader.read(max_records=4, max_bytes=999))
    assert [r.payload for r in reader.read(max_records=2, max_bytes=999)] == [b"4", b"5"]  # not committed
    reader.close()
    journal.close()

    assert drain(tmp_path) == [b"%d" % n for n in range(4, 10)]


async def test_a_second_reader_is_refused(tmp_path: Path):
    reader = SegmentReader(tmp_path)
    with pytest.raises(AlreadyRunning, match="already drains"):
        SegmentReader(tmp_path)
    reader.close()


async def test_a_full_disk_refuses_at_once_says_so_once_and_recovers_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    free = {"bytes": 10_000_000}
    limits = JournalLimits(min_free_bytes=5_000_000)
    journal = SegmentJournal(tmp_path, limits, free=lambda _: free["bytes"])
    await journal.append(b"before", "written")
    with caplog.at_level(logging.WARNING):
        free["bytes"] = 1_000_000
        await until(lambda: not journal.state().is_writable)
        for _ in range(50):
            with pytest.raises(JournalFull, match="free some space"):
                await journal.append(b"refused", "written")
        assert "1 MB free" in journal.state().reason
        free["bytes"] = 10_000_000
        await until(lambda: journal.state().is_writable)
    await journal.append(b"after", "synced")
    journal.close()

    assert drain(tmp_path) == [b"before", b"after"]
    assert [r.levelname for r in caplog.records] == ["ERROR", "WARNING"]


async def test_undrained_records_over_the_limit_refuse_new_ones(tmp_path: Path):
    journal = SegmentJournal(tmp_path, JournalLimits(max_bytes=1000, min_free_bytes=0))
    await journal.append(bytes(2000), "written")
    await until(lambda: not journal.state().is_writable)
    assert "are waiting to be drained" in journal.state().reason
    drain(tmp_path)
    await until(lambda: journal.state().is_writable)
    journal.close()


async def test_a_full_queue_refuses(tmp_path: Path):
    journal = SegmentJournal(tmp_path, JournalLimits(queue_records=10, queue_bytes=1000, min_free_bytes=0))
    waiting: list[Awaitable[None]] = []

    def flood() -> None:
        for _ in range(100_000):
            waiting.append(journal.append(bytes(600), "written"))  # noqa: PERF401 - kept when one is refused

    with pytest.raises(JournalFull, match="queue is full"):
        flood()
    await asyncio.gather(*waiting)
    journal.close()
    assert len(drain(tmp_path)) == len(waiting)


async def test_a_closed_journal_refuses(tmp_path: Path):
    journal = SegmentJournal(tmp_path)
    journal.close()
    with pytest.raises(JournalFull, match="closed"):
        await journal.append(b"late", "written")


async def test_an_unexpected_error_while_looking_at_the_disk_is_logged_and_survived(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    looks = iter([10**9, ValueError("odd")])

    def free(_: Path) -> int:
        found = next(looks, 10**9)
        if isinstance(found, ValueError):
            raise found
        return found

    journal = SegmentJournal(tmp_path, free=free)
    await until(lambda: "could not handle a group" in caplog.text)
    await journal.append(b"after", "synced")
    journal.close()
    assert drain(tmp_path) == [b"after"]


_FILLS_ITS_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.journal.space import JournalLimits
from sternpost.base.errors import JournalFull

async def main():
    journal = SegmentJournal(Path(sys.argv[1]), JournalLimits(min_free_bytes=0))
    kept, refused = 0, 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
    for n in range(100):
        try:
            await journal.append(b"%04d" % n + bytes(9_996), "written")
            kept += 1
        except JournalFull:
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while not journal.state().is_writable:
        await asyncio.sleep(0.02)
    await journal.append(b"last", "synced")
    journal.close()
    print(kept, refused)

asyncio.run(main())
"""


def test_a_write_that_fails_half_way_is_taken_back_and_later_records_are_kept(tmp_path: Path):
    ran = subprocess.run(
        [sys.executable, "-c", _FILLS_ITS_DISK, str(tmp_path)], capture_output=True, text=True, timeout=30
    )
    assert ran.returncode == 0, ran.stderr
    kept, refused = map(int, ran.stdout.split())
    found = drain(tmp_path)
    assert kept == 49  # 49 records of 10,012 bytes fit into 500,000
    assert refused == 51
    assert [p[:4] for p in found] == [b"%04d" % n for n in range(49)] + [b"last"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY  # ours is untouched
