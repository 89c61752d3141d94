"""A trace store whose queries belong to the current read: its time, and an id to end them by.

Source: `sternpost.base.reads`; the queries of nobody's read pass unchanged.
"""

from collections.abc import Mapping, Sequence

from sternpost.base.reads import current_read
from sternpost.contracts.trace_store import Rows, TraceStore


class BoundedTraceStore:
    """Implements `contracts.trace_store.TraceStore` over another."""

    def __init__(self, store: TraceStore, *, query_timeout_s: float) -> None:
        self._store = store
        self._query_timeout_s = query_timeout_s

    def migrate(self) -> None:
        self._store.migrate()

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self._store.insert(table, columns, rows)

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        query_id: str = "",
        timeout_s: float | None = None,
        max_rows: int = 10_000,
    ) -> Rows:
        read = current_read()
        if read is None:
            return self._store.query(
                sql, parameters, query_id=query_id, timeout_s=timeout_s, max_rows=max_rows
            )
        with read.query(self._query_timeout_s if timeout_s is None else timeout_s) as (own_id, left_s):
            return self._store.query(
                sql, parameters, query_id=query_id or own_id, timeout_s=left_s, max_rows=max_rows
            )

    def command(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        self._store.command(sql, parameters)

    def cancel(self, query_id: str) -> None:
        self._store.cancel(query_id)

    def ping(self) -> bool:
        return self._store.ping()

    def trouble(self) -> str:
        return self._store.trouble()

    def close(self) -> None:
        self._store.close()
