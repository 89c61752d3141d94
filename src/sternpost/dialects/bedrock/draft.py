"""One request on its way to Bedrock, and what is known of the model it is for; writes nothing."""

from dataclasses import dataclass, field
from typing import Final

from sternpost.contracts.chat import CacheMark, ChatRequest
from sternpost.contracts.message import Json
from sternpost.contracts.provider import ModelFacts
from sternpost.dialects.bedrock.model_ids import cached_places, maker_of
from sternpost.dialects.pairing.tool_names import ToolNames

_TOOL_NAME: Final = 64
_MOST_MARKS: Final = 4


@dataclass(slots=True)
class Draft:
    request: ChatRequest
    facts: ModelFacts | None
    body: dict[str, Json] = field(default_factory=dict[str, Json])
    extra: dict[str, Json] = field(default_factory=dict[str, Json])  # for the model alone
    dropped: list[str] = field(default_factory=list[str])
    names: ToolNames = field(init=False)
    can_think: bool = True  # whether the turns allow thinking within a budget
    is_thinking: bool = False
    model_id: str = field(init=False)
    # Who made the model; an application's profile tells it by the model it was declared to be.
    maker: str = field(init=False)
    is_claude: bool = field(init=False)

    def __post_init__(self) -> None:
        self.names = ToolNames(_TOOL_NAME, client_tools=self.request.client_tools)
        self.model_id = self.facts.name if self.facts is not None else self.request.model
        self.maker = maker_of(self.model_id)
        self.is_claude = self.maker == "anthropic"

    @property
    def max_tokens(self) -> int | None:
        """Return the asked limit, lowered to the model's."""
        asked = self.request.max_output_tokens
        limit = self.facts.max_output_tokens if self.facts is not None else None
        return min(asked, limit) if asked is not None and limit is not None else asked

    def can(self, ability: str, *, if_unknown: bool) -> bool:
        """Of a model that only the price table names, nothing is known but its size."""
        is_known = self.facts is not None and self.facts.abilities
        return ability in self.facts.abilities if self.facts is not None and is_known else if_unknown

    def rejects(self, parameter: str) -> bool:
        return self.facts is not None and parameter in self.facts.rejects

    def marks(self) -> tuple[CacheMark, ...]:
        """Return the caller's cache marks: the first four, where the model caches at all."""
        marks = self.request.cache_marks
        if not marks:
            return ()
        places = cached_places(self.model_id)
        kept = marks[:_MOST_MARKS] if places else ()
        if "tools" not in places:
            kept = tuple(mark for mark in kept if mark.message >= 0)
        if len(kept) < len(marks):
            self.dropped.append("cache_control")
        return kept
