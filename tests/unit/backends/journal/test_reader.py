"""What the reader makes of damage, cuts and writers that die."""

import logging
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sternpost.backends.journal.frames import MAGIC, header_of
from sternpost.backends.journal.layout import segment_path, writer_names
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.journal.space import JournalLimits
from tests.support.polling import until

RECORDS = [b"one", b"second", b"", b"the fourth one"]


def make_dead_writer(root: Path, segments: list[bytes]) -> Path:
    folder = root / "w-0000000000000000001-1"
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    for number, content in enumerate(segments, start=1):
        segment_path(folder, number).write_bytes(content)
    return folder


def framed(records: list[bytes]) -> bytes:
    return MAGIC + b"".join(header_of(r) + r for r in records)


def drain(root: Path) -> tuple[list[bytes], SegmentReader]:
    reader = SegmentReader(root)
    found: list[bytes] = []
    while records := reader.read(max_records=3, max_bytes=10):
        found += [record.payload for record in records]
        reader.commit(records)
    reader.close()
    return found, reader


def test_a_dead_writers_segment_cut_at_any_byte_yields_its_whole_records_and_goes(tmp_path: Path):
    content = framed(RECORDS)
    ends = [len(MAGIC)]
    for record in RECORDS:
        ends.append(ends[-1] + 12 + len(record))
    for cut in range(len(content) + 1):
        root = tmp_path / str(cut)
        make_dead_writer(root, [content[:cut]])
        found, reader = drain(root)
        whole = max(0, sum(end <= cut for end in ends) - 1)
        assert found == RECORDS[:whole], cut
        assert reader.losses.torn_bytes == cut - max((e for e in ends if e <= cut), default=0), cut
        assert writer_names(root) == []
        assert not (root / "bad").exists()


def test_a_flipped_byte_never_yields_a_wrong_payload_and_the_segment_is_kept(tmp_path: Path):
    content = framed(RECORDS)
    for at in range(len(content)):
        root = tmp_path / str(at)
        damaged = content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :]
        make_dead_writer(root, [damaged, framed([b"next segment"])])
        found, reader = drain(root)
        assert found[-1] == b"next segment", at
        assert all(payload in RECORDS for payload in found[:-1]), at
        assert len(found) < len(RECORDS) + 1
        assert reader.losses.damaged_segments == 1
        kept = list((root / "bad").iterdir())
        assert [k.read_bytes() for k in kept] == [damaged], at


