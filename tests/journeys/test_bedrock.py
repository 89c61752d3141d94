"""Bedrock behind Sternpost, reached by the SDKs of OpenAI, Anthropic and AWS; each signature is checked."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anthropic
import boto3
import openai
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost

HAIKU = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
PROFILE_ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/ab12cd34"
ASK: Any = [{"role": "user", "content": "What is a forklift?"}]
TEXT = "A forklift lifts what is heavy with a"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SIGNED = "auth: aws_sigv4, region: eu-central-1"
CONFIG = f"""
providers:
  bedrock:
    base_url: "{{url}}"
    region: eu-central-1
    deployments: {{{{"{PROFILE_ARN}": {HAIKU}}}}}
  bedkey: {{{{dialect: bedrock, base_url: "{{url}}", api_key: bedrock-api-key}}}}
  expired: {{{{dialect: bedrock, base_url: "{{url}}", {SIGNED}, profile: expired}}}}
  denied: {{{{dialect: bedrock, base_url: "{{url}}", {SIGNED}, profile: denied}}}}
  missing: {{{{dialect: bedrock, base_url: "{{url}}", {SIGNED}, profile: nobody}}}}
  lab: {{{{dialect: openai_chat, base_url: "{{url}}/v1", api_key: lab-key}}}}
routes:
  error-first: {{{{targets: [{{{{model: "bedrock/fault-error-event?after=1"}}}}, {{{{model: lab/m1}}}}]}}}}
  no-credentials: {{{{targets: [{{{{model: missing/m1}}}}, {{{{model: lab/m1}}}}]}}}}
"""
CREDENTIALS = """
[expired]
aws_access_key_id = AKIDEXPIRED
aws_secret_access_key = old-secret

[denied]
aws_access_key_id = AKIDDENIED
aws_secret_access_key = secret-without-rights
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider) -> Iterator[RunningSternpost]:
    folder = tmp_path_factory.mktemp("bedrock")
    credentials = folder / "credentials"
    credentials.write_text(CREDENTIALS)
    environment = {
        "AWS_ACCESS_KEY_ID": "AKIDSTERNPOST",
        "AWS_SECRET_ACCESS_KEY": "secret-of-sternpost",
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_CONFIG_FILE": str(Path("/dev/null")),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    config = CONFIG.format(url=provider.url)
    with run_sternpost(folder / "home", config=config, environment=environment) as running:
        yield running


@pytest.fixture
def client(server: RunningSternpost, provider: FakeProvider) -> Iterator[openai.OpenAI]:
    provider.reset()
    with openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=server.key, max_retries=0) as made:
        yield made


@pytest.fixture
def claude(server: RunningSternpost, provider: FakeProvider) -> Iterator[anthropic.Anthropic]:
    provider.reset()
    with anthropic.Anthropic(base_url=server.base_url, api_key=server.key, max_retries=0) as made:
        yield made


@pytest.fixture
def aws(server: RunningSternpost) -> Iterator[Any]:
    with _boto3(server, server.key) as made:
        yield made


