"""Chooses where settings and objects are kept: SQLite in the data folder, or PostgreSQL by URL."""

from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.settings import Settings
from sternpost.contracts.tables import Tables


def open_tables(settings: Settings) -> Tables:
    """Open the tables and bring their schema up to date. Raises: ConfigurationError, StoreUnavailable."""
    tables = SqlTables(settings.tables_url or sqlite_url(settings.home))
    tables.migrate()
    return tables
