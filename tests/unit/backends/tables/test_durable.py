"""What the tables acknowledged is on the disk: seen in the connection, the files and the system calls."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from sternpost.backends.tables.sql import SqlTables, sqlite_url
from tests.support.strace import STRACE, needs_strace

FULL = 2  # https://www.sqlite.org/pragma.html#pragma_synchronous
ADD = text("INSERT INTO projects (project_id, name, created_ns) VALUES ('p1', 'p1', 1)")
WRITES_AND_SAYS_SO = """
import os, sys
from pathlib import Path
from sqlalchemy import text
from sternpost.backends.tables.sql import SqlTables, sqlite_url
tables = SqlTables(sqlite_url(Path(sys.argv[1])))
add = text("INSERT INTO projects (project_id, name, created_ns) VALUES (:id, :id, 1)")
with tables.write() as connection:  # the first one begins the log, which is synced in any mode
    connection.execute(add, {"id": "p1"})
os.write(1, b"begin")
with tables.write() as connection:
    connection.execute(add, {"id": "p2"})
os.write(1, b"answer")
"""


@pytest.fixture
def tables(tmp_path: Path) -> SqlTables:
    opened = SqlTables(sqlite_url(tmp_path))
    opened.migrate()
    return opened


def test_every_connection_waits_for_the_disk_at_commit(tables: SqlTables):
    for opened in (tables.write, tables.read):
        with opened() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == FULL
    tables.close()


def test_what_is_committed_is_in_the_files_while_the_process_goes_on(tables: SqlTables, tmp_path: Path):
    with tables.write() as connection:
        connection.execute(ADD)
    copied = tmp_path / "copy"
    copied.mkdir()
    for name in ("tables.sqlite", "tables.sqlite-wal"):  # as they stand, without a checkpoint
        shutil.copy(tmp_path / name, copied / name)
    with closing(sqlite3.connect(copied / "tables.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM projects").fetchone() == (1,)
    tables.close()


@needs_strace
def test_the_log_is_synced_between_the_change_and_its_answer(tables: SqlTables, tmp_path: Path):
    tables.close()
    command = [STRACE, "-f", "-y", "-e", "trace=write,fsync,fdatasync", sys.executable, "-c"]
    done = subprocess.run(
        [*command, WRITES_AND_SAYS_SO, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    calls = done.stderr.splitlines()
    begin = next(number for number, call in enumerate(calls) if '"begin"' in call)
    answer = next(number for number, call in enumerate(calls) if '"answer"' in call)
    assert any("sync(" in call and "tables.sqlite-wal" in call for call in calls[begin:answer])
