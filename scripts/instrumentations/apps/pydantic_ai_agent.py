from common import MODEL, QUESTION, provider, weather
from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel

Agent.instrument_all(InstrumentationSettings(tracer_provider=provider()))
agent = Agent(OpenAIChatModel(MODEL), tools=[weather], system_prompt="Be brief.")
print(agent.run_sync(QUESTION).output)
