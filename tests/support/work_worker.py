"""A worker process for tests of the work queue: `python -m tests.support.work_worker TABLES JOBS NAME OUT`.

Its kind `note` appends the item's key to the file OUT; a payload may say how long that takes.
"""

import asyncio
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from sternpost.backends.jobs.dbos import DbosJobs
from sternpost.backends.tables.sql import SqlTables
from sternpost.backends.work_queue.dbos import DbosWorkRunner
from sternpost.backends.work_queue.groups import SqlGroups
from sternpost.base.clock import SystemClock
from sternpost.contracts.message import Json
from sternpost.contracts.work_queue import WorkItem, WorkKind


def main() -> None:
    tables_url, jobs_url, name, out = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING)

    notes = Path(out).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - open until the process ends

    async def note(item: WorkItem) -> Mapping[str, Json]:
        await asyncio.sleep(float(str(item.payload.get("seconds", 0))))
        notes.write(f"{item.key} {name}\n")
        return {"key": item.key}

    clock, tables = SystemClock(), SqlTables(tables_url)
    runner = DbosWorkRunner(SqlGroups(tables, clock, name), clock)
    jobs = DbosJobs(jobs_url, declare=runner.declare, executor=name)
    jobs.start([])
    runner.start([WorkKind("note", note, concurrency=20)])
    print("ready", flush=True)
    sys.stdin.read()  # until the test closes it
    runner.stop(2)
    jobs.close()


if __name__ == "__main__":
    main()
