"""The attributes of one span while they are mapped: which column takes which, and what is left over."""

from collections.abc import Mapping

from sternpost.contracts.message import Json
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.values import as_count, as_json, as_number, as_text, as_texts, unflatten


class Attributes:
    """Reads columns by the table. A name is used up when it wins, or says the same as the winner."""

    def __init__(self, values: Mapping[str, Json], resource: Mapping[str, Json]) -> None:
        self._values = values
        self._resource = resource
        self._used: set[str] = set()

    def value(self, column: str) -> Json:
        """Return the first present value of a column, looked for on the span and then on its resource."""
        for source in (self._values, self._resource):
            winner: Json = None
            for name in TABLE.columns[column]:
                found = source.get(name)
                if found is None or found == "":
                    continue
                if winner is None:
                    winner = found
                if found == winner:
                    self._used.add(name)
            if winner is not None:
                return winner
        return None

    def named(self, name: str) -> Json:
        """Return one attribute of the span by its own name."""
        found = self._values.get(name)
        if found is not None:
            self._used.add(name)
        return found

    def text(self, column: str) -> str:
        return as_text(self.value(column))

    def texts(self, column: str) -> tuple[str, ...]:
        return as_texts(self.value(column))

    def count(self, column: str) -> int | None:
        return as_count(self.value(column))

    def number(self, column: str) -> float | None:
        return as_number(self.value(column))

    def json(self, column: str) -> Json:
        return as_json(self.value(column))

    def listed(self, column: str) -> list[Json]:
        """Rebuild a flattened list of a column; [] when there is none."""
        for prefix in TABLE.indexed[column]:
            found = unflatten(self._values, prefix)
            if found:
                self._used.update(name for name in self._values if name.startswith(f"{prefix}."))
                return found
        return []

    def left_over(self) -> dict[str, Json]:
        """Return what no column took, by name; call it last."""
        return {name: self._values[name] for name in sorted(self._values.keys() - self._used)}
