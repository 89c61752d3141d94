"""Tables on SQLite or PostgreSQL, chosen by the URL; what is in them belongs to the capabilities."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from sternpost.backends.tables.durable import commit_durably
from sternpost.base.errors import ConfigurationError, NewerData, StoreUnavailable

SCHEMA_VERSION = "0009"  # the newest module of `migrations/versions`; compared as text

_OWN_TABLE = "projects"  # in every version
_BUSY_TIMEOUT_S = 10
_MIGRATION_LOCK = 7_214_100  # any number, the same in every process: PostgreSQL's advisory lock


def sqlite_url(home: Path) -> str:
    """Name the tables file of a data folder."""
    return f"sqlite:///{home / 'tables.sqlite'}"


class SqlTables:
    """A `contracts.tables.Tables`. Raises: ConfigurationError when the URL is of another database."""

    def __init__(self, url: str) -> None:
        self._engine = _open_engine(url)

    @contextmanager
    def read(self) -> Generator[Connection]:
        with _unavailable_as_ours(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        with _unavailable_as_ours(), self._engine.connect() as connection:
            connection.info["is_write"] = True
            try:
                with connection.begin():
                    yield connection
            finally:
                connection.info.pop("is_write", None)

    def is_new(self) -> bool:
        """Say whether no Sternpost has made its tables here yet.

        Raises: ConfigurationError for tables that are damaged, StoreUnavailable.
        """
        if self._version():
            return False
        with self.read() as connection:
            return connection.dialect.name == "postgresql" or not inspect(connection).get_table_names()

    def migrate(self) -> None:
        """Bring the schema to SCHEMA_VERSION; one SELECT when it is there already.

        Raises: ConfigurationError for tables that are damaged, of a newer Sternpost or not of Sternpost.
        """
        if self._version() == SCHEMA_VERSION:
            return
        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            version = _version_of(connection)  # another process may have come first
            _refuse_strange(connection, version)
            _refuse_newer(version)
            if version != SCHEMA_VERSION:
                _upgrade(connection)

    def _version(self) -> str:
        try:
            with self.read() as connection:
                return _version_of(connection)
        except DatabaseError as error:
            raise ConfigurationError(_damaged(self._engine, error)) from error

    def ping(self) -> bool:
        try:
            with self.read() as connection:
                connection.execute(text("SELECT 1"))
        except StoreUnavailable:
            return False
        return True

    def close(self) -> None:
        self._engine.dispose()


def _open_engine(url: str) -> Engine:
    for scheme in ("postgresql://", "postgres://"):
        url = f"postgresql+psycopg://{url.removeprefix(scheme)}" if url.startswith(scheme) else url
    try:
        name = make_url(url).get_backend_name()
    except (SQLAlchemyError, ValueError):  # their words may quote a password that was not escaped
        raise ConfigurationError(
            "STERNPOST_TABLES_URL must look like postgresql://user:password@host:5432/database "
            "(write / @ : # of a password as %2F %40 %3A %23)"
        ) from None
    if name == "sqlite":
        engine = create_engine(url, pool_size=8, connect_args={"timeout": _BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if name == "postgresql":
        try:
            return create_engine(
                url, pool_size=8, pool_pre_ping=True, pool_timeout=10, connect_args={"connect_timeout": 5}
            )
        except ModuleNotFoundError:
            raise ConfigurationError(
                "PostgreSQL needs its driver: pip install 'sternpost[postgres]'"
            ) from None
    raise ConfigurationError(
        f"the tables can't be stored in {name!r}; set STERNPOST_TABLES_URL to sqlite:///... or postgresql://..."
    )


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes late and never IMMEDIATE; SQLAlchemy's `begin` event sends ours.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    commit_durably(connection)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("is_write") else "BEGIN")


@contextmanager
def _unavailable_as_ours() -> Generator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreUnavailable(_sentence(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(_sentence(error)) from error
        raise


def _sentence(error: SQLAlchemyError) -> str:
    # The driver's words without the statement and its parameters: those may hold names of people.
    cause = str(error.orig) if isinstance(error, DBAPIError) else "no connection became free in time"
    return f"the tables can't be reached: {cause.splitlines()[0] if cause else 'no reason given'}"


def _damaged(engine: Engine, error: DatabaseError) -> str:
    place = engine.url.database if engine.dialect.name == "sqlite" else "of STERNPOST_TABLES_URL"
    return (
        f"the tables {place} can't be read ({str(error.orig).splitlines()[0]}): restore them from a backup, "
        "or move them away to start with new keys"
    )


def _version_of(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found or ""


def _refuse_strange(connection: Connection, version: str) -> None:
    """A whole file is ours; a PostgreSQL database may be shared, but not with another one's migrations."""
    found = inspect(connection).get_table_names()
    is_shared = connection.dialect.name == "postgresql" and not version
    if found and _OWN_TABLE not in found and not is_shared:
        place = connection.engine.url.database
        raise ConfigurationError(
            f"{place!r} is a database of another application (it has a table {found[0]!r}): move it away, or "
            "name another database with STERNPOST_TABLES_URL or another folder with --home"
        )


def _refuse_newer(version: str) -> None:
    if version > SCHEMA_VERSION:
        raise NewerData(
            f"the tables have schema version {version}, this Sternpost knows {SCHEMA_VERSION}: "
            "start the newer Sternpost that made them, or restore the tables from before the upgrade"
        )


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - 120 ms that an up-to-date start does not pay
    from alembic.config import Config  # noqa: PLC0415

    attributes: dict[str, Any] = {"connection": connection}
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
