"""Inserts rows into one table, around those it refuses; not what a row contains, nor which go together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sternpost.base.errors import RowsRefused, StoreError, StoreUnavailable
from sternpost.contracts.score import Score
from sternpost.contracts.span import Content, Span
from sternpost.contracts.trace_store import TraceStore

_MAX_BYTES = 16_000_000  # of one insert; the engine needs several times as much memory
_MAX_UNPROVEN = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One row to insert. `source` is the batch its `item` came from."""

    values: Sequence[object]
    day_ns: int
    source: int
    item: Span | Content | Score
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RefusedRow:
    row: Row
    reason: str


@dataclass(slots=True)
class TableInserts:
    """The inserts of one flush into one table: halves what is refused until the rows at fault are isolated.

    An error that names the rows is believed. Any other is held against a row only when the table takes a row
    that it took before at the same time: a fault of the store must never look like one of every row.
    """

    store: TraceStore
    table: str
    columns: Sequence[str]
    accepted: int = 0
    refused: list[RefusedRow] = field(default_factory=list[RefusedRow])
    _witness: Row | None = None
    _unproven: list[Row] = field(default_factory=list[Row])

    def insert(self, rows: Sequence[Row]) -> None:
        """Raises: StoreUnavailable; repeating is then harmless."""
        for part in _by_size(rows):
            self._insert(part)

    def finish(self) -> None:
        """Judge the rows that were refused before any other was accepted. Raises: StoreUnavailable."""
        unproven, self._unproven = self._unproven, []
        for row in unproven:
            refusal = self._try([row])
            if refusal is not None:
                self._judge(row, refusal, is_last=True)

    def _insert(self, rows: Sequence[Row]) -> None:
        refusal = self._try(rows)
        if refusal is None:
            return
        if len(rows) == 1:
            self._judge(rows[0], refusal, is_last=False)
            return
        middle = len(rows) // 2
        self._insert(rows[:middle])
        self._insert(rows[middle:])

    def _try(self, rows: Sequence[Row]) -> RowsRefused | None:
        try:
            self.store.insert(self.table, self.columns, [row.values for row in rows])
        except RowsRefused as error:
            return error
        except StoreError:
            raise
        except MemoryError:
            raise StoreUnavailable("the worker has too little memory to write; it will retry") from None
        except Exception as error:  # noqa: BLE001  # the edge of one insert: a row that breaks the driver
            return RowsRefused(f"the rows can't be sent ({type(error).__name__})", is_certain=False)
        self.accepted += len(rows)
        self._witness = rows[0]
        return None

    def _judge(self, row: Row, refusal: RowsRefused, *, is_last: bool) -> None:
        if not refusal.is_certain and not self._takes_others():
            if is_last or len(self._unproven) >= _MAX_UNPROVEN:
                raise StoreUnavailable(f"{refusal.message}; no other row shows if this row is at fault")
            self._unproven.append(row)
            return
        self.refused.append(RefusedRow(row, refusal.message))

    def _takes_others(self) -> bool:
        """Write a row again that was accepted, which changes nothing.

        Raises: StoreUnavailable when it is refused now.
        """
        if self._witness is None:
            return False
        refusal = self._try([self._witness])
        if refusal is not None:
            raise StoreUnavailable(refusal.message)
        self.accepted -= 1
        return True


def _by_size(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    start = size_bytes = 0
    for index, row in enumerate(rows):
        size_bytes += row.size_bytes
        if size_bytes > _MAX_BYTES and index > start:
            yield rows[start:index]
            start, size_bytes = index, row.size_bytes
    if start < len(rows):
        yield rows[start:]