def test_a_damaged_payload_costs_one_record_only(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    content = framed(RECORDS).replace(b"second", b"sEcond")
    make_dead_writer(tmp_path, [content])
    with caplog.at_level(logging.ERROR):
        found, reader = drain(tmp_path)
    assert found == [b"one", b"", b"the fourth one"]
    assert reader.losses.damaged_bytes == 12 + 6
    assert "fails its checksum" in caplog.text


def test_zeros_at_the_tail_of_a_dead_writer_are_a_power_cut_not_damage(tmp_path: Path):
    make_dead_writer(tmp_path, [framed(RECORDS) + bytes(5000)])
    found, reader = drain(tmp_path)
    assert found == RECORDS
    assert (reader.losses.torn_bytes, reader.losses.damaged_bytes) == (5000, 0)


async def test_a_torn_tail_of_a_living_writer_is_waited_for(tmp_path: Path):
    journal = SegmentJournal(tmp_path, JournalLimits(min_free_bytes=0))
    await journal.append(b"whole", "written")
    path = segment_path(journal.folder, 1)
    late = header_of(b"late") + b"late"
    with path.open("ab", buffering=0) as handle:
        handle.write(late[:13])
        reader = SegmentReader(tmp_path)
        assert [r.payload for r in reader.read(max_records=9, max_bytes=999)] == [b"whole"]
        assert reader.read(max_records=9, max_bytes=999) == []
        handle.write(late[13:])
    assert [r.payload for r in reader.read(max_records=9, max_bytes=999)] == [b"late"]
    assert reader.losses.torn_bytes == 0
    reader.close()
    journal.close()


def test_records_of_a_damaged_segment_that_were_not_committed_are_read_again(tmp_path: Path):
    make_dead_writer(
        tmp_path, [framed([b"a", b"b", b"damaged"]).replace(b"damaged", b"dAmaged"), framed([b"d"])]
    )
    reader = SegmentReader(tmp_path)
    assert [r.payload for r in reader.read(max_records=9, max_bytes=999)] == [b"a", b"b", b"d"]
    reader.close()
    assert drain(tmp_path)[0] == [b"a", b"b", b"d"]
    assert len(list((tmp_path / "bad").iterdir())) == 1


def test_writers_take_turns(tmp_path: Path):
    make_dead_writer(tmp_path, [framed([b"old"] * 50)])
    shutil.copytree(tmp_path / "w-0000000000000000001-1", tmp_path / "w-0000000000000000002-2")
    reader = SegmentReader(tmp_path)
    writers = {r.position.writer for _ in range(2) for r in reader.read(max_records=10, max_bytes=9999)}
    assert len(writers) == 2
    reader.close()


def test_draining_goes_on_when_the_cursor_can_not_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    make_dead_writer(tmp_path, [framed([b"a", b"b"]), framed([b"c", b"d"])])
    (tmp_path / "cursor.json.new").mkdir()  # in the way of the cursor, as a full disk is
    reader = SegmentReader(tmp_path)
    for _ in range(3):
        reader.commit(reader.read(max_records=1, max_bytes=999))
    reader.close()
    (tmp_path / "cursor.json.new").rmdir()
    assert drain(tmp_path)[0] == [b"c", b"d"]  # the drained segment went; the other one is read again
    assert caplog.text.count("cursor can't be written") == 1


async def test_records_behind_damage_in_a_segment_being_written_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    journal = SegmentJournal(tmp_path, JournalLimits(min_free_bytes=0))
    reader = SegmentReader(tmp_path)
    await journal.append(b"first", "written")
    with segment_path(journal.folder, 1).open("ab", buffering=0) as handle:
        handle.write(b"\xff" * 40)
    await until(lambda: [r.payload for r in reader.read(max_records=10, max_bytes=1000)] == [b"first"])
    await until(lambda: reader.read(max_records=10, max_bytes=1000) or "is damaged at 25" in caplog.text)
    await journal.append(b"behind", "written")

    found: list[bytes] = []

    def read_on() -> bool:
        found.extend(record.payload for record in reader.read(max_records=10, max_bytes=1000))
        return bool(found)

    await until(read_on)
    journal.close()
    reader.close()
    assert found == [b"behind"]
    assert reader.losses.damaged_bytes == 40
    assert "nothing can be read from 25 to 65" in caplog.text  # 8 of the magic, 12 and 5 of the first record


def test_a_damaged_header_costs_one_record_only(tmp_path: Path):
    content = bytearray(framed(RECORDS))
    content[len(MAGIC) + 12 + 3] ^= 0xFF  # the first byte of the second record's header
    make_dead_writer(tmp_path, [bytes(content)])
    found, _ = drain(tmp_path)
    assert found == [RECORDS[0], *RECORDS[2:]]


def test_a_cursor_that_can_not_be_read_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    make_dead_writer(tmp_path, [framed(RECORDS)])
    (tmp_path / "cursor.json").write_text("{")
    assert drain(tmp_path)[0] == RECORDS
    assert "cursor can't be read" in caplog.text


def test_a_strangers_file_in_a_drained_folder_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    folder = make_dead_writer(tmp_path, [framed(RECORDS)])
    (folder / "notes.txt").touch()
    assert drain(tmp_path)[0] == RECORDS
    assert drain(tmp_path)[0] == []
    assert "can't be removed" in caplog.text
    assert (folder / "notes.txt").exists()


_WRITES_UNTIL_KILLED = """
import asyncio, os, sys
from pathlib import Path
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.journal.space import JournalLimits

async def caller(journal, name):
    for n in range(1_000_000):
        await journal.append(b"%d:%d" % (name, n) + bytes(200 * name), "written")
        os.write(1, b"%d:%d\\n" % (name, n))

async def main():
    journal = SegmentJournal(Path(sys.argv[1]), JournalLimits(segment_bytes=50_000, min_free_bytes=0))
    await asyncio.gather(*(caller(journal, name) for name in range(20)))

asyncio.run(main())
"""


@pytest.mark.parametrize("after_s", [0.1, 0.2, 0.35])
def test_every_acknowledged_record_survives_kill_9_once(tmp_path: Path, after_s: float):
    acknowledged_path = tmp_path / "acknowledged"
    with acknowledged_path.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITES_UNTIL_KILLED, str(tmp_path / "j")], stdout=out
        )
        deadline = time.monotonic() + 20
        while acknowledged_path.stat().st_size < 1000 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(after_s)  # how far into the load the kill falls, not a wait for a condition
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    lines = acknowledged_path.read_bytes().split(b"\n")[:-1]
    found, reader = drain_widely(tmp_path / "j")
    read = [payload.rstrip(b"\0") for payload in found]
    assert len(lines) > 100
    assert set(lines) <= set(read)
    assert len(read) == len(set(read))
    assert reader.losses.damaged_bytes == 0
    assert writer_names(tmp_path / "j") == []


def drain_widely(root: Path) -> tuple[list[bytes], SegmentReader]:
    reader = SegmentReader(root)
    found: list[bytes] = []
    while records := reader.read(max_records=1000, max_bytes=10_000_000):
        found += [record.payload for record in records]
        reader.commit(records)
    reader.close()
    return found, reader
