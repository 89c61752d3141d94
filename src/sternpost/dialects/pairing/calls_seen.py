"""Remembers the calls of a history for dialects that pair results with them by name and order."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sternpost.contracts.message import Part, ToolCallPart, ToolResponsePart


@dataclass(slots=True)
class CallsSeen:
    """Calls by id; an id that is used again counts where it is used last."""

    _names: dict[str, str] = field(default_factory=dict[str, str])
    _places: dict[str, int] = field(default_factory=dict[str, int])
    _count: int = 0

    def add(self, call: ToolCallPart) -> None:
        call_id = call.id or ""
        self._names[call_id] = call.name
        self._places[call_id] = self._count
        self._count += 1

    def name_of(self, call_id: str | None) -> str | None:
        """Return the name of the tool that was called; None for an unknown id."""
        return self._names.get(call_id or "")

    def in_order(self, parts: Iterable[Part]) -> list[ToolResponsePart]:
        """Return the results among the parts as their calls were made."""
        results = [part for part in parts if isinstance(part, ToolResponsePart)]
        results.sort(key=lambda part: self._places.get(part.id or "", 0))
        return results
