"""Every cell of the table in docs/reference/providers.md, over HTTP: a provider gets what is said there."""

from collections.abc import Iterator

import httpx2
import pytest

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.losses.abilities import ABLE, ABLE_QUIRKS, SHOWN_MODELS, support
from sternpost.dialects.losses.probes import PROBES, Probe
from sternpost.dialects.registry import CODECS, UPSTREAM_CODECS
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost

PATHS: dict[Dialect, str] = {
    "openai_chat": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "openai_responses": "/v1/responses",
}
BASES: dict[Dialect, str] = {  # where the paths of a dialect begin, behind the fake's address
    "openai_chat": "/v1",
    "anthropic": "/v1",
    "openai_responses": "/v1",
    "gemini": "/v1beta",
    "bedrock": "",
    "cohere": "",
    "ollama": "",
}


def caller_of(spoken: Dialect, probe: Probe) -> Dialect | None:
    """Return a caller's dialect that can ask for the ability and has to be translated."""
    for name, codec in CODECS.items():
        if name != spoken and support(codec, probe) == "carried":
            return name
    return None


CELLS = [
    pytest.param(spoken, caller, probe, id=f"{spoken}-{probe.title}")
    for spoken in UPSTREAM_CODECS
    for probe in PROBES
    if (caller := caller_of(spoken, probe))
]


@pytest.fixture(scope="module")
def sternpost(tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider) -> Iterator[RunningSternpost]:
    lines = [
        f'  at-{name}: {{dialect: {name}, base_url: "{provider.url}{base}", api_key: bedrock-api-key}}'
        for name, base in BASES.items()
    ]
    config = "providers:\n" + "\n".join(lines) + "\n"
    with run_sternpost(tmp_path_factory.mktemp("abilities") / "home", config=config) as running:
        yield running


@pytest.fixture(scope="module")
def client(sternpost: RunningSternpost) -> Iterator[httpx2.Client]:
    headers = {"authorization": f"Bearer {sternpost.key}", "content-type": "application/json"}
    with httpx2.Client(base_url=sternpost.base_url, headers=headers, timeout=30) as made:
        yield made


def written(caller: Dialect, asked: ChatRequest, model: str) -> bytes:
    body = CODECS[caller].write_request(asked, quirks=ABLE_QUIRKS, facts=ABLE).body
    return body.replace(b'"probe-model"', f'"{model}"'.encode())


@pytest.mark.parametrize("spoken", UPSTREAM_CODECS)
def test_no_ability_is_lost_without_a_word(spoken: Dialect) -> None:
    lost = [probe.title for probe in PROBES if support(UPSTREAM_CODECS[spoken], probe) == "lost"]
    assert lost == []


@pytest.mark.parametrize(("spoken", "caller", "probe"), CELLS)
def test_a_cell_is_true(
    spoken: Dialect, caller: Dialect, probe: Probe, client: httpx2.Client, provider: FakeProvider
) -> None:
    provider.reset()
    model = SHOWN_MODELS.get(spoken, "m1")
    reply = client.post(PATHS[caller], content=written(caller, probe.asked, f"at-{spoken}/{model}"))
    seen = provider.requests()
    expected = support(UPSTREAM_CODECS[spoken], probe, facts=None, quirks=STANDARD)

    if expected == "refused":
        assert (reply.status_code, seen) == (400, [])
        return
    assert reply.status_code == 200, reply.text
    if expected == "dropped":
        assert "dropped:" in reply.headers["x-sternpost-warnings"]
    elif expected == "carried":
        assert probe.marker.decode() in seen[-1]["body"]