@contextmanager
def _boto3(server: RunningSternpost, key: str) -> Iterator[Any]:
    made = boto3.client(
        "bedrock-runtime",
        endpoint_url=f"{server.base_url}/v1/providers/bedrock",
        region_name="eu-central-1",
        aws_access_key_id=key,
        aws_secret_access_key="unused",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        yield made
    finally:
        made.close()


def span_of(server: RunningSternpost, headers: Any) -> dict[str, Any]:
    return server.trace(headers["x-sternpost-trace-id"])["spans"][0]


def cost_of(usage: dict[str, int]) -> int:
    """1.10 and 5.50 USD per million: the table's price of the profile `eu.`, a tenth over the global one."""
    return usage["in_fresh"] * 1100 + usage["out_text"] * 5500


@pytest.mark.parametrize("model", [HAIKU, PROFILE_ARN])
def test_an_openai_caller_is_answered_and_the_call_priced(
    client: openai.OpenAI, server: RunningSternpost, provider: FakeProvider, model: str
) -> None:
    raw = client.chat.completions.with_raw_response.create(model=f"bedrock/{model}", messages=ASK)
    reply = raw.parse()
    span = span_of(server, raw.headers)
    assert (reply.choices[0].message.content, reply.model) == (TEXT, model)
    assert reply.choices[0].finish_reason == "stop"
    assert reply.id
    assert span["cost_status"] == "computed"
    assert span["cost_nanousd"] == cost_of({"in_fresh": reply.usage.prompt_tokens, "out_text": 8})  # type: ignore[union-attr]
    assert span["output"][0]["parts"][0]["content"] == TEXT
    [seen] = provider.requests()
    assert ":" not in seen["path"]
    assert seen["headers"]["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDSTERNPOST/")


def test_a_bedrock_api_key_needs_no_signature(client: openai.OpenAI, provider: FakeProvider) -> None:
    reply = client.chat.completions.create(model=f"bedkey/{HAIKU}", messages=ASK)
    assert reply.choices[0].message.content == TEXT
    assert provider.requests()[0]["headers"]["authorization"] == "Bearer bedrock-api-key"


@pytest.mark.parametrize("model", [HAIKU, PROFILE_ARN])
def test_a_stream_reaches_an_openai_caller_and_its_record(
    client: openai.OpenAI, server: RunningSternpost, model: str
) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=f"bedrock/{model}", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(raw.parse())
    span = span_of(server, raw.headers)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert chunks[0].model == model
    usage = chunks[-1].usage
    assert usage is not None
    assert span["cost_nanousd"] == cost_of(
        {"in_fresh": usage.prompt_tokens, "out_text": usage.completion_tokens}
    )
    assert span["output"][0]["parts"][0]["content"] == TEXT


def test_tools_and_images_reach_the_model_and_calls_come_back(
    client: openai.OpenAI, provider: FakeProvider
) -> None:
    tools: Any = [
        {"type": "function", "function": {"name": "city.weather", "parameters": {"type": "object"}}}
    ]
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    asked: Any = [{"role": "user", "content": [{"type": "text", "text": "Where?"}, picture]}]
    reply = client.chat.completions.create(model=f"bedrock/{HAIKU}", messages=asked, tools=tools)
    call: Any = reply.choices[0].message.tool_calls[0]  # type: ignore[index]
    assert (call.function.name, json.loads(call.function.arguments)) == ("city.weather", {"city": "Paris"})
    answer: Any = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    history = [*asked, reply.choices[0].message.model_dump(exclude_none=True), answer]
    with client.chat.completions.stream(model=f"bedrock/{HAIKU}", messages=history, tools=tools) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == TEXT
    first, second = (json.loads(seen["body"]) for seen in provider.requests())
    assert first["messages"][0]["content"][1]["image"] == {"format": "png", "source": {"bytes": PIXEL}}
    assert second["messages"][2]["content"][0]["toolResult"]["toolUseId"] == "tooluse_1"


def test_a_form_that_the_model_has_no_field_for_comes_back_as_text(client: openai.OpenAI) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "where", "schema": {"type": "object"}}}
    model = "bedrock/eu.amazon.nova-pro-v1:0"
    whole = client.chat.completions.create(model=model, messages=ASK, response_format=form)
    pieces = client.chat.completions.create(model=model, messages=ASK, response_format=form, stream=True)
    streamed = "".join(c.choices[0].delta.content or "" for c in pieces if c.choices)
    assert json.loads(whole.choices[0].message.content or "") == {"city": "Paris"}
    assert whole.choices[0].finish_reason == "stop"
    assert json.loads(streamed) == {"city": "Paris"}


