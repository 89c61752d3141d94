from common import MODEL, QUESTION, provider, weather
from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from smolagents import OpenAIServerModel, ToolCallingAgent, tool

SmolagentsInstrumentor().instrument(tracer_provider=provider())
print(ToolCallingAgent(tools=[tool(weather)], model=OpenAIServerModel(MODEL), max_steps=2).run(QUESTION))
