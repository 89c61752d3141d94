"""Makes what SQLite commits survive a power cut, whatever its build says by default; no schema, no queries.

NORMAL, and the default of some builds, leaves the last commits of a WAL file to the operating system: a key
that was revoked would live again. Measured in docs/decisions/0016.
"""

from sqlalchemy.engine.interfaces import DBAPIConnection

# The last two ask macOS for more than its fsync does; elsewhere they change nothing.
_PRAGMAS = ("synchronous = FULL", "fullfsync = ON", "checkpoint_fullfsync = ON")


def commit_durably(connection: DBAPIConnection) -> None:
    """Let each commit of a SQLite connection return only when it is on the disk."""
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
