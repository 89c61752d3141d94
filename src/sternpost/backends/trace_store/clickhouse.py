"""The trace store over ClickHouse's HTTP protocol, embedded engine or server; no SQL of a capability.

Source: the contract in `sternpost.contracts.trace_store`.
"""

import re
import struct
from collections.abc import Callable, Mapping, Sequence

from urllib3 import Timeout

from sternpost.backends.engine.address import EngineAddress
from sternpost.backends.trace_store.condition import (
    CONDITION,
    VERSION,
    Damage,
    detached_trouble,
    version_trouble,
    wait_until_current,
)
from sternpost.backends.trace_store.connections import CONNECT_S, DEFAULT_DATABASE, Connections, Driver
from sternpost.backends.trace_store.failures import (
    insert_failure,
    is_damage,
    needs_other_schema,
    read_failure,
    write_failure,
)
from sternpost.backends.trace_store.old_name import take_over_old_database
from sternpost.backends.trace_store.schema import Migration, load_migrations
from sternpost.base.errors import (
    BadRequest,
    NewerData,
    RowsRefused,
    SternpostError,
    StoreUnavailable,
)
from sternpost.contracts.trace_store import Rows

_WRITE_S = 60.0  # an insert that merges must catch up with, or an ALTER over many parts
_PATIENCE_S = 3.0  # of a read, while the schema is brought up to date
_MAX_PARTITIONS = 200  # of one insert: each is files of its own, synced one by one
_GRACE_S = 5.0  # the engine ends a query at its limit; this is for the answer to arrive
_NOT_ENCODED = (
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    struct.error,
)  # the driver's, as they come
_QUERY_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_PLACEHOLDER = re.compile(r"\{(\w+):")
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations {on_cluster} (version UInt32, name String)
ENGINE = {replicated}ReplacingMergeTree ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""


