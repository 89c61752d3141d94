"""What media cost: the rows of a call with a picture, the worker's time, and a first thumbnail.

Run `python -m bench.media --megabytes 5`; not part of `make bench`.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import describe
from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.media.drawing import draw
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.capabilities.traces.writing.recent import RecentHashes
from sternpost.capabilities.traces.writing.writes import write_batches
from sternpost.contracts.call import CallRecord
from sternpost.contracts.trace_store import TraceStore
from tests.support.engine import running_trace_store
from tests.unit.capabilities.traces.calls import NOON, call
from tests.unit.capabilities.traces.media_samples import data_url, picture

PROJECT = ProjectId("bench")
_CALLS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=5.0)
    size_bytes = int(parser.parse_args().megabytes * 1_000_000)
    with tempfile.TemporaryDirectory() as folder, running_trace_store() as store:
        print(json.dumps({"machine": describe(), **_measure(store, Path(folder), size_bytes)}, indent=2))


def _measure(store: TraceStore, folder: Path, size_bytes: int) -> dict[str, Any]:
    blobs, recent = FolderBlobs(folder / "blobs"), RecentHashes()
    medium = os.urandom(size_bytes)  # no format makes it small, and none reads it
    plain, first = _call("Look at it."), _call("Look at it.", medium)
    plain_bytes, picture_bytes = _row_bytes(plain), _row_bytes(first)
    put_s = _timed(store, blobs, recent, [first])
    again_s = _timed(store, blobs, recent, [_call(f"Look at it, {n}.", medium) for n in range(_CALLS)])
    photo = picture(2600, 1900, kind="JPEG")
    started_s = time.process_time()
    drawn = draw(photo, 256) or b""
    return {
        "medium_bytes": size_bytes,
        "journal_record_bytes": len(first.request_body),
        "row_and_content_bytes": {"without": plain_bytes, "with": picture_bytes},
        "stored_blob_bytes": sum(
            path.stat().st_size for path in (folder / "blobs").rglob("*") if path.is_file()
        ),
        "map_and_write_cpu_ms": {"first": round(put_s * 1e3, 1), "again": round(again_s * 1e3 / _CALLS, 1)},
        "thumbnail_cpu_ms": round((time.process_time() - started_s) * 1e3, 1),
        "thumbnail_bytes": {"of": len(photo), "is": len(drawn)},
        "max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _call(text: str, medium: bytes = b"") -> CallRecord:
    parts: list[dict[str, object]] = [{"type": "text", "text": text}]
    if medium:
        parts.append({"type": "image_url", "image_url": {"url": data_url(medium, "image/png")}})
    body = json.dumps({"model": "fast", "messages": [{"role": "user", "content": parts}]}).encode()
    return call(PROJECT, request_body=body)


def _row_bytes(record: CallRecord) -> int:
    """Add up what of a call goes into rows, before compression."""
    batch = spans_of_call(record, NOON)
    return sum(len(repr(span)) for span in batch.spans) + sum(len(one.body) for one in batch.contents)


def _timed(store: TraceStore, blobs: FolderBlobs, recent: RecentHashes, records: list[CallRecord]) -> float:
    started_s = time.process_time()
    for record in records:
        write_batches(store, blobs, [spans_of_call(record, NOON)], recent)
    return time.process_time() - started_s


if __name__ == "__main__":
    main()
