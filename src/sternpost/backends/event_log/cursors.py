"""The positions of the event log's subscribers, in the tables database; `capabilities.events` calls them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, RowMapping, Table, Text

from sternpost.backends.event_log.sql import events
from sternpost.base.clock import Clock
from sternpost.base.errors import NotFound
from sternpost.base.ids import EventId
from sternpost.contracts.event_log import CursorState, Failure
from sternpost.contracts.tables import METADATA, Tables

cursors = Table(
    "event_cursors",
    METADATA,
    Column("subscriber", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
)
failures = Table(
    "event_failures",
    METADATA,
    Column("subscriber", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_ns", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("is_set_aside", Boolean, nullable=False),
    Column("is_retried", Boolean, nullable=False),  # a person asked for it
)


class SqlCursors:
    """A `contracts.event_log.Cursors` on SQLite or PostgreSQL."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    def position(self, subscriber: str) -> int:
        query = sa.select(cursors.c.seq).where(cursors.c.subscriber == subscriber)
        with self._tables.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is not None:
            return found
        with self._tables.write() as connection:
            last = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar_one() or 0
            self._move(connection, subscriber, last)
        return last

    def advance(self, subscriber: str, seq: int) -> None:
        with self._tables.write() as connection:
            self._move(connection, subscriber, seq)
            held_up = (failures.c.subscriber == subscriber, ~failures.c.is_set_aside)
            connection.execute(failures.delete().where(*held_up))

    def fail(self, failure: Failure) -> None:
        with self._tables.write() as connection:
            _put(connection, failure)
            if failure.is_set_aside:
                self._move(connection, failure.subscriber, failure.seq)

    def failing(self, subscriber: str) -> Failure | None:
        query = sa.select(failures).where(failures.c.subscriber == subscriber, ~failures.c.is_set_aside)
        with self._tables.read() as connection:
            found = connection.execute(query).mappings().first()
        return None if found is None else _failure(found)

    def take_retries(self, subscriber: str) -> Sequence[Failure]:
        query = sa.select(failures).where(failures.c.subscriber == subscriber, failures.c.is_retried)
        with self._tables.read() as connection:
            return tuple(_failure(row) for row in connection.execute(query.limit(100)).mappings())

    def settle_retry(self, failure: Failure, *, is_done: bool) -> None:
        with self._tables.write() as connection:
            if is_done:
                connection.execute(failures.delete().where(*_this(failure)))
            else:
                _put(connection, failure)

    def retry(self, event_id: EventId, subscriber: str = "") -> int:
        chosen = [failures.c.event_id == event_id, failures.c.is_set_aside]
        if subscriber:
            chosen.append(failures.c.subscriber == subscriber)
        with self._tables.write() as connection:
            return connection.execute(failures.update().where(*chosen).values(is_retried=True)).rowcount

    def rewind(self, subscriber: str, seq: int) -> None:
        known = sa.select(cursors.c.seq).where(cursors.c.subscriber == subscriber)
        with self._tables.write() as connection:
            if connection.execute(known).scalar_one_or_none() is None:
                raise NotFound(f"there is no subscriber {subscriber!r}; `sternpost event list` shows them")
            self._move(connection, subscriber, seq)
            connection.execute(failures.delete().where(failures.c.subscriber == subscriber))

    def states(self) -> Sequence[CursorState]:
        with self._tables.read() as connection:
            rows = connection.execute(sa.select(cursors).order_by(cursors.c.subscriber)).mappings().all()
            failed = [_failure(row) for row in connection.execute(sa.select(failures)).mappings()]
        return tuple(
            CursorState(
                subscriber=row["subscriber"],
                seq=row["seq"],
                updated_ns=row["updated_ns"],
                failing=next((one for one in failed if _is_of(one, row) and not one.is_set_aside), None),
                set_aside=tuple(one for one in failed if _is_of(one, row) and one.is_set_aside),
            )
            for row in rows
        )

    def _move(self, connection: Connection, subscriber: str, seq: int) -> None:
        values = {"seq": seq, "updated_ns": self._clock.now_ns()}
        moved = cursors.update().where(cursors.c.subscriber == subscriber).values(**values)
        if not connection.execute(moved).rowcount:
            connection.execute(cursors.insert().values(subscriber=subscriber, **values))


def _is_of(failure: Failure, row: RowMapping) -> bool:
    return failure.subscriber == row["subscriber"]


def _this(failure: Failure) -> tuple[sa.ColumnElement[bool], ...]:
    return failures.c.subscriber == failure.subscriber, failures.c.event_id == failure.event_id


def _put(connection: Connection, failure: Failure) -> None:
    connection.execute(failures.delete().where(*_this(failure)))
    row = {name: getattr(failure, name) for name in Failure.__dataclass_fields__}
    connection.execute(failures.insert().values(**row, is_retried=False))


def _failure(row: RowMapping) -> Failure:
    return Failure(
        subscriber=row["subscriber"],
        event_id=EventId(row["event_id"]),
        seq=row["seq"],
        attempts=row["attempts"],
        next_attempt_ns=row["next_attempt_ns"],
        error=row["error"],
        is_set_aside=row["is_set_aside"],
    )
