"""The OpenTelemetry SDK exports to Sternpost, and gateway calls join the application's trace."""

import gzip
import json

import openai
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tests.support.running import RunningSternpost

ASK = [{"role": "user", "content": "[a.md] Sternpost keeps spans.\n\nWhat does Sternpost keep?"}]


def test_an_exported_span_and_a_gateway_call_are_one_trace(sternpost_server: RunningSternpost) -> None:
    exporter = OTLPSpanExporter(
        endpoint=f"{sternpost_server.base_url}/v1/traces",
        headers={"authorization": f"Bearer {sternpost_server.key}"},
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("shop.search", "1.0")
    client = openai.OpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    )

    with tracer.start_as_current_span("answer", attributes={"session.id": "s-1", "user.id": "bea"}) as root:
        headers: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(headers)
        client.chat.completions.create(model="lab/m1", messages=ASK, extra_headers=headers)
    trace_id = otel.format_trace_id(root.get_span_context().trace_id)
    provider.shutdown()
    client.close()

    trace = sternpost_server.trace(trace_id, spans=3)
    spans = {span["type"]: span for span in trace["spans"]}
    assert spans["chain"]["parent_span_id"] is None
    assert spans["gateway"]["parent_span_id"] == spans["chain"]["span_id"]
    assert spans["attempt"]["parent_span_id"] == spans["gateway"]["span_id"]
    assert trace["trace"]["name"] == "answer"
    assert trace["trace"]["session_id"] == "s-1"
    assert trace["trace"]["input_tokens"] > 0


def test_json_and_gzip_are_taken_in_and_garbage_is_named(sternpost_server: RunningSternpost) -> None:
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "chat gpt-5-mini",
        "kind": 3,
        "startTimeUnixNano": "1763700000000000000",
        "endTimeUnixNano": "1763700001000000000",
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-5-mini"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
        ],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    packed = gzip.compress(json.dumps(body).encode())

    status, _, answer = sternpost_server.request("POST", "/v1/traces", packed, {"content-encoding": "gzip"})
    assert (status, answer) == (200, {})
    trace = sternpost_server.trace(span["traceId"])
    assert trace["spans"][0]["request_model"] == "gpt-5-mini"
    assert trace["trace"]["input_tokens"] == 12

    status, _, answer = sternpost_server.request("POST", "/v1/traces", b"{broken")
    assert status == 400
    assert "JSON" in answer["message"]
