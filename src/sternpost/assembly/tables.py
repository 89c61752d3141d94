"""Chooses where settings and objects are kept: SQLite in the data folder, or PostgreSQL by URL."""

from sternpost.assembly.lost_tables import is_tables_file_lost, refuse_new_tables
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.settings import Settings
from sternpost.contracts.tables import Tables


def open_tables(settings: Settings, *, may_be_lost: bool = False) -> Tables:
    """Open the tables and bring their schema up to date.

    may_be_lost: make new ones though the data folder was in use. Raises: ConfigurationError for tables that
    can't be used, or that are missing beside data of an earlier Sternpost; StoreUnavailable.
    """
    if not may_be_lost and not settings.tables_url and is_tables_file_lost(settings.home):
        refuse_new_tables(settings)  # before anything makes the file
    tables = SqlTables(settings.tables_url or sqlite_url(settings.home))
    try:
        if not may_be_lost and tables.is_new():
            refuse_new_tables(settings)
        tables.migrate()
    except BaseException:
        tables.close()
        raise
    return tables
