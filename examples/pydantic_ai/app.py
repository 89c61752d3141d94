# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[openai]==2.68.0"]
# ///
"""A pydantic-ai agent with a tool; reads OPENAI_BASE_URL, OPENAI_API_KEY and, if set, MODEL."""

import os
import secrets
import sys

from pydantic_ai import Agent, ModelSettings
from pydantic_ai.models.openai import OpenAIChatModel

TRACE_ID = secrets.token_hex(16)
HEADERS = {
    "x-sternpost-session": "pydantic-ai-example",
    "x-sternpost-user": "ada",
    "traceparent": f"00-{TRACE_ID}-{secrets.token_hex(8)}-01",  # all calls of this run in one trace
}
SEEN = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow", "Lima": "24 degrees and sun"}

agent = Agent(
    OpenAIChatModel(os.environ.get("MODEL", "offline/extract-large")),
    instructions="Answer from what the tools say.",
    model_settings=ModelSettings(extra_headers=HEADERS),
)


@agent.tool_plain
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"The weather in {city} is {SEEN.get(city, 'not known')}."


def main() -> None:
    result = agent.run_sync(" ".join(sys.argv[1:]) or "How is the weather in Paris?")
    print(result.output)
    print(f"trace: {TRACE_ID}")


if __name__ == "__main__":
    main()
