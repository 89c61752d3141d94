"""A journal with its writer and its drain on a folder, as `serve` and `worker` have them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.writing.drain import Drain
from sternpost.contracts.call import CallRecord
from sternpost.contracts.journal import BatchEntry, CallEntry
from sternpost.contracts.span import SpanBundle
from sternpost.contracts.trace_store import TraceStore

Entry: TypeAlias = CallRecord | SpanBundle | bytes


class Desk:
    def __init__(self, folder: Path, store: TraceStore) -> None:
        self.root = folder / "journal"
        self.journal = SegmentJournal(self.root)
        self.reader = SegmentReader(self.root)
        self.aside = folder / "aside"
        self.blobs = FolderBlobs(folder / "blobs")
        self.drain = Drain(self.reader, store, self.blobs, aside=self.aside)

    def write(self, *records: Entry) -> None:
        asyncio.run(self.append(records))

    async def append(self, records: Sequence[Entry]) -> None:
        for record in records:
            await self.journal.append(_payload(record), "written")

    def close(self) -> None:
        self.reader.close()
        self.journal.close()


def _payload(record: Entry) -> bytes:
    if isinstance(record, bytes):
        return record
    return msgspec.msgpack.encode(CallEntry(record) if isinstance(record, CallRecord) else BatchEntry(record))


def span_count(store: TraceStore, project: ProjectId) -> object:
    sql = "SELECT count() FROM spans FINAL WHERE project_id = {project:String}"
    return store.query(sql, {"project": project}).rows[0][0]
