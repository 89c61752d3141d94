"""Gemini and Vertex AI are reached by the SDKs of three vendors, streamed and not, and nothing is lost."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors as genai_errors
from google.genai import types
from pydantic import BaseModel

from tests.support.fake_gemini import PICTURE, SIGNATURE, TEXT, THOUGHT, UNSIGNED
from tests.support.fake_google_tokens import TokenServer, start_token_server
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost

CONFIG = """
providers:
  gemini: {{api_key: "AIza-lab-key-0123456789", base_url: "{url}/v1beta"}}
  vertex: {{project: lab-project, region: europe-west4, credentials_file: "{file}", base_url: "{url}{path}"}}
  vertex-anthropic:
    {{project: lab-project, region: europe-west4, credentials_file: "{file}", base_url: "{url}{claude}"}}
  nobody: {{dialect: gemini, auth: google_oauth, base_url: "{url}/v1", credentials_file: /none.json}}
routes:
  either: {{targets: [{{model: gemini/fault-array}}, {{model: gemini/gemini-2.5-flash}}]}}
"""
VERTEX_PATH = "/v1/projects/lab-project/locations/europe-west4/publishers/google"
CLAUDE_PATH = "/v1/projects/lab-project/locations/europe-west4/publishers/anthropic"
CLAUDE = "vertex-anthropic/claude-sonnet-4-5@20250929"
ASK: Any = [{"role": "user", "content": "What is a forklift?"}]
MODEL = "gemini/gemini-3.8-flash"  # whose signatures are checked
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
PIXEL = "iVBORw0KGgo="


@pytest.fixture(scope="module")
def tokens() -> Iterator[TokenServer]:
    with start_token_server() as server:
        yield server


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider, tokens: TokenServer
) -> Iterator[RunningSternpost]:
    folder = tmp_path_factory.mktemp("gemini")
    file = tokens.write_key_file(folder / "account.json")
    config = CONFIG.format(url=provider.url, file=file, path=VERTEX_PATH, claude=CLAUDE_PATH)
    with run_sternpost(folder / "home", config=config) as running:
        yield running


@pytest.fixture
def client(house: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{house.base_url}/v1", api_key=house.key, max_retries=0) as made:
        yield made


@pytest.fixture
def claude(house: RunningSternpost) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=house.base_url, api_key=house.key, max_retries=0) as made:
        yield made


@pytest.fixture
def google(house: RunningSternpost) -> genai.Client:
    return genai.Client(
        api_key=house.key,
        http_options={"base_url": f"{house.base_url}/v1/providers/gemini", "timeout": 20_000},
    )


def last_body(provider: FakeProvider) -> Any:
    return json.loads(provider.requests()[-1]["body"])


def gateway_span(house: RunningSternpost, trace_id: str) -> Any:
    return next(one for one in house.trace(trace_id)["spans"] if one["type"] == "gateway")


def test_a_question_is_answered_priced_and_traced(
    client: openai.OpenAI, house: RunningSternpost, provider: FakeProvider
) -> None:
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=ASK, reasoning_effort="low")
    reply = raw.parse()
    span = gateway_span(house, raw.headers["x-sternpost-trace-id"])
    sent = provider.requests()[-1]

    assert reply.choices[0].message.content == TEXT
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].message.reasoning_content == THOUGHT  # type: ignore[attr-defined] - our extension
    assert reply.usage is not None
    assert reply.usage.completion_tokens_details is not None
    assert reply.usage.completion_tokens_details.reasoning_tokens == 5
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert sent["path"] == "/v1beta/models/gemini-3.8-flash:generateContent"
    assert sent["headers"]["x-goog-api-key"] == "AIza-lab-key-0123456789"
    assert span["cost_status"] == "computed"
    assert float(raw.headers["x-sternpost-cost-usd"]) > 0
    assert span["usage"]["out_reasoning"] == 5
    assert span["output"][0]["parts"][-1]["type"] in {"text", "reasoning"}


def test_a_stream_has_the_text_and_the_usage_of_the_whole_answer(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model=MODEL, messages=ASK)
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"


@pytest.mark.parametrize("model", [MODEL, "gemini/gemini-3-parallel", "gemini/gemini-3-nameless-parallel"])
def test_a_tool_is_called_and_its_signature_goes_back(
    client: openai.OpenAI, provider: FakeProvider, model: str
) -> None:
    first = client.chat.completions.create(model=model, messages=ASK, tools=[TOOL])
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": '{"degrees": 18}'} for call in message.tool_calls
    ]
    history: Any = [*ASK, message, *results]
    second = client.chat.completions.create(model=model, messages=history, tools=[TOOL])
    parts = last_body(provider)["contents"][1]["parts"]

    assert second.choices[0].message.content == TEXT
    assert parts[0]["thoughtSignature"] == SIGNATURE
    assert all("thoughtSignature" not in part for part in parts[1:])
    results_sent = last_body(provider)["contents"][2]["parts"]
    assert results_sent[0]["functionResponse"]["response"] == {"degrees": 18}


def test_a_client_that_drops_signatures_still_gets_them_back(
    client: openai.OpenAI, provider: FakeProvider
) -> None:
    """As most clients do with a stream: they keep ids, names and arguments of calls."""
    call: dict[str, str] = {"id": "", "name": "", "arguments": ""}
    stream = client.chat.completions.create(
        model="gemini/gemini-3-streamed", messages=ASK, tools=[TOOL], stream=True
    )
    for chunk in stream:
        for piece in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            call["id"] += piece.id or ""
            call["name"] += (piece.function and piece.function.name) or ""
            call["arguments"] += (piece.function and piece.function.arguments) or ""
    function = {"name": call["name"], "arguments": call["arguments"]}
    said = {"role": "assistant", "tool_calls": [{"id": call["id"], "type": "function", "function": function}]}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"}
    history: Any = [*ASK, said, result]
    client.chat.completions.create(model="gemini/gemini-3-streamed", messages=history, tools=[TOOL])
    assert last_body(provider)["contents"][1]["parts"][0]["thoughtSignature"] == SIGNATURE


def test_a_history_of_another_vendor_is_taken(client: openai.OpenAI, provider: FakeProvider) -> None:
    function = {"name": "weather", "arguments": '{"city": "Paris"}'}
    said = {"role": "assistant", "tool_calls": [{"id": "call_x", "type": "function", "function": function}]}
    result = {"role": "tool", "tool_call_id": "call_x", "content": "18 degrees"}
    history: Any = [*ASK, said, result]
    reply = client.chat.completions.create(model=MODEL, messages=history, tools=[TOOL])
    assert reply.choices[0].message.content == TEXT
    assert last_body(provider)["contents"][1]["parts"][0]["thoughtSignature"] == UNSIGNED


class City(BaseModel):
    city: str
    people: int


def test_a_structured_answer_fits_its_model(client: openai.OpenAI) -> None:
    reply = client.chat.completions.parse(model=MODEL, messages=ASK, response_format=City)
    assert reply.choices[0].message.parsed == City(city="Paris", people=7)


def test_a_picture_is_seen(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    asked: Any = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, url]}]
    reply = client.chat.completions.create(model=MODEL, messages=asked)
    assert (reply.choices[0].message.content or "").startswith(f"I see image/png of {len(PIXEL)} letters")

    source = {"type": "base64", "media_type": "application/pdf", "data": PIXEL}
    document: Any = [{"role": "user", "content": [{"type": "document", "source": source}]}]
    message = claude.messages.create(model=MODEL, max_tokens=100, messages=document)
    assert message.content[0].type == "text"
    assert message.content[0].text.startswith("I see application/pdf")


def test_claude_tools_carry_the_signature_in_a_thinking_block(
    claude: anthropic.Anthropic, provider: FakeProvider
) -> None:
    tool: Any = {"name": "weather", "input_schema": SCHEMA}
    with claude.messages.stream(model=MODEL, max_tokens=100, messages=ASK, tools=[tool]) as stream:
        streamed = stream.get_final_message()
    first = claude.messages.create(model=MODEL, max_tokens=100, messages=ASK, tools=[tool])
    assert [block.type for block in first.content] == [block.type for block in streamed.content]
    assert first.stop_reason == streamed.stop_reason == "tool_use"
    for message in (first, streamed):
        call = next(block for block in message.content if block.type == "tool_use")
        result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees"}
        turns: Any = [
            *ASK,
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [result]},
        ]
        second = claude.messages.create(model=MODEL, max_tokens=100, messages=turns, tools=[tool])
        assert second.stop_reason == "end_turn"
        assert last_body(provider)["contents"][1]["parts"][0]["thoughtSignature"] == SIGNATURE


def test_claude_tokens_are_counted_by_google(claude: anthropic.Anthropic, provider: FakeProvider) -> None:
    count = claude.messages.count_tokens(model=MODEL, messages=ASK, system="Be brief.")
    sent = provider.requests()[-1]
    assert count.input_tokens > 0
    assert sent["path"].endswith("/models/gemini-3.8-flash:countTokens")
    asked = json.loads(sent["body"])["generateContentRequest"]
    assert asked["model"] == "models/gemini-3.8-flash"
    assert asked["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


def test_the_responses_api_reaches_gemini(client: openai.OpenAI, provider: FakeProvider) -> None:
    tool: Any = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
    first = client.responses.create(model=MODEL, input="How is Paris?", tools=[tool])
    call = next(item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"}
    history: Any = [{"role": "user", "content": "How is Paris?"}, *first.output, result]
    with client.responses.stream(model=MODEL, input=history, tools=[tool]) as stream:
        second = stream.get_final_response()
    assert second.output_text == TEXT
    assert last_body(provider)["contents"][1]["parts"][0]["thoughtSignature"] == SIGNATURE


def test_texts_are_embedded_as_openai_asks_for_it(client: openai.OpenAI, provider: FakeProvider) -> None:
    model = "gemini/gemini-embedding-001"
    reply = client.embeddings.create(
        model=model, input=["rope", "drums"], dimensions=3, extra_body={"input_type": "query"}
    )
    plain = client.embeddings.create(model=model, input="rope", encoding_format="float")
    assert [item.embedding for item in reply.data] == [[0.5, 0.625, 0.75], [0.625, 0.75, 0.875]]
    assert plain.data[0].embedding == [0.5, 0.625, 0.75, 0.875]
    first = json.loads(provider.requests()[-2]["body"])["requests"][0]
    assert first["embedContentConfig"] == {"taskType": "RETRIEVAL_QUERY", "outputDimensionality": 3}
    with pytest.raises(openai.BadRequestError, match="texts, not tokens"):
        client.embeddings.create(model=model, input=[1, 2])


def test_errors_are_those_of_the_callers_sdk(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(model="gemini/fault-429", messages=ASK)
    assert limited.value.response.headers["retry-after"] == "1"
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="gemini/fault-day", messages=ASK)
    with pytest.raises(openai.InternalServerError) as refused:
        client.chat.completions.create(model="gemini/fault-key", messages=ASK)
    assert refused.value.code == "provider_key_refused"
    with pytest.raises(anthropic.BadRequestError, match="maximum number of tokens"):
        claude.messages.create(model="gemini/fault-context", max_tokens=9, messages=ASK)


def test_a_refused_prompt_is_no_error(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    reply = client.chat.completions.create(model="gemini/fault-blocked", messages=ASK)
    assert reply.choices[0].finish_reason == "content_filter"
    stream = list(client.chat.completions.create(model="gemini/fault-blocked", messages=ASK, stream=True))
    assert stream[-1].choices[0].finish_reason == "content_filter"
    message = claude.messages.create(model="gemini/fault-blocked", max_tokens=9, messages=ASK)
    assert message.stop_reason == "refusal"


@pytest.mark.parametrize("fault", ["cut", "error-event", "malformed"])
def test_a_broken_stream_is_a_failure(client: openai.OpenAI, fault: str) -> None:
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model=f"gemini/fault-{fault}", messages=ASK, stream=True))


def test_a_failure_falls_back_to_the_next_target(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="either", messages=ASK)
    assert raw.headers["x-sternpost-target"] == "gemini/gemini-2.5-flash"


def test_googles_sdk_speaks_to_gemini_through_sternpost(
    google: genai.Client, house: RunningSternpost, provider: FakeProvider
) -> None:
    image = types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png")
    reply = google.models.generate_content(model="gemini-3.8-flash", contents=["What is it?", image])
    assert (reply.text or "").startswith("I see image/png")
    sent = provider.requests()[-1]
    assert sent["path"] in {
        f"/{version}/models/gemini-3.8-flash:generateContent" for version in ("v1", "v1beta")
    }
    assert sent["headers"]["x-goog-api-key"] == "AIza-lab-key-0123456789"
    assert reply.sdk_http_response is not None
    assert reply.sdk_http_response.headers is not None
    span = gateway_span(house, reply.sdk_http_response.headers["x-sternpost-trace-id"])
    assert reply.usage_metadata is not None
    assert span["usage"]["out_text"] == reply.usage_metadata.candidates_token_count
    assert (span["response_model"], span["cost_status"]) == ("gemini-3.8-flash", "computed")


def test_googles_sdk_streams_calls_tools_and_reads_structures(
    google: genai.Client, house: RunningSternpost
) -> None:
    chunks = list(google.models.generate_content_stream(model="gemini-3.8-flash", contents="What is it?"))
    assert "".join(chunk.text or "" for chunk in chunks) == TEXT
    http = chunks[-1].sdk_http_response
    assert http is not None
    assert http.headers is not None
    span = gateway_span(house, http.headers["x-sternpost-trace-id"])
    assert (span["usage"]["in_fresh"] > 0, span["cost_status"]) == (True, "computed")

    def weather(city: str) -> str:
        """Return the weather in a city."""
        return f"18 degrees in {city}"

    chat = google.chats.create(model="gemini-3.8-flash", config={"tools": [weather]})
    assert chat.send_message("How is Paris?").text == TEXT

    config = {"response_mime_type": "application/json", "response_schema": City}
    parsed = google.models.generate_content(model="gemini-3.8-flash", contents="?", config=config).parsed  # type: ignore[arg-type] - a dict is fine
    assert parsed == City(city="Paris", people=7)

    drawn = google.models.generate_content(
        model="gemini-3.1-flash-image", contents="Draw", config={"response_modalities": ["IMAGE"]}
    )
    assert drawn.candidates is not None
    assert drawn.candidates[0].content is not None
    parts = drawn.candidates[0].content.parts or []
    assert parts[0].inline_data is not None
    assert parts[0].inline_data.data == base64.b64decode(PICTURE)
    assert google.models.count_tokens(model="gemini-3.8-flash", contents="hi").total_tokens


def test_googles_sdk_reads_errors_as_google_writes_them(google: genai.Client) -> None:
    with pytest.raises(genai_errors.ClientError) as limited:
        google.models.generate_content(model="fault-day", contents="hi")
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")


def test_vertex_is_called_with_a_token_of_its_account(
    client: openai.OpenAI, house: RunningSternpost, provider: FakeProvider, tokens: TokenServer
) -> None:
    for _ in range(3):
        raw = client.chat.completions.with_raw_response.create(
            model="vertex/gemini-2.5-flash", messages=ASK, user="ada", service_tier="flex"
        )
    sent = provider.requests()[-1]
    assert raw.parse().choices[0].message.content == TEXT
    assert sent["path"] == f"{VERTEX_PATH}/models/gemini-2.5-flash:generateContent"
    assert sent["headers"]["authorization"] == f"Bearer {tokens.issued[-1]}"
    assert len(tokens.issued) == 1
    assert set(json.loads(sent["body"])) == {"contents", "labels"}
    assert raw.headers["x-sternpost-dropped"] == "service_tier"
    assert gateway_span(house, raw.headers["x-sternpost-trace-id"])["cost_status"] == "computed"


@pytest.mark.parametrize(
    ("model", "methods"),
    [
        ("text-embedding-005", ["predict"]),
        ("gemini-embedding-001", ["predict", "predict"]),
        ("gemini-embedding-2", ["embedContent", "embedContent"]),
    ],
)
def test_vertex_embeds_as_each_of_its_models_wants_it(
    client: openai.OpenAI, provider: FakeProvider, model: str, methods: list[str]
) -> None:
    reply = client.embeddings.create(
        model=f"vertex/{model}", input=["rope", "a drum"], dimensions=3, extra_body={"input_type": "query"}
    )
    sent = provider.requests()[-len(methods) :]
    assert [item.embedding for item in reply.data] == [[0.5] * 3, [0.75] * 3]
    assert reply.usage.prompt_tokens == len("ropea drum")
    assert [one["path"] for one in sent] == [f"{VERTEX_PATH}/models/{model}:{name}" for name in methods]
    assert all('"RETRIEVAL_QUERY"' in one["body"] for one in sent)


def test_claude_on_vertex_keeps_an_anthropic_callers_bytes(
    claude: anthropic.Anthropic, house: RunningSternpost, provider: FakeProvider, tokens: TokenServer
) -> None:
    raw = claude.messages.with_raw_response.create(
        model=CLAUDE, max_tokens=50, messages=ASK, extra_body={"unknown": [1.0, "ü"]}
    )
    with claude.messages.stream(model=CLAUDE, max_tokens=50, messages=ASK) as stream:
        streamed = stream.get_final_text()
    counted = claude.messages.count_tokens(model=CLAUDE, messages=ASK)
    whole, stream_sent, count_sent = provider.requests()[-3:]

    assert raw.parse().content[0].type == "text"
    assert streamed
    assert counted.input_tokens > 0
    model = f"{CLAUDE_PATH}/models/claude-sonnet-4-5@20250929"
    assert (whole["path"], stream_sent["path"]) == (f"{model}:rawPredict", f"{model}:streamRawPredict")
    assert count_sent["path"] == f"{CLAUDE_PATH}/models/count-tokens:rawPredict"
    assert whole["headers"]["authorization"] == f"Bearer {tokens.issued[-1]}"
    asked = {"max_tokens": 50, "messages": ASK}  # Vertex refuses fields it does not know
    assert json.loads(whole["body"]) == {**asked, "anthropic_version": "vertex-2023-10-16"}
    assert "dropped:unknown" in raw.headers["x-sternpost-warnings"]
    span = gateway_span(house, raw.headers["x-sternpost-trace-id"])
    assert (span["cost_status"], span["provider"]) == ("computed", "vertex-anthropic")


def test_claude_on_vertex_answers_callers_of_other_dialects(
    client: openai.OpenAI, provider: FakeProvider
) -> None:
    whole = client.chat.completions.create(model=CLAUDE, messages=ASK)
    pieces = client.chat.completions.create(model=CLAUDE, messages=ASK, stream=True)
    assert whole.choices[0].message.content == "".join(one.choices[0].delta.content or "" for one in pieces)
    assert "model" not in json.loads(provider.requests()[-1]["body"])


def test_a_provider_without_credentials_says_what_to_do(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="set `credentials_file`") as raised:
        client.chat.completions.create(model="nobody/gemini-2.5-flash", messages=ASK)
    assert raised.value.code == "provider_credentials_unavailable"


def test_the_key_files_content_stands_in_no_log(house: RunningSternpost, tmp_path: Path) -> None:
    assert "PRIVATE KEY" not in "".join(house.output)
    assert "ya29.lab" not in "".join(house.output)
