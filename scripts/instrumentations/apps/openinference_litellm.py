import litellm
from common import MODEL, QUESTION, TOOL, in_one_trace, provider, weather
from openinference.instrumentation.litellm import LiteLLMInstrumentor

LiteLLMInstrumentor().instrument(tracer_provider=provider())


def ask() -> str:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    options = {"model": f"openai/{MODEL}", "tools": [TOOL]}
    call = litellm.completion(messages=messages, **options).choices[0].message
    messages += [call.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": weather("Paris")}]
    return litellm.completion(messages=messages, **options).choices[0].message.content


in_one_trace(ask)