class ClickHouseTraceStore:
    """A TraceStore. `address` is asked at each use: an engine started again has a new port and password."""

    def __init__(
        self,
        address: Callable[[], EngineAddress],
        *,
        database: str = DEFAULT_DATABASE,
        cluster: str = "",
        query_timeout_s: float = 20.0,
        insert_timeout_s: float = _WRITE_S,
    ) -> None:
        self._address = address
        self._connections = Connections(address, database)
        self._damage = Damage()
        self._known_version = load_migrations(cluster)[-1].version
        self._database = database
        self._cluster = cluster
        self._query_timeout_s = query_timeout_s
        self._insert_timeout_s = insert_timeout_s

    def migrate(self) -> None:
        on_cluster = f"ON CLUSTER {_quoted_name(self._cluster)}" if self._cluster else ""
        create = f"CREATE DATABASE IF NOT EXISTS {_quoted_name(self._database)} {on_cluster}"

        def make(driver: Driver) -> None:
            driver.timeout = Timeout(connect=CONNECT_S, read=_WRITE_S)
            if self._database == DEFAULT_DATABASE and not self._cluster:
                take_over_old_database(driver)
            driver.command(create, use_database=False)

        self._connections.reach(make, write_failure)
        self.command(_LEDGER.format(on_cluster=on_cluster, replicated="Replicated" if self._cluster else ""))
        known = load_migrations(self._cluster)
        applied = self._version()
        if applied > known[-1].version:
            raise NewerData(
                f"the trace store has schema {applied}, this Sternpost knows {known[-1].version}: "
                "install the newer Sternpost, or choose another data folder or database"
            )
        for migration in known:
            if migration.version > applied:
                self._apply(migration)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        if not rows:
            return
        settings: dict[str, object] = {
            "max_partitions_per_insert_block": _MAX_PARTITIONS,
            "max_execution_time": self._insert_timeout_s,
            "async_insert": 0,
        }
        if self._cluster:
            settings["insert_quorum"] = "auto"

        def send(driver: Driver) -> None:
            driver.timeout = Timeout(connect=CONNECT_S, read=self._insert_timeout_s + _GRACE_S)
            try:
                written = driver.insert(table, rows, columns, settings=settings).written_rows
            except _NOT_ENCODED as error:
                sentence = f"a row does not fit table {table!r} ({type(error).__name__})"
                raise RowsRefused(sentence, is_certain=True) from error
            if written < len(rows):  # those of the views behind the table are counted too
                raise StoreUnavailable(
                    f"the trace store answered success for {written} of {len(rows)} rows of {table!r}; "
                    "they are written again"
                )

        self._connections.reach(send, insert_failure)

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        query_id: str = "",
        timeout_s: float | None = None,
        max_rows: int = 10_000,
    ) -> Rows:
        limit_s = self._query_timeout_s if timeout_s is None else timeout_s
        settings: dict[str, object] = {
            "max_execution_time": limit_s,
            "max_result_rows": max_rows,
            "result_overflow_mode": "throw",
        }
        if query_id:
            settings["query_id"] = _checked_id(query_id)
        checked = _checked(sql, parameters)

        def ask(driver: Driver) -> Rows:
            driver.timeout = Timeout(connect=CONNECT_S, read=limit_s + _GRACE_S)
            answer = driver.query(sql, checked, settings)
            summary = answer.summary
            return Rows(
                columns=tuple(answer.column_names),
                rows=answer.result_rows,
                read_rows=int(summary.get("read_rows", 0)),
                elapsed_s=int(summary.get("elapsed_ns", 0)) / 1e9,
            )

        try:
            return self._connections.reach(ask, read_failure)
        except SternpostError as failure:
            self._learn_from(failure)
        return self._connections.reach(ask, read_failure)

    def command(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        checked = _checked(sql, parameters)

        def run(driver: Driver) -> None:
            driver.timeout = Timeout(connect=CONNECT_S, read=_WRITE_S)
            driver.command(sql, checked)

        self._connections.reach(run, write_failure)

    def cancel(self, query_id: str) -> None:
        on_cluster = f"ON CLUSTER {_quoted_name(self._cluster)} " if self._cluster else ""
        self.command(f"KILL QUERY {on_cluster}WHERE query_id = '{_checked_id(query_id)}' ASYNC")

    def ping(self) -> bool:
        """Say whether the engine answers a query, password and all."""

        def ask(driver: Driver) -> object:
            driver.timeout = Timeout(connect=CONNECT_S, read=CONNECT_S)
            return driver.command("SELECT 1", use_database=False)

        try:
            self._connections.reach(ask, read_failure)
        except StoreUnavailable:
            return False
        return True

    def trouble(self) -> str:
        try:
            found, detached = self._condition()
            return (
                detached_trouble(detached)
                or version_trouble(found, self._known_version)
                or self._damage.sentence(self._address())
            )
        except SternpostError as error:
            return error.message

    def close(self) -> None:
        self._connections.close()

    def _condition(self) -> tuple[int, str]:
        """Read the version of the tables and which parts were left out. Raises: SternpostError."""
        try:
            found, detached = self._ask(CONDITION)[0]
        except SternpostError as error:
            if _needs_other_schema(error):  # or a server's user who may not see the parts
                return self._version(), ""
            raise
        return found if isinstance(found, int) else 0, str(detached)

    def _version(self) -> int:
        """Read the version of the tables; 0 before there are any. Raises: StoreUnavailable."""
        try:
            found = self._ask(VERSION)[0][0]
        except SternpostError as error:
            if _needs_other_schema(error):
                return 0
            raise
        return found if isinstance(found, int) else 0

    def _ask(self, sql: str) -> Sequence[Sequence[object]]:
        def ask(driver: Driver) -> Sequence[Sequence[object]]:
            driver.timeout = Timeout(connect=CONNECT_S, read=CONNECT_S)
            return driver.query(sql, None, {}).result_rows

        return self._connections.reach(ask, read_failure)

    def _learn_from(self, failure: SternpostError) -> None:
        """Return if the query may be repeated, as the tables were those of an earlier version.

        Raises: the failure, or StoreUnavailable when the tables are not brought up to date soon.
        """
        cause = failure.__cause__
        if isinstance(cause, Exception) and is_damage(cause):
            self._damage.note(failure.message, self._address())
        if not _needs_other_schema(failure) or self._version() >= self._known_version:
            raise failure
        wait_until_current(lambda: self._version() >= self._known_version, _PATIENCE_S)

    def _apply(self, migration: Migration) -> None:
        for statement in migration.statements:
            self.command(statement)
        self.insert("schema_migrations", ["version", "name"], [[migration.version, migration.name]])


def _checked(sql: str, parameters: Mapping[str, object] | None) -> dict[str, object] | None:
    """Let only server-side parameters through: the driver would paste any other into the SQL itself."""
    if not parameters:
        return None
    strangers = parameters.keys() - set(_PLACEHOLDER.findall(sql))
    if strangers:
        raise BadRequest(f"parameters {sorted(strangers)!r} have no {{name:Type}} in the SQL")
    return dict(parameters)


def _needs_other_schema(failure: SternpostError) -> bool:
    return isinstance(failure.__cause__, Exception) and needs_other_schema(failure.__cause__)


def _checked_id(query_id: str) -> str:
    if not _QUERY_ID.fullmatch(query_id):
        raise BadRequest("a query id has 1 to 128 letters, digits or _.:-", param="query_id")
    return query_id


def _quoted_name(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
