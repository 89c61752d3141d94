"""Embeddings, token counts and a provider's own paths, with the vendors' SDKs and plain HTTP."""

import json
import subprocess
import sys
from collections.abc import Iterator

import anthropic
import httpx2
import openai
import pytest

from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, wait_until

ASK = [{"role": "user", "content": "What does Sternpost keep?"}]


@pytest.fixture
def client(sternpost_server: RunningSternpost) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    ) as made:
        yield made


@pytest.fixture
def key(sternpost_server: RunningSternpost) -> str:
    """Of what is about the account at a provider, too."""
    return sternpost_server.key_with()


@pytest.fixture
def plain(sternpost_server: RunningSternpost, key: str) -> Iterator[httpx2.Client]:
    headers = {"authorization": f"Bearer {key}", "cookie": "session=mine"}
    with httpx2.Client(base_url=f"{sternpost_server.base_url}/v1/providers/lab", headers=headers) as made:
        yield made


def test_embeddings_are_the_same_in_both_encodings_and_become_a_trace(
    client: openai.OpenAI, sternpost_server: RunningSternpost
) -> None:
    texts = ["a rope", "a drum"]
    raw = client.embeddings.with_raw_response.create(model="lab/m1", input=texts, dimensions=12)
    packed = raw.parse()  # the SDK asks for base64 by itself
    plain = client.embeddings.create(model="lab/m1", input=texts, dimensions=12, encoding_format="float")
    trace = sternpost_server.trace(raw.headers["x-sternpost-trace-id"], spans=2)
    span = next(one for one in trace["spans"] if one["type"] == "embedding")

    assert [len(item.embedding) for item in packed.data] == [12, 12]
    assert [item.embedding for item in packed.data] == [item.embedding for item in plain.data]
    assert [part["content"] for part in span["input"][0]["parts"]] == texts
    assert span["output"] == []
    assert span["attributes"]["vector_count"] == "2"
    assert span["attributes"]["gen_ai.embeddings.dimension.count"] == "12"
    assert span["cost_status"] == "computed"
    assert trace["trace"]["input_tokens"] == packed.usage.prompt_tokens
    assert float(raw.headers["x-sternpost-cost-usd"]) == pytest.approx(packed.usage.prompt_tokens * 1e-6)


async def test_the_async_client_embeds_tokens(sternpost_server: RunningSternpost) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    ) as made:
        reply = await made.embeddings.create(model="lab/m1", input=[[1, 2, 3], [4]])
        with pytest.raises(openai.BadRequestError) as refused:
            await made.embeddings.create(model="labant/m1", input="x")
    assert [item.index for item in reply.data] == [0, 1]
    assert refused.value.param == "model"


def test_tokens_are_counted_by_the_provider_or_estimated(sternpost_server: RunningSternpost) -> None:
    with anthropic.Anthropic(
        base_url=sternpost_server.base_url, api_key=sternpost_server.key, max_retries=0
    ) as made:
        exact = made.messages.with_raw_response.count_tokens(model="labant/m1", messages=ASK)
        estimated = made.messages.with_raw_response.count_tokens(
            model="offline/extract-large", messages=ASK, system="Be brief."
        )
        with pytest.raises(anthropic.NotFoundError):
            made.messages.count_tokens(model="nobody/m1", messages=ASK)
    trace = sternpost_server.trace(estimated.headers["x-sternpost-trace-id"])

    assert exact.parse().input_tokens > 0
    assert "x-sternpost-estimated" not in exact.headers
    assert 5 < estimated.parse().input_tokens < 25
    assert estimated.headers["x-sternpost-estimated"] == "1"
    assert trace["spans"][0]["name"].startswith("count_tokens")
    assert trace["spans"][0]["input"][-1]["parts"][0]["content"] == ASK[0]["content"]
    assert (trace["trace"]["cost_status"], trace["trace"]["cost_nanousd"]) == ("free", 0)


def test_plain_requests_pass_and_are_recorded(
    plain: httpx2.Client, key: str, sternpost_server: RunningSternpost
) -> None:
    got = plain.get("/files?limit=2", headers={"x-secret": "mine"})
    posted = plain.post("/moderations", json={"model": "m1", "input": "x"})
    form = plain.post("/files", files={"file": ("a.jsonl", b"{}\n" * 100_000)}, data={"purpose": "batch"})
    image = plain.get("/bytes")
    trace = sternpost_server.trace(got.headers["x-sternpost-trace-id"], spans=2)
    span = next(one for one in trace["spans"] if one["type"] == "gateway")

    assert (got.json()["method"], got.json()["path"]) == ("GET", "/v1/files?limit=2")
    assert "mine" not in got.text
    assert key not in got.text + posted.text + form.text
    assert posted.json()["size"] == len(posted.request.content)
    assert form.json()["size"] > 300_000
    assert image.content == bytes(range(256)) * 400
    assert span["attributes"]["url.path"] == "/files"
    assert span["attributes"]["reply_bytes"] == str(len(got.content))
    assert (span["cost_status"], span["cost_usd"]) == ("unknown", None)


