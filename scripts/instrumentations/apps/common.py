"""What every application here shares: where to send spans and log records, and one tool."""

import atexit
import os

QUESTION = "How warm is it in Paris?"
MODEL = "gpt-5-mini"


def weather(city: str) -> str:
    """Say how warm it is in a city.

    Args:
        city: the name of the city
    """
    return f"21 degrees in {city}"


TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Say how warm it is in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def provider():
    """Set OpenTelemetry up so that spans and log records go to Sternpost, and return the provider of spans."""
    from opentelemetry import _logs, trace
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    base, headers = (
        os.environ["STERNPOST_BASE_URL"],
        {"authorization": f"Bearer {os.environ['STERNPOST_API_KEY']}"},
    )
    spans, logs = TracerProvider(), LoggerProvider()
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", headers=headers)))
    logs.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(f"{base}/v1/logs", headers=headers))
    )
    trace.set_tracer_provider(spans)
    _logs.set_logger_provider(logs)
    atexit.register(lambda: (spans.shutdown(), logs.shutdown()))
    return spans


def tool_loop(client) -> str:
    """Ask, run the tool that the model calls, and ask again."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    call = client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL]).choices[0].message
    messages += [call.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": weather("Paris")}]
    return (
        client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
        .choices[0]
        .message.content
    )


def anthropic_tool_loop(client) -> str:
    """Do the same with Anthropic's SDK."""
    tool = {"name": "weather", "input_schema": TOOL["function"]["parameters"]}
    options = {"model": "claude-haiku-4-5", "max_tokens": 100, "tools": [tool], "system": "Be brief."}
    messages = [{"role": "user", "content": QUESTION}]
    reply = client.messages.create(messages=messages, **options)
    messages += [{"role": "assistant", "content": [block.model_dump() for block in reply.content]}]
    answer = {"type": "tool_result", "tool_use_id": reply.content[-1].id, "content": weather("Paris")}
    messages += [{"role": "user", "content": [answer]}]
    return client.messages.create(messages=messages, **options).content[-1].text


def in_one_trace(run) -> None:
    from opentelemetry import trace

    with trace.get_tracer("application").start_as_current_span("ask"):
        print(run())
