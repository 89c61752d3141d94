from common import MODEL, QUESTION, provider
from crewai import LLM, Agent, Crew, Task
from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

spans = provider()
CrewAIInstrumentor().instrument(tracer_provider=spans)
OpenAIInstrumentor().instrument(tracer_provider=spans)  # which tells of the calls that a crew makes
agent = Agent(role="planner", goal="answer", backstory="knows the weather", llm=LLM(model=f"openai/{MODEL}"))
print(
    Crew(
        agents=[agent], tasks=[Task(description=QUESTION, expected_output="a number", agent=agent)]
    ).kickoff()
)
