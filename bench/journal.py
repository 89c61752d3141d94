"""How fast the journal takes records: one caller at a time, many at once, and read back."""

import asyncio
import tempfile
import time
from pathlib import Path

from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.contracts.journal import Durability

_RECORD = b"x" * 3000  # about the size of a call with its bodies


def measure(*, alone: int = 2000, together: int = 40_000, callers: int = 100) -> dict[str, float]:
    """Milliseconds of one append for a single caller, and records per second written and read."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder), alone, together, callers))


async def _measure(folder: Path, alone: int, together: int, callers: int) -> dict[str, float]:
    journal = SegmentJournal(folder)
    written = await _latencies(journal, "written", alone)
    synced = await _latencies(journal, "synced", alone // 10)
    began, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(_append(journal, together // callers))
    elapsed_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    journal.close()
    return {
        "written_p50_ms": round(written[len(written) // 2], 3),
        "written_p99_ms": round(written[len(written) * 99 // 100], 3),
        "synced_p50_ms": round(synced[len(synced) // 2], 3),
        "records_per_s": round(together / elapsed_s),
        "cpu_us_per_record": round(cpu_s / together * 1e6, 1),
        "read_per_s": round(_read_back(folder)),
    }


async def _latencies(journal: SegmentJournal, durability: Durability, count: int) -> list[float]:
    found: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        await journal.append(_RECORD, durability)
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


async def _append(journal: SegmentJournal, count: int) -> None:
    for _ in range(count):
        await journal.append(_RECORD, "written")


def _read_back(folder: Path) -> float:
    reader = SegmentReader(folder)
    began, count = time.perf_counter(), 0
    while records := reader.read(max_records=500, max_bytes=8_000_000):
        reader.commit(records)
        count += len(records)
    reader.close()
    return count / (time.perf_counter() - began)
