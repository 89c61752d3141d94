"""The engine of traces: SQL in ClickHouse's dialect; which SQL belongs to each capability's `store.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer to a query, row by row in the order of `columns`."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    read_rows: int = 0
    elapsed_s: float = 0.0


class TraceStore(Protocol):
    """Blocking; call it through `base.threads`. Safe for many threads at once."""

    def migrate(self) -> None:
        """Bring the schema to this version of Sternpost.

        Raises: StoreUnavailable; NewerData when the schema is newer than this version.
        """
        ...

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add rows; all are on disk when this returns. Writing the same key twice keeps one row at read.

        Raises: StoreUnavailable when the same rows may succeed later, RowsRefused when they never will. Some
        of the rows may be stored then; repeating is harmless.
        """
        ...

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        query_id: str = "",
        timeout_s: float | None = None,
        max_rows: int = 10_000,
    ) -> Rows:
        """Read with server-side parameters, written `{name:Type}` in the SQL.

        While the schema is being brought up to date a question that needs the new one waits for it, briefly.

        Raises: QueryTimedOut, StoreUnavailable, BadRequest for SQL the engine refuses.
        """
        ...

    def command(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement that returns nothing (ALTER, OPTIMIZE, DROP PARTITION)."""
        ...

    def cancel(self, query_id: str) -> None:
        """End a running query; its caller gets QueryTimedOut."""
        ...

    def ping(self) -> bool:
        """Say whether the engine answers."""
        ...

    def trouble(self) -> str:
        """Say in a sentence what keeps the store from serving whole and up-to-date traces; "" for nothing."""
        ...

    def close(self) -> None: ...