def test_the_openai_sdk_works_on_a_providers_own_paths(sternpost_server: RunningSternpost) -> None:
    base_url = f"{sternpost_server.base_url}/v1/providers/lab"
    with openai.OpenAI(base_url=base_url, api_key=sternpost_server.key, max_retries=0) as made:
        stream = made.chat.completions.create(
            model="m1", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        trace_id = stream.response.headers["x-sternpost-trace-id"]
        with pytest.raises(openai.RateLimitError):
            made.chat.completions.create(model="fault-429", messages=ASK)
    trace = sternpost_server.trace(trace_id)

    assert chunks[-1].usage is not None
    assert trace["trace"]["output_tokens"] == chunks[-1].usage.completion_tokens
    assert trace["trace"]["cost_status"] == "computed"


def test_what_can_not_be_passed_on_is_said(sternpost_server: RunningSternpost, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    for path, status, says in (
        ("nosuch/files", 404, "nosuch"),
        ("unset/files", 424, "unset"),
        ("dead/files", 502, "connect"),
        ("lab/files?fault=401", 502, "refused the key"),
        ("offline/files", 404, "offline"),
    ):
        got, _, problem = sternpost_server.request("GET", f"/v1/providers/{path}", headers=headers)
        assert got == status, problem
        assert says in problem["error"]["message"]


def test_a_cut_body_is_cut_for_the_caller(plain: httpx2.Client) -> None:
    for body in ({"model": "fault-cut"}, {"model": "fault-cut", "stream": True}):
        with pytest.raises(httpx2.RemoteProtocolError):
            plain.post("/chat/completions", json={**body, "messages": ASK})


def test_a_caller_who_leaves_ends_the_call_to_the_provider(
    plain: httpx2.Client, provider: FakeProvider
) -> None:
    before = provider.count("closed_by_client")
    body = {"model": "fault-stall?after=4", "messages": ASK, "stream": True}
    with plain.stream("POST", "/chat/completions", json=body) as reply:
        next(reply.iter_raw())
    wait_until(lambda: provider.count("closed_by_client") > before, what="the end of the call")


def test_the_openai_sdk_reaches_its_other_paths_by_the_model(sternpost_server: RunningSternpost) -> None:
    with openai.OpenAI(
        base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key, max_retries=0
    ) as made:
        heard = made.audio.transcriptions.with_raw_response.create(
            model="lab/m1", file=("a.wav", b"RIFF" + bytes(2_000_000)), response_format="json"
        )
        drawn = made.images.with_raw_response.generate(model="lab/m1", prompt="A cat")
        made.audio.speech.create(model="lab/m1", voice="alloy", input="Hi").read()
        made.moderations.create(model="lab/m1", input="Is this kind?")
        packed = made.responses.compact(model="laball/m1", input=ASK)
        counted = made.responses.input_tokens.count(model="laball/m1", input=ASK, instructions="Be brief.")
        with pytest.raises(openai.BadRequestError, match="/v1/providers/labant/"):
            made.images.generate(model="labant/m1", prompt="A cat")
    trace = sternpost_server.trace(drawn.headers["x-sternpost-trace-id"], spans=2)
    span = next(one for one in trace["spans"] if one["type"] == "gateway")
    command = [sys.executable, "-m", "sternpost.cli.main", "trace", "show", trace["trace"]["trace_id"]]
    shown = subprocess.run(
        [*command, "--home", str(sternpost_server.home)], capture_output=True, text=True, check=True
    ).stdout

    assert trace["trace"]["input_preview"] == "POST /v1/images/generations"
    assert trace["spans"][0]["response_model"] == "m1"
    assert f"POST /v1/images/generations: {span['attributes']['request_bytes']} bytes sent" in shown
    assert json.loads(heard.text)["path"] == "/v1/audio/transcriptions"
    assert json.loads(heard.text)["size"] > 2_000_000
    assert drawn.parse().usage.output_tokens == 900
    assert span["attributes"]["url.path"] == "/v1/images/generations"
    assert (span["usage"]["in_image"], span["usage"]["out_image"]) == (50, 900)
    assert span["cost_status"] == "estimated"  # a price of text, which is all that lab/m1 has
    assert (packed.object, packed.usage.input_tokens) == ("response.compaction", 900)
    assert counted.input_tokens > 5
