"""The attributes of one span while they are mapped: which column takes which, and what is left over."""

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import TypeAlias

from sternpost.contracts.message import Json
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.values import as_count, as_json, as_number, as_text, as_texts, unflatten

_Entries: TypeAlias = "list[tuple[int, str, Json]]"
_ABSENT: _Entries = []
_RANK = itemgetter(0)


class Attributes:
    """Reads columns by the table. A name is used up when it wins, or says the same as the winner."""

    def __init__(self, values: Mapping[str, Json], resource: Mapping[str, Json]) -> None:
        self._values = values
        self._used: set[str] = set()
        self._found = _by_column(values)
        self._of_resource = _by_column(resource)
        self._flat = [name for name in values if name.startswith(TABLE.prefixes)]

    def value(self, column: str) -> Json:
        """Return the first present value of a column, looked for on the span and then on its resource."""
        entries = self._found.get(column) or self._of_resource.get(column)
        if entries is None:
            return None
        _, name, winner = entries[0]
        self._used.add(name)
        for _, name, value in entries[1:]:
            if value == winner:
                self._used.add(name)
        return winner

    def candidates(self, column: str) -> Iterator[tuple[str, Json]]:
        """Yield every present name of a column and its value, in order of trust; `take` what is used."""
        for _, name, value in self._found.get(column, _ABSENT):
            yield name, value

    def take(self, column: str, value: Json) -> None:
        """Mark the names of a column that say what was read, so that it is not kept a second time."""
        self._used.update(name for _, name, found in self._found.get(column, _ABSENT) if found == value)

    def named(self, name: str) -> Json:
        """Return one attribute of the span by its own name."""
        found = self._values.get(name)
        if found is not None:
            self._used.add(name)
        return found

    def peek(self, name: str) -> Json:
        """Return one attribute of the span without using it up."""
        return self._values.get(name)

    def ending(self, prefix: str, suffix: str) -> tuple[str, ...]:
        """Return the texts of names like `<prefix><number><suffix>`, by number."""
        names = [name for name in self._values if name.startswith(prefix) and name.endswith(suffix)]
        names.sort(key=lambda name: (len(name), name))
        self._used.update(names)
        return tuple(as_text(self._values[name]) for name in names)

    def text(self, column: str) -> str:
        value = self.value(column)
        return value if type(value) is str else as_text(value)

    def texts(self, column: str) -> tuple[str, ...]:
        value = self.value(column)
        return () if value is None else as_texts(value)

    def count(self, column: str) -> int | None:
        return as_count(self.value(column)) if column in self._found else None

    def number(self, column: str) -> float | None:
        return as_number(self.value(column)) if column in self._found else None

    def json(self, column: str) -> Json:
        value = self.value(column)
        return None if value is None else as_json(value)

    def listed(self, column: str) -> list[Json]:
        """Rebuild a flattened list of a column; [] if there is none."""
        if not self._flat:
            return []
        for prefix in TABLE.indexed[column]:
            start = f"{prefix}."
            named = {name: self._values[name] for name in self._flat if name.startswith(start)}
            if named and (found := unflatten(named, prefix)):
                self._used.update(named)
                return found
        return []

    def parameters(self) -> Iterator[tuple[str, Json]]:
        """Yield the parameters of a request that have attributes of their own, by their common name."""
        if self._values.keys() & TABLE.parameters.keys():
            for attribute, name in TABLE.parameters.items():
                if (value := self.named(attribute)) is not None:
                    yield name, value

    def left_over(self) -> dict[str, Json]:
        """Return what no column took, by name; call it last."""
        return {name: self._values[name] for name in sorted(self._values.keys() - self._used)}


def _by_column(values: Mapping[str, Json]) -> dict[str, _Entries]:
    """Sort the attributes that have columns into them, the most trusted name first."""
    found: dict[str, _Entries] = {}
    for name, value in values.items():
        columns = TABLE.columns_of.get(name)
        if columns is None or value is None or value == "":
            continue
        for column, rank in columns:
            entries = found.get(column)
            if entries is None:
                found[column] = [(rank, name, value)]
            else:
                entries.append((rank, name, value))
                entries.sort(key=_RANK)
    return found
