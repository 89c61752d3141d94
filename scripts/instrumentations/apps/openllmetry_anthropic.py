from anthropic import Anthropic
from common import anthropic_tool_loop, in_one_trace, provider
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

AnthropicInstrumentor().instrument(tracer_provider=provider())
in_one_trace(lambda: anthropic_tool_loop(Anthropic()))
