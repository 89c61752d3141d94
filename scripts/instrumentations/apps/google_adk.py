import asyncio

from common import MODEL, QUESTION, provider, weather

provider()
from google.adk.agents import LlmAgent  # noqa: E402
from google.adk.models.lite_llm import LiteLlm  # noqa: E402
from google.adk.runners import InMemoryRunner  # noqa: E402

agent = LlmAgent(name="planner", model=LiteLlm(f"openai/{MODEL}"), instruction="Be brief.", tools=[weather])
asyncio.run(InMemoryRunner(agent=agent, app_name="weather").run_debug(QUESTION))
