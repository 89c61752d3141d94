# /// script
# requires-python = ">=3.11"
# dependencies = ["llama-index-core==0.14.25", "llama-index-llms-openai-like==0.8.1"]
# ///
"""A LlamaIndex agent with a tool; reads OPENAI_BASE_URL, OPENAI_API_KEY and, if set, MODEL."""

import asyncio
import os
import secrets
import sys

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai_like import OpenAILike

TRACE_ID = secrets.token_hex(16)
HEADERS = {
    "x-sternpost-session": "llama-index-example",
    "x-sternpost-user": "ada",
    "traceparent": f"00-{TRACE_ID}-{secrets.token_hex(8)}-01",  # all calls of this run in one trace
}
SEEN = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow", "Lima": "24 degrees and sun"}


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"The weather in {city} is {SEEN.get(city, 'not known')}."


async def main() -> None:
    question = " ".join(sys.argv[1:]) or "How is the weather in Paris?"
    model = OpenAILike(  # LlamaIndex's `OpenAI` knows OpenAI's own model names alone
        model=os.environ.get("MODEL", "offline/extract-large"),
        api_base=os.environ["OPENAI_BASE_URL"],
        api_key=os.environ["OPENAI_API_KEY"],
        default_headers=HEADERS,
        context_window=32_000,
        is_chat_model=True,
        is_function_calling_model=True,
    )
    agent = FunctionAgent(tools=[weather], llm=model, system_prompt="Answer from what the tools say.")
    print(await agent.run(question))
    print(f"trace: {TRACE_ID}")


if __name__ == "__main__":
    asyncio.run(main())
