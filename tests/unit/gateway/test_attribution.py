"""Claude Code's line of who is billed differs by session: Anthropic gets it, no other vendor does."""

import json
from typing import Any

import pytest

from sternpost.contracts.call import Route, Target
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_provider import FakeProvider
from tests.unit.gateway.conftest import Gateway, GatewayMaker

LINE = "x-anthropic-billing-header: cc_version=2.1.117.{session}; cc_entrypoint=cli; cch=71fea;"
SAID = "You are a coding agent"
NAMED = "dropped:system (x-anthropic-billing-header)"
MARK = {"cache_control": {"type": "ephemeral"}}
OTHERS = [
    "chat/m1",
    "resp/m1",
    "gem/m1",
    "llama/m1",
    "cohere/m1",
    "vertex-anthropic/claude-opus-4-6",
    "kimi/m1",
]


@pytest.fixture
async def vendors(start_gateway: GatewayMaker, provider: FakeProvider) -> Gateway:
    url = provider.url
    vertex = f"{url}/v1/projects/p/locations/l/publishers/anthropic"
    settings = [
        ProviderSetting("anthropic", base_url=f"{url}/v1", api_key="k"),
        ProviderSetting("vertex-anthropic", base_url=vertex, api_key="token", options={"project": "p"}),
        ProviderSetting("kimi", "anthropic", f"{url}/v1", "k"),
        ProviderSetting("chat", "openai_chat", f"{url}/v1", "k"),
        ProviderSetting("resp", "openai_responses", f"{url}/v1", "k"),
        ProviderSetting("gem", "gemini", f"{url}/v1beta", "k"),
        ProviderSetting("llama", "ollama", url, "k"),
        ProviderSetting("cohere", base_url=url, api_key="k"),
    ]
    routes = [Route("strict", (Target("chat", "m1"),), unsupported="refuse")]
    traffic = traffic_of(configure(settings, {}), routes, ())
    return await start_gateway(traffic=lambda: traffic)


def blocks(session: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": LINE.format(session=session)}, {"type": "text", "text": SAID, **MARK}]


@pytest.mark.parametrize("model", OTHERS)
async def test_two_sessions_send_one_prefix_to_another_vendor(vendors: Gateway, model: str) -> None:
    answers = [await vendors.message(model, system=blocks(session)) for session in ("d49", "bb7")]
    first, second = [request["body"] for request in vendors.provider.requests()]
    assert [answer.status for answer in answers] == [200, 200]
    assert first == second
    assert "billing" not in first
    assert SAID in first
    assert NAMED in answers[0].headers["x-sternpost-warnings"].split(",")


async def test_anthropic_gets_the_callers_bytes(vendors: Gateway) -> None:
    answer = await vendors.message("anthropic/claude-opus-4-6", system=blocks("d49"))
    assert json.loads(vendors.provider.requests()[0]["body"])["system"] == blocks("d49")
    assert "x-sternpost-warnings" not in answer.headers


@pytest.mark.parametrize(
    ("system", "left"),
    [
        (LINE.format(session="d49"), None),
        (f"{LINE.format(session='d49')}\n\n{SAID}", SAID),
        ([{"type": "text", "text": f"{LINE.format(session='d49')}\n{SAID}", **MARK}],
         [{"type": "text", "text": SAID, **MARK}]),
        ([{"type": "text", "text": LINE.format(session="d49")}], None),
        ([{"type": "text", "text": f"Say {LINE}"}], [{"type": "text", "text": f"Say {LINE}"}]),
    ],
)  # fmt: skip
async def test_the_line_alone_is_left_out_in_whatever_form_it_comes(
    vendors: Gateway, system: Any, left: Any
) -> None:
    await vendors.message("kimi/m1", system=system)
    await vendors.message("chat/m1", system=system)
    same, crossed = [json.loads(request["body"]) for request in vendors.provider.requests()]
    assert same.get("system") == left
    texts = [message["content"] for message in crossed["messages"] if message["role"] == "system"]
    assert texts == ([] if left is None else [left if isinstance(left, str) else left[0]["text"]])


async def test_a_strict_route_loses_nothing_by_it(vendors: Gateway) -> None:
    plain = [{"type": "text", "text": LINE.format(session="d49")}, {"type": "text", "text": SAID}]
    assert (await vendors.message("strict", system=plain)).status == 200
