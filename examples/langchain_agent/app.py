# /// script
# requires-python = ">=3.11"
# dependencies = ["langchain==1.5.2", "langchain-openai==1.7.4"]
# ///
"""A LangChain agent with a tool, streamed; reads OPENAI_BASE_URL, OPENAI_API_KEY and, if set, MODEL."""

import os
import secrets
import sys

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

TRACE_ID = secrets.token_hex(16)
HEADERS = {
    "x-sternpost-session": "langchain-example",
    "x-sternpost-user": "ada",
    "traceparent": f"00-{TRACE_ID}-{secrets.token_hex(8)}-01",  # all calls of this run in one trace
}
SEEN = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow", "Lima": "24 degrees and sun"}


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"The weather in {city} is {SEEN.get(city, 'not known')}."


def main() -> None:
    question = " ".join(sys.argv[1:]) or "How is the weather in Paris?"
    model = ChatOpenAI(model=os.environ.get("MODEL", "offline/extract-large"), default_headers=HEADERS)
    agent = create_agent(model, tools=[weather], system_prompt="Answer from what the tools say.")
    asked = {"messages": [{"role": "user", "content": question}]}
    for message, _ in agent.stream(asked, stream_mode="messages"):
        if message.type == "AIMessageChunk":
            print(message.text, end="", flush=True)
    print(f"\ntrace: {TRACE_ID}")


if __name__ == "__main__":
    main()
