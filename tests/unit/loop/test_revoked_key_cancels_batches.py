"""A revoked key's batches are cancelled once, wherever the worker is killed."""

from pathlib import Path

from sqlalchemy import text

from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.work_queue.store import SqlWorkQueue
from sternpost.base.clock import SystemClock
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.batches.files.bodies import FolderBodies
from sternpost.capabilities.batches.records import Batch, BatchId, FileId
from sternpost.capabilities.batches.service import BatchService
from sternpost.capabilities.batches.store import BatchStore
from sternpost.capabilities.events.subscriptions import Subscription
from sternpost.contracts.event_log import Actor, EventFilter, NewEvent
from sternpost.contracts.events import KeyRevoked
from sternpost.contracts.tables import Tables
from sternpost.loop.revoked_key_cancels_batches import revoked_key_cancels_batches
from tests.support.crossings import kill_between_steps

CLOCK = SystemClock()
PROJECT = ProjectId("p1")


def service(tables: Tables, folder: Path) -> BatchService:
    store = BatchStore(tables, SqlEventLog(tables, CLOCK), SqlWorkQueue(tables, CLOCK))
    return BatchService(store, FolderBodies(folder), CLOCK)


def subscription(tables: Tables, folder: Path) -> Subscription:
    subscriber = revoked_key_cancels_batches(service(tables, folder))
    return Subscription(subscriber, SqlEventLog(tables, CLOCK), SqlCursors(tables, CLOCK))


def batch(batch_id: str, key: str) -> Batch:
    return Batch(
        BatchId(batch_id), PROJECT, KeyId(key), key, (), "/v1/responses", FileId("f"), "validating", 1, 2
    )


async def test_only_the_batches_of_the_key_are_cancelled_and_each_once(tmp_path: Path) -> None:
    def prepare(tables: Tables) -> None:
        with tables.write() as connection:
            connection.execute(text("INSERT INTO projects VALUES ('p1', 'p1', 1)"))
        subscription(tables, tmp_path).run_once()  # begins at the end of the log
        store = service(tables, tmp_path).store
        for one in (batch("batch_1", "gone"), batch("batch_2", "gone"), batch("batch_3", "good")):
            store.add_batch(one)
        with tables.write() as connection:
            revoked = NewEvent(KeyRevoked({}, {}), "gone", Actor("user", "u1"), PROJECT)
            SqlEventLog(tables, CLOCK).append(connection, revoked)

    async def cross(tables: Tables) -> None:
        while subscription(tables, tmp_path).run_once():
            pass

    def check(tables: Tables) -> None:
        store = service(tables, tmp_path).store
        states = [one.status for one in store.batches_page(PROJECT, limit=9).items]
        assert states == ["validating", "cancelling", "cancelling"]  # newest first
        told = SqlEventLog(tables, CLOCK).after(0, EventFilter(kinds=("batch.cancelled",)), limit=9)
        assert [(event.subject, event.actor.kind) for event in told] == [
            ("batch_1", "system"),
            ("batch_2", "system"),
        ]

    assert await kill_between_steps(tmp_path, prepare, cross, check) == 6  # two batches, the cursor