def test_an_anthropic_caller_thinks_calls_a_tool_and_goes_on(
    claude: anthropic.Anthropic, provider: FakeProvider
) -> None:
    more: Any = {
        "model": f"bedrock/{HAIKU}",
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [{"name": "weather", "input_schema": {"type": "object"}}],
    }
    with claude.messages.stream(messages=ASK, **more) as stream:
        first = stream.get_final_message()
    thinking, call = first.content
    assert thinking.type == "thinking"
    assert (thinking.thinking, thinking.signature) == ("Ropes.", "c2ln")
    assert call.type == "tool_use"
    assert (call.input, first.stop_reason) == ({"city": "Paris"}, "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "rain"}
    history = [*ASK, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = claude.messages.create(messages=history, **more)
    assert second.content[-1].type == "text"
    assert second.usage.output_tokens == 8
    sent = json.loads(provider.requests()[1]["body"])
    thought = {"reasoningText": {"text": "Ropes.", "signature": "c2ln"}}
    assert sent["messages"][1]["content"][0] == {"reasoningContent": thought}
    assert sent["additionalModelRequestFields"]["thinking"] == {"type": "enabled", "budget_tokens": 2000}


def test_an_exception_before_any_content_is_answered_by_the_next_target(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="error-first", messages=ASK, stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in raw.parse() if c.choices) == TEXT
    assert raw.headers["x-sternpost-target"] == "lab/m1"


@pytest.mark.parametrize("fault", ["error-event", "malformed", "cut", "no-done"])
def test_what_breaks_behind_the_first_content_is_an_error_the_sdk_sees(
    client: openai.OpenAI, fault: str
) -> None:
    pieces: list[str] = []
    answer = client.chat.completions.create(model=f"bedrock/fault-{fault}", messages=ASK, stream=True)
    with pytest.raises(openai.APIError):
        pieces.extend(c.choices[0].delta.content or "" for c in answer if c.choices)
    seen = "".join(pieces)
    assert TEXT.startswith(seen)
    assert seen


def test_a_throttled_call_is_tried_again_when_asked_to(client: openai.OpenAI, provider: FakeProvider) -> None:
    model = "bedrock/fault-429?times=1&id=bedrock&retry_after=0.1"
    reply = client.chat.completions.create(model=model, messages=ASK)
    assert reply.choices[0].message.content == TEXT
    assert provider.count("calls") == 2


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("expired", 502, "refused the credentials Sternpost has"),
        ("denied", 403, "User: [arn] is not authorized to perform: bedrock:InvokeModel"),
    ],
)
def test_a_refused_key_is_told_from_a_refused_permission(
    client: openai.OpenAI, provider: FakeProvider, name: str, status: int, words: str
) -> None:
    for _ in range(2):
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model=f"{name}/{HAIKU}", messages=ASK)
        assert caught.value.status_code == status
        assert words in caught.value.message
    assert provider.count("calls") == 2  # no second try with the same credentials


def test_missing_credentials_say_what_to_do_and_leave_the_next_target(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError, match="ProfileNotFound"):
        client.chat.completions.create(model=f"missing/{HAIKU}", messages=ASK)
    reply = client.chat.completions.create(model="no-credentials", messages=ASK)
    assert reply.choices[0].message.content == TEXT


def test_tokens_are_counted_where_bedrock_counts_and_else_estimated(claude: anthropic.Anthropic) -> None:
    asked = [*ASK, {"role": "assistant", "content": "A drum."}, *ASK]
    raw = claude.messages.with_raw_response
    counted = raw.count_tokens(model=f"bedrock/{PROFILE_ARN}", messages=asked)
    guessed = raw.count_tokens(model="bedrock/eu.amazon.nova-pro-v1:0", messages=asked)
    assert counted.parse().input_tokens == 21  # seven for each message
    assert "x-sternpost-estimated" not in counted.headers
    assert guessed.headers["x-sternpost-estimated"] == "1"


def _converse(text: str = "hi") -> Any:
    return [{"role": "user", "content": [{"text": text}]}]


@pytest.mark.parametrize("model", [HAIKU, PROFILE_ARN])
def test_boto3_converses_through_sternpost(aws: Any, server: RunningSternpost, model: str) -> None:
    reply = aws.converse(modelId=model, messages=_converse())
    span = span_of(server, reply["ResponseMetadata"]["HTTPHeaders"])
    assert reply["output"]["message"]["content"] == [{"text": TEXT}]
    assert span["request_model"] == model
    assert span["cost_nanousd"] == cost_of({"in_fresh": reply["usage"]["inputTokens"], "out_text": 8})


def test_boto3_streams_through_sternpost_and_the_stream_is_priced(aws: Any, server: RunningSternpost) -> None:
    reply = aws.converse_stream(modelId=HAIKU, messages=_converse())
    events = list(reply["stream"])
    texts = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    usage = events[-1]["metadata"]["usage"]
    span = span_of(server, reply["ResponseMetadata"]["HTTPHeaders"])
    assert "".join(texts) == TEXT
    assert span["cost_nanousd"] == cost_of({"in_fresh": usage["inputTokens"], "out_text": 8})


def test_boto3_sees_the_exceptions_of_bedrock(aws: Any) -> None:
    with pytest.raises(aws.exceptions.ThrottlingException):
        aws.converse(modelId="fault-429", messages=_converse())
    stream = aws.converse_stream(modelId="fault-error-event", messages=_converse())["stream"]
    with closing(stream), pytest.raises(EventStreamError, match="Overloaded"):
        list(stream)


def test_boto3_with_another_key_is_refused_by_sternpost(server: RunningSternpost) -> None:
    with _boto3(server, "sp-wrong") as stranger, pytest.raises(ClientError) as caught:
        stranger.converse(modelId=HAIKU, messages=_converse())
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401
    assert caught.value.response["Error"]["Code"] == "invalid_api_key"
    assert "sternpost key create" in caught.value.response["Error"]["Message"]
