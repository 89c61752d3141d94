from common import MODEL, QUESTION, provider
from haystack import Pipeline
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from openinference.instrumentation.haystack import HaystackInstrumentor

HaystackInstrumentor().instrument(tracer_provider=provider())
pipeline = Pipeline()
pipeline.add_component("llm", OpenAIChatGenerator(model=MODEL))
print(pipeline.run({"llm": {"messages": [ChatMessage.from_user(QUESTION)]}}))
