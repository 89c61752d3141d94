"""What real coding agents sent, kept by `make agents`, reaches a provider of each dialect and is answered."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.agents.known import AGENTS
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure
from tests.support.fake_bedrock import API_KEY
from tests.support.fake_coder import ANSWER, tools_of
from tests.support.fake_provider import FakeProvider
from tests.unit.gateway.conftest import Gateway, GatewayMaker

GOLDEN = Path(__file__).parents[2] / "golden" / "agents"
SENT: dict[str, list[dict[str, Any]]] = {
    file.stem: json.loads(file.read_text()) for file in sorted(GOLDEN.glob("*.json"))
}
MODELS = {
    "openai_chat": "some-coder",
    "openai_responses": "gpt-5.6-sol",
    "anthropic": "claude-sonnet-4-6",
    "gemini": "gemini-3.8-flash",
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "cohere": "command-a",
    "ollama": "qwen3",
}
HOSTS = {dialect: f"at-{dialect}" for dialect in MODELS} | {"anthropic": "anthropic"}  # Anthropic's own API
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
OWN = {CHAT: "openai_chat", RESPONSES: "openai_responses", MESSAGES: "anthropic"}
ENDS = {CHAT: b"[DONE]", RESPONSES: b"response.completed", MESSAGES: b"message_stop"}
SESSION = re.compile(r"00000000-0000-[0-9a-f]000-8000-000000000000|ses_\w+")
TRANSLATED = [name for name in SENT if name != "gemini-cli"]


@pytest.fixture
async def agents_gateway(start_gateway: GatewayMaker, provider: FakeProvider) -> Gateway:
    """A gateway with a host of each dialect, where the fake provider speaks as a coding agent's model."""
    bases = {"gemini": "/v1beta", "bedrock": "", "cohere": "", "ollama": ""}
    settings = [
        ProviderSetting(
            HOSTS[dialect],
            dialect,  # type: ignore[arg-type]
            provider.url + bases.get(dialect, "/v1"),
            API_KEY,
            headers={"x-play": "coder"},
        )
        for dialect in MODELS
    ]
    traffic = traffic_of(configure(settings, {}), (), ())
    return await start_gateway(traffic=lambda: traffic)


def told(request: Any) -> set[str]:
    """The names of the tools in a request of any dialect, without their namespaces."""
    return {tool.name.rpartition("__")[2] for tool in tools_of(request)}


def test_each_agent_that_is_tried_has_its_golden_file() -> None:
    assert set(SENT) == set(AGENTS)


@pytest.mark.parametrize("name", TRANSLATED)
async def test_its_tool_loop_ends_with_the_answer_at_every_dialect(
    agents_gateway: Gateway, name: str
) -> None:
    faults = [
        fault
        for target in MODELS
        for is_stream in (True, False)
        for fault in await faults_of(agents_gateway, name, target, is_stream)
    ]
    assert faults == []
    records = agents_gateway.records()
    assert len(records) == 2 * len(MODELS)
    assert {(record.status, len(record.attempts)) for record in records} == {("ok", 1)}
    assert all(record.usage is not None for record in records)
    is_told = {bool(SESSION.fullmatch(record.trace.session_id)) for record in records}
    assert is_told == {AGENTS[name].has_session}


async def faults_of(gateway: Gateway, name: str, target: str, is_stream: bool) -> list[str]:
    """Send what the agent sent to a host of one dialect, and say what is not as it must be."""
    agent, sent = AGENTS[name], SENT[name][0]
    path = sent["path"].partition("?")[0]
    body = sent["body"] | {"model": f"{HOSTS[target]}/{MODELS[target]}", "stream": is_stream}
    if not is_stream:
        body.pop("stream_options", None)
    answer = await gateway.post(sent["path"], body, **sent["headers"])
    if answer.status != 200:
        return [f"{target}: {answer.status} {answer.body!r}"]
    asked = json.loads(gateway.provider.requests()[-1]["body"])
    warnings = [one for one in answer.headers.get("x-sternpost-warnings", "").split(",") if one]
    allowed = () if OWN[path] == target else (*agent.losses, "unshown:safety")
    facts = (
        ("the answer, once", text_of(answer.body).count(ANSWER), 1),
        ("its end", not is_stream or ENDS[path] in answer.body[-4000:], True),
        ("tools", told(asked), told(body)),
        ("losses", [one for one in warnings if not any(re.fullmatch(each, one) for each in allowed)], []),
    )
    return [f"{target}, stream {is_stream}: {what}: {was!r}" for what, was, right in facts if was != right]


def text_of(body: bytes) -> str:
    """The text of an answer, whole or streamed, in the caller's dialect."""
    if not body.startswith((b"data:", b"event:", b":")):
        return json.dumps(json.loads(body), ensure_ascii=False)
    pieces: list[str] = []
    for line in body.decode().split("\n"):
        if not line.startswith("data: {"):
            continue
        event = json.loads(line[6:])
        match event.get("type"):
            case "content_block_delta":
                pieces.append(event["delta"].get("text", ""))
            case "response.output_text.delta":
                pieces.append(event["delta"])
            case None:
                pieces += [choice["delta"].get("content") or "" for choice in event.get("choices", ())]
    return "".join(pieces)


async def test_gemini_cli_reaches_gemini_below_the_providers_own_paths(agents_gateway: Gateway) -> None:
    sent = SENT["gemini-cli"][0]
    path = sent["path"].replace("/providers/gemini/", "/providers/at-gemini/")
    answer = await agents_gateway.post(path, sent["body"], **sent["headers"])
    assert answer.status == 200, answer.body
    record = await agents_gateway.wait_for_record()
    assert (record.status, record.usage is not None) == ("ok", True)
