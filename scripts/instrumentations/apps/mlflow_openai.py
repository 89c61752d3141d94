import os

base, key = os.environ["STERNPOST_BASE_URL"], os.environ["STERNPOST_API_KEY"]
os.environ |= {
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{base}/v1/traces",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {key}",
    "MLFLOW_ENABLE_OTLP_EXPORTER": "true",
}
import mlflow  # noqa: E402
from common import tool_loop  # noqa: E402
from openai import OpenAI  # noqa: E402

mlflow.openai.autolog()


@mlflow.trace(span_type="AGENT")
def ask(question: str) -> str:
    return tool_loop(OpenAI())


print(ask("How warm is it in Paris?"))
mlflow.flush_trace_async_logging(terminate=True)
