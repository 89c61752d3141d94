from common import MODEL, QUESTION, provider, weather
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor

LangChainInstrumentor().instrument(tracer_provider=provider())
agent = create_agent(ChatOpenAI(model=MODEL), [weather], system_prompt="Be brief.")
print(agent.invoke({"messages": [("user", QUESTION)]})["messages"][-1].content)
