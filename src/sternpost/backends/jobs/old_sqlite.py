"""Lends an old SQLite the one function that DBOS needs of a newer; nothing of the jobs themselves.

DBOS writes `unixepoch('subsec')` into its tables on Python 3.12 and later, whatever SQLite that Python has;
before SQLite 3.42 (Debian 12 has 3.40) the answer is NULL and the first insert fails.
"""

import sqlite3
import time

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

_FIRST_WITH_SUBSEC = (3, 42)


def lend_subseconds() -> None:
    """Give every SQLite connection made from now on the function, if this SQLite lacks it."""
    is_needed = sqlite3.sqlite_version_info < _FIRST_WITH_SUBSEC
    if is_needed and not event.contains(Engine, "connect", _lend):
        event.listen(Engine, "connect", _lend)


def _lend(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.create_function("unixepoch", -1, _unix_epoch)


def _unix_epoch(*modifiers: object) -> float | int:
    """Answer for now, which is all that DBOS asks; with `subsec` in fractions of a second."""
    return time.time() if "subsec" in modifiers else int(time.time())
