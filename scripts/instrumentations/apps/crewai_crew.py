from common import MODEL, QUESTION, provider
from crewai import LLM, Agent, Crew, Task
from openinference.instrumentation.crewai import CrewAIInstrumentor

CrewAIInstrumentor().instrument(tracer_provider=provider())
agent = Agent(role="planner", goal="answer", backstory="knows the weather", llm=LLM(model=f"openai/{MODEL}"))
print(
    Crew(
        agents=[agent], tasks=[Task(description=QUESTION, expected_output="a number", agent=agent)]
    ).kickoff()
)
