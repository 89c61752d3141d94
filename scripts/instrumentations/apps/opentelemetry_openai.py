from common import in_one_trace, provider, tool_loop
from openai import OpenAI
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

OpenAIInstrumentor().instrument(tracer_provider=provider())
in_one_trace(lambda: tool_loop(OpenAI()))
