"""What DBOS leaves to the SQLite it finds: durable commits, and one function of a newer version; no jobs.

DBOS writes `unixepoch('subsec')` into its tables on Python 3.12 and later, whatever SQLite that Python has;
before SQLite 3.42 (Debian 12 has 3.40) the answer is NULL and the first insert fails.
"""

import sqlite3
import time

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from sternpost.backends.tables.durable import commit_durably

_FIRST_WITH_SUBSEC = (3, 42)


def prepare_connections() -> None:
    """Let every SQLite connection made from now on commit durably, and have the function if it lacks it.

    For all engines of the process, because DBOS makes its own.
    """
    hooks = [_make_durable]
    if sqlite3.sqlite_version_info < _FIRST_WITH_SUBSEC:
        hooks.append(_lend)
    for hook in hooks:
        if not event.contains(Engine, "connect", hook):
            event.listen(Engine, "connect", hook)


def _make_durable(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        commit_durably(connection)


def _lend(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.create_function("unixepoch", -1, _unix_epoch)


def _unix_epoch(*modifiers: object) -> float | int:
    """Answer for now, which is all that DBOS asks; with `subsec` in fractions of a second."""
    return time.time() if "subsec" in modifiers else int(time.time())
