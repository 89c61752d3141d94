"""What Claude takes wherever it is reached: efforts, and what goes with thinking; writes no request.

Sources: https://platform.claude.com/docs/en/build-with-claude/effort, .../adaptive-thinking and
.../extended-thinking, and the migration guide of each model.
"""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import ReasoningRequest
from sternpost.contracts.message import Json

# What the catalogue says a model rejects, where that is less than a whole field: a choice that forces a call,
# a budget of thinking, an effort.
FORCED_CHOICE: Final = "forced_tool_choice"
NO_BUDGET: Final = "thinking_budget"
NO_EFFORT: Final = "effort"
MIN_BUDGET: Final = 1024
SPARE_EFFORT: Final = "low"  # of a model that can't but think
LEAST_TOP_P: Final = 0.95  # with thinking on, a smaller one is a 400
_BUDGETS: Final = (("low", 2048), ("medium", 8192))


def adaptive_effort(ask: ReasoningRequest, *, knows_xhigh: bool) -> str | None:
    """Return the effort nearest to what was asked; None leaves it to the model."""
    effort = ask.effort
    if effort is None and ask.budget_tokens is not None:
        budget = ask.budget_tokens
        effort = next((name for name, limit in _BUDGETS if budget <= limit), "high")
    if effort == "minimal":
        return "low"
    return "high" if effort == "xhigh" and not knows_xhigh else effort


def unforced(choice: Mapping[str, Json]) -> dict[str, Json]:
    """Return a choice in Anthropic's words that leaves it to the model whether it calls a tool."""
    return {"type": "auto", **{name: value for name, value in choice.items() if name not in ("type", "name")}}
