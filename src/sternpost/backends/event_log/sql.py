"""The event log in the tables database: numbers in the order of commits; subscribers are `cursors`."""

from collections.abc import Sequence
from typing import cast

import msgspec
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Connection, Index, Integer, RowMapping, Table, Text

from sternpost.base.clock import Clock
from sternpost.base.ids import EventId, ProjectId, new_id
from sternpost.contracts.event_log import Actor, ActorKind, Event, EventFilter, NewEvent
from sternpost.contracts.events import Facts
from sternpost.contracts.tables import METADATA, Tables

events = Table(
    "events",
    METADATA,
    # SQLite counts only an INTEGER primary key by itself; AUTOINCREMENT never gives a number twice.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("project_id", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_events_project_id_seq", "project_id", "seq"),
    Index("ix_events_subject_seq", "subject", "seq"),
    sqlite_autoincrement=True,
)

_ORDER_LOCK = 7_214_101  # PostgreSQL's advisory lock under which events are numbered; the same everywhere


class SqlEventLog:
    """A `contracts.event_log.EventLog` on SQLite or PostgreSQL."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    def append(self, connection: Connection, event: NewEvent) -> EventId:
        """Number and write the event in the caller's transaction.

        SQLite has one writer at a time. On PostgreSQL the lock is held until the commit: without it a reader
        that has seen number 8 would skip a 7 that commits after it.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ORDER_LOCK})
        event_id = EventId(new_id("evt"))
        row = {
            "event_id": event_id,
            "project_id": event.project_id,
            "environment": event.environment,
            "kind": event.body.KIND,
            "subject": event.subject,
            "actor_kind": event.actor.kind,
            "actor_id": event.actor.id,
            "actor_name": event.actor.name,
            "at_ns": self._clock.now_ns(),
            "body": msgspec.json.encode(event.body).decode(),
        }
        connection.execute(events.insert().values(**row))
        return event_id

    def last_seq(self) -> int:
        with self._tables.read() as connection:
            return connection.execute(sa.select(sa.func.max(events.c.seq))).scalar_one() or 0

    def after(self, seq: int, chosen: EventFilter, *, limit: int) -> Sequence[Event]:
        query = _chosen(chosen).where(events.c.seq > seq).order_by(events.c.seq)
        return self._read(query, limit)

    def before(self, seq: int | None, chosen: EventFilter, *, limit: int) -> Sequence[Event]:
        query = _chosen(chosen).order_by(events.c.seq.desc())
        return self._read(query if seq is None else query.where(events.c.seq < seq), limit)

    def event(self, event_id: EventId) -> Event | None:
        found = self._read(sa.select(events).where(events.c.event_id == event_id), 1)
        return found[0] if found else None

    def _read(self, query: "sa.Select[tuple[object, ...]]", limit: int) -> Sequence[Event]:
        with self._tables.read() as connection:
            return tuple(_event(row) for row in connection.execute(query.limit(limit)).mappings())


def _chosen(chosen: EventFilter) -> "sa.Select[tuple[object, ...]]":
    query = sa.select(events)
    if chosen.project_id is not None:
        query = query.where(events.c.project_id.in_((chosen.project_id, "")))
    if chosen.environment:
        query = query.where(events.c.environment.in_((chosen.environment, "")))
    if chosen.subject:
        query = query.where(events.c.subject == chosen.subject)
    if chosen.kinds:
        query = query.where(sa.or_(*(_is_kind(kind) for kind in chosen.kinds)))
    return query


def _is_kind(kind: str) -> sa.ColumnElement[bool]:
    if kind.endswith("."):
        return events.c.kind.startswith(kind, autoescape=True)
    return events.c.kind == kind


def _event(row: RowMapping) -> Event:
    kind: ActorKind = row["actor_kind"]
    return Event(
        seq=row["seq"],
        event_id=EventId(row["event_id"]),
        project_id=ProjectId(row["project_id"]),
        environment=row["environment"],
        kind=row["kind"],
        subject=row["subject"],
        actor=Actor(kind, row["actor_id"], row["actor_name"]),
        at_ns=row["at_ns"],
        body=cast("Facts", msgspec.json.decode(row["body"])),
    )
