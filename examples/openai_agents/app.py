# /// script
# requires-python = ">=3.11"
# dependencies = ["openai-agents==0.24.0"]
# ///
"""An agent of the OpenAI Agents SDK with a tool; reads OPENAI_BASE_URL, OPENAI_API_KEY and, if set, MODEL."""

import asyncio
import os
import secrets
import sys

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

TRACE_ID = secrets.token_hex(16)
HEADERS = {
    "x-sternpost-session": "openai-agents-example",
    "x-sternpost-user": "ada",
    "traceparent": f"00-{TRACE_ID}-{secrets.token_hex(8)}-01",  # all calls of this run in one trace
}
SEEN = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow", "Lima": "24 degrees and sun"}


@function_tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"The weather in {city} is {SEEN.get(city, 'not known')}."


async def main() -> None:
    set_tracing_disabled(True)  # the SDK would send its own traces to OpenAI
    question = " ".join(sys.argv[1:]) or "How is the weather in Paris?"
    name = os.environ.get("MODEL", "offline/extract-large")
    async with AsyncOpenAI(default_headers=HEADERS) as client:
        model = OpenAIResponsesModel(model=name, openai_client=client)
        agent = Agent("desk", instructions="Answer from what the tools say.", model=model, tools=[weather])
        result = await Runner.run(agent, question, max_turns=4)
    print(result.final_output)
    print(f"trace: {TRACE_ID}")


if __name__ == "__main__":
    asyncio.run(main())
