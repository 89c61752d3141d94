from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from common import MODEL, QUESTION, provider, weather
from openai import AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

set_tracing_disabled(False)
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider())
model = OpenAIChatCompletionsModel(MODEL, AsyncOpenAI())
agent = Agent(name="planner", instructions="Be brief.", tools=[function_tool(weather)], model=model)
print(Runner.run_sync(agent, QUESTION).final_output)
