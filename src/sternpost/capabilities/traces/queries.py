"""Queries the trace store about one project; the queries themselves belong to its callers."""

from collections.abc import Mapping

from sternpost.capabilities.traces.records import TimeRange
from sternpost.contracts.trace_store import Rows, TraceStore


class ProjectQueries:
    """Blocking, so call what uses it through `base.threads`."""

    def __init__(self, store: TraceStore, project_id: str, timeout_s: float | None = None) -> None:
        self._store = store
        self._project = project_id
        self._timeout_s = timeout_s

    def ask(self, sql: str, parameters: Mapping[str, object], *, max_rows: int | None = None) -> Rows:
        """Give the project and those of the parameters that the query names.

        The store takes no value that the query does not name; which times a filter names, it knows itself.
        """
        asked = {"project": self._project, **parameters}
        named = {name: value for name, value in asked.items() if f"{{{name}:" in sql}
        if max_rows is None:
            return self._store.query(sql, named, timeout_s=self._timeout_s)
        return self._store.query(sql, named, timeout_s=self._timeout_s, max_rows=max_rows)


def started_within(bounds: TimeRange) -> dict[str, object]:
    """Return the parameters of `span_sql.PROJECT_AND_TIME`."""
    return {"low": bounds.since_ns, "high": bounds.until_ns}


def whole_number(value: object) -> int:
    return value if isinstance(value, int) else 0
