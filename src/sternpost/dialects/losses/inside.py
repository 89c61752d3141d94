"""Names fields inside messages that a reader does not know; their known shapes are in each dialect.

What means nothing to another provider, such as the ids of items, counts as known: a warning that always comes
is no warning.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sternpost.contracts.message import Json

_NOTHING: tuple[Json, ...] = (None, False, "", [], {})
_NAME_CHARS = 64
_MOST = 20  # names of one request


@dataclass(frozen=True, slots=True)
class Shape:
    """Objects of one kind. path: as they are named in warnings; inner: fields that hold more of them."""

    path: str
    known: frozenset[str]
    inner: "tuple[tuple[str, Kinds], ...]" = ()


@dataclass(frozen=True, slots=True)
class Kinds:
    """Shapes by the value of the field `by`; objects of any other kind are not looked into."""

    shapes: Mapping[str | None, Shape]
    by: str = "type"


def unknown_inside(value: Json, kinds: Kinds) -> tuple[str, ...]:
    """Return the names of fields that no shape knows and that say something, each once."""
    found: dict[str, None] = {}
    _look(value, kinds, found)
    return tuple(found)


def _look(value: Json, kinds: Kinds, found: dict[str, None]) -> None:
    if isinstance(value, list):
        for item in value:
            _look(item, kinds, found)
        return
    if not isinstance(value, dict):
        return
    kind = value.get(kinds.by)
    shape = kinds.shapes.get(kind) if kind is None or isinstance(kind, str) else None
    if shape is None:
        return
    if not value.keys() <= shape.known and len(found) < _MOST:
        for name, inner in value.items():
            if name not in shape.known and inner not in _NOTHING:
                found[f"{shape.path}.{name[:_NAME_CHARS]}"] = None
    for name, inner_kinds in shape.inner:
        if name in value:
            _look(value[name], inner_kinds, found)
