"""What a capability declares of the facts it records on spans; how they are stored is in `fact_values`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sternpost.base.fact_values import FactKind


@dataclass(frozen=True, slots=True)
class SpanFact:
    """One fact; `name`, of a-z, 0-9 and underscores, is also its field in the filter of traces."""

    name: str
    kind: FactKind
    description: str


Facts: TypeAlias = Mapping[str, SpanFact]  # by name
