"""Opens tables and a journal when they are first needed: a worker drains while they can't be used."""

import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from sternpost.contracts.journal import Durability, Journal, JournalState
from sternpost.contracts.tables import Tables


class LateTables:
    """A `contracts.tables.Tables`; each use raises what opening them raises until it succeeds."""

    def __init__(self, open_: Callable[[], Tables]) -> None:
        self._open = open_
        self._lock = threading.Lock()
        self._tables: Tables | None = None

    def read(self) -> AbstractContextManager[Connection]:
        return self.opened().read()

    def write(self) -> AbstractContextManager[Connection]:
        return self.opened().write()

    def migrate(self) -> None:
        self.opened().migrate()

    def ping(self) -> bool:
        return self.opened().ping()

    def opened(self) -> Tables:
        """Open them now. Raises: StoreUnavailable, NewerData, ConfigurationError."""
        with self._lock:
            if self._tables is None:
                self._tables = self._open()
            return self._tables

    def close(self) -> None:
        with self._lock:
            if self._tables is not None:
                self._tables.close()


class LateJournal:
    """A `contracts.journal.Journal`; most workers never write to it."""

    def __init__(self, open_: Callable[[], Journal]) -> None:
        self._open = open_
        self._lock = threading.Lock()
        self._journal: Journal | None = None

    def append(self, payload: bytes, durability: Durability) -> Awaitable[None]:
        with self._lock:
            if self._journal is None:
                self._journal = self._open()
        return self._journal.append(payload, durability)

    def state(self) -> JournalState:
        return JournalState(True, "", 0, 0) if self._journal is None else self._journal.state()

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
