"""What a target refuses by name is left out, once, and named; what Vertex AI refuses is never sent to it."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from sternpost.contracts.call import Route, Target
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_provider import FakeProvider
from tests.unit.gateway.conftest import ASK, Answer, Gateway, GatewayMaker

CLAUDE_CODE = (
    "claude-code-20250219,interleaved-thinking-2025-05-14,thinking-token-count-2026-05-13,"
    "context-management-2025-06-27,prompt-caching-scope-2026-01-05"
)


def refusing(field: str, words: str, **more: str) -> str:
    return "fault-refuses?" + urlencode({"field": field, "words": words, **more})


def warnings(answer: Answer) -> list[str]:
    return answer.headers.get("x-sternpost-warnings", "").split(",")


def sent(gateway: Gateway) -> list[Any]:
    return [json.loads(request["body"]) for request in gateway.provider.requests()]


@pytest.fixture
async def cloud(start_gateway: GatewayMaker, provider: FakeProvider) -> Gateway:
    """Return a gateway whose providers are, on the fake one, Claude on Vertex AI, Gemini and Responses."""
    url = provider.url
    settings = [
        ProviderSetting(
            "vertex-anthropic",
            base_url=f"{url}/v1/projects/p/locations/l/publishers/anthropic",
            api_key="token",
            options={"project": "p"},
        ),
        ProviderSetting("gem", "gemini", f"{url}/v1beta", "k"),
        ProviderSetting("resp", "openai_responses", f"{url}/v1", "k"),
        ProviderSetting("chat", "openai_chat", f"{url}/v1", "k"),
        ProviderSetting("ant", "anthropic", f"{url}/v1", "k"),
    ]
    model = refusing("temperature", "Unknown parameter: 'temperature'.")
    routes = [Route("strict", (Target("chat", model),), unsupported="refuse")]
    traffic = traffic_of(configure(settings, {}), routes, ())
    return await start_gateway(traffic=lambda: traffic)


async def test_vertex_gets_the_betas_and_fields_it_takes_and_the_rest_is_named(cloud: Gateway) -> None:
    body = {
        "context_management": {"edits": []},
        "speed": "fast",
        "container": "c1",
        "mcp_servers": [{"a": 1}],
    }
    headers = {"anthropic-beta": f"{CLAUDE_CODE},advanced-tool-use-2025-11-20"}
    answer = await cloud.message("vertex-anthropic/claude-opus-4-6", headers=headers, **body)
    request = cloud.provider.requests()[0]

    assert answer.status == 200
    assert request["headers"]["anthropic-beta"].split(",") == [
        "interleaved-thinking-2025-05-14", "context-management-2025-06-27", "tool-search-tool-2025-10-19"
    ]  # fmt: skip
    assert not {"speed", "container", "mcp_servers"} & set(json.loads(request["body"]))
    assert "context_management" in json.loads(request["body"])
    assert {f"dropped:{name}" for name in (
        "speed", "container", "mcp_servers", "anthropic-beta claude-code-20250219",
        "anthropic-beta prompt-caching-scope-2026-01-05")} <= set(warnings(answer))  # fmt: skip


async def test_vertex_gets_no_beta_header_when_none_is_left(cloud: Gateway) -> None:
    headers = {"anthropic-beta": "prompt-caching-scope-2026-01-05"}
    answer = await cloud.message("vertex-anthropic/claude-opus-4-6", headers=headers)
    assert answer.status == 200
    assert "anthropic-beta" not in cloud.provider.requests()[0]["headers"]


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(("at", "field", "words", "fields"), [
    ("ant", "context_management", "context_management: Extra inputs are not permitted",
     {"context_management": {"edits": []}}),
    ("vertex-anthropic", "output_config", "output_config: Extra inputs are not permitted",
     {"output_config": {"effort": "low"}}),
    ("gem", "seed", "Unknown name \"seed\" at 'generation_config': Cannot find field.", {"seed": 1}),
    ("resp", "temperature", "Unsupported parameter: 'temperature' is not supported with this model.",
     {"temperature": 0.5}),
    ("chat", "temperature", "`temperature` is deprecated for this model.", {"temperature": 0.5}),
])  # fmt: skip
async def test_a_field_that_is_refused_is_left_out_and_asked_again_once(
    cloud: Gateway, at: str, field: str, words: str, fields: dict[str, Any], is_stream: bool
) -> None:
    is_claude = at in ("ant", "vertex-anthropic")
    path = "/v1/messages" if is_claude else "/v1/chat/completions"
    body = {
        "model": f"{at}/{refusing(field, words)}",
        "messages": ASK,
        "max_tokens": 64,
        "stream": is_stream,
    }
    answer = await cloud.post(path, body | fields)
    first, second = sent(cloud)

    assert answer.status == 200, answer.body
    assert f'"{field}":' in json.dumps(first)
    assert f'"{field}":' not in json.dumps(second)
    assert any(warning.startswith("dropped:") and field in warning for warning in warnings(answer))
    assert [one.http_status for one in cloud.record().attempts] == [400, 200]


async def test_a_beta_that_is_refused_is_left_out_of_the_header(cloud: Gateway) -> None:
    words = "Unexpected value(s) `context-1m-2025-08-07` for the `anthropic-beta` header."
    model = f"vertex-anthropic/{refusing('context-1m-2025-08-07', words)}"
    headers = {"anthropic-beta": "context-1m-2025-08-07,interleaved-thinking-2025-05-14"}
    answer = await cloud.message(model, headers=headers)
    betas = [request["headers"]["anthropic-beta"] for request in cloud.provider.requests()]
    assert answer.status == 200
    assert betas[1] == "interleaved-thinking-2025-05-14"
    assert "dropped:anthropic-beta context-1m-2025-08-07" in warnings(answer)


async def test_a_route_that_may_drop_nothing_passes_the_refusal_on(cloud: Gateway) -> None:
    answer = await cloud.chat("strict", temperature=0.5)
    assert (answer.status, len(sent(cloud))) == (400, 1)
    assert "temperature" in answer.json["error"]["message"]


async def test_what_the_request_does_not_have_is_no_reason_to_ask_again(cloud: Gateway) -> None:
    answer = await cloud.chat("chat/" + refusing("messages", "Unknown parameter: 'temperature'."))
    assert (answer.status, len(sent(cloud))) == (400, 1)


async def test_a_second_refusal_is_passed_on(cloud: Gateway) -> None:
    model = refusing("messages", "Unknown parameter: 'temperature'.")
    answer = await cloud.chat(f"chat/{model}", temperature=0.5)
    assert (answer.status, len(sent(cloud))) == (400, 2)
