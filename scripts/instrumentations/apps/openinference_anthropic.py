from anthropic import Anthropic
from common import QUESTION, in_one_trace, provider
from openinference.instrumentation.anthropic import AnthropicInstrumentor

TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
AnthropicInstrumentor().instrument(tracer_provider=provider())


def ask() -> str:
    client, messages = Anthropic(), [{"role": "user", "content": QUESTION}]
    options = {"model": "claude-haiku-4-5", "max_tokens": 100, "tools": [TOOL], "system": "Be brief."}
    reply = client.messages.create(messages=messages, **options)
    call = reply.content[-1]
    messages += [{"role": "assistant", "content": [block.model_dump() for block in reply.content]}]
    answer = {"type": "tool_result", "tool_use_id": call.id, "content": "21 degrees in Paris"}
    messages += [{"role": "user", "content": [answer]}]
    return client.messages.create(messages=messages, **options).content[-1].text


in_one_trace(ask)
