"""A key held to some models names no others, in whatever field of whatever dialect a host would read them."""

import json
from typing import Any

import pytest

from tests.unit.gateway.conftest import ASK, Gateway

HELD = {"authorization": "Bearer sp-narrow"}  # to lab/m1 and the route steady
MESSAGES = {"messages": ASK, "max_tokens": 9}
CAR = {"type": "object", "properties": {"model": {"type": "string", "enum": ["fiat-500"]}}}

NAMING: list[dict[str, Any]] = [
    {"models": ["openai/gpt-5.1"]},  # OpenRouter
    {"Models": ["m2"]},  # hosts written in Go read any case
    {"mod\u0065ls": ["m1", "m2"]},
    {"route": "fallback", "models": ["m1", "m2"]},
    {"fallbacks": ["m2"]},  # LiteLLM
    {"fallbacks": [{"model": "m2", "temperature": 1}]},
    {"context_window_fallbacks": [{"m1": ["m2"]}]},
    {"fallback_models": "m2"},
    {"preset": "wide"},  # of OpenRouter: what it names is not known here
    {"plugins": [{"id": "auto-router", "allowed_models": ["m2/*"]}]},
    {"plugins": [{"id": "response-healing", "model": "m2"}]},
    {"providerOptions": {"gateway": {"models": ["m2"]}}},  # Vercel
    {"compound_custom": {"models": {"reasoning_model": "m2"}}},  # Groq
    {"extra_body": {"models": ["m2"]}},
    {"tools": [{"type": "image_generation", "model": "m2"}]},
    {"tools": [{"type": "advisor_20260301", "name": "advisor", "model": "m2"}]},  # Anthropic
    {"adapter_id": "m2"},  # TGI
]


def paths_with(more: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    tools = "tools" in more
    found: list[tuple[str, dict[str, Any]]] = [
        ("/v1/chat/completions", MESSAGES),
        ("/v1/messages", MESSAGES),
        ("/v1/responses", {"input": "hi"}),
        ("/v1/messages/count_tokens", {"messages": ASK}),
    ]
    if not tools:
        found += [("/v1/embeddings", {"input": "hi"}), ("/v1/moderations", {"input": "hi"})]
    return [(path, {**body, **more}) for path, body in found]


@pytest.mark.parametrize("more", NAMING, ids=[next(iter(one)) + str(at) for at, one in enumerate(NAMING)])
async def test_no_other_model_is_named_beside_the_model(gateway: Gateway, more: dict[str, Any]) -> None:
    for path, body in paths_with(more):
        asked = {"model": "lab/m1", **body}
        held = await gateway.post(path, asked, **HELD)
        assert (path, held.status) == (path, 403)
        assert "m1" in json.dumps(held.json)  # what the key may use
    assert gateway.provider.requests() == []


@pytest.mark.parametrize(
    "more",
    [
        {"models": []},
        {"models": ["m1"]},
        {"models": ["lab/m1"]},
        {"tools": [{"type": "function", "function": {"name": "rent", "parameters": CAR}}]},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "car", "schema": CAR}}},
        {"metadata": {"model": "m2"}},
        {"return_model_name": True},
        {"messages": [{"role": "user", "content": '{"models": ["m2"], "type": "additional_tools"}'}]},
    ],
)
async def test_what_names_no_other_model_passes(gateway: Gateway, more: dict[str, Any]) -> None:
    answer = await gateway.post("/v1/chat/completions", {"model": "lab/m1", **MESSAGES, **more}, **HELD)
    assert answer.status == 200, answer.body


async def test_a_key_without_limits_or_with_the_whole_provider_names_what_it_likes(gateway: Gateway) -> None:
    for headers in ({}, {"authorization": "Bearer sp-lab"}):
        answer = await gateway.chat("lab/m1", models=["m2"], headers=headers)
        assert answer.status == 200
        assert json.loads(gateway.provider.requests()[-1]["body"])["models"] == ["m2"]


async def test_a_route_may_be_named_with_the_models_that_it_has(gateway: Gateway) -> None:
    assert (await gateway.chat("steady", models=["m1"], headers=HELD)).status == 200
    assert (await gateway.chat("steady", models=["m2"], headers=HELD)).status == 403


async def test_of_a_key_that_comes_twice_either_may_be_read(gateway: Gateway) -> None:
    body = (
        b'{"model": "lab/m1", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}],'
        b' "tools": [{"type": "x", "model": "m2", "mod\\u0065l": "m1"}]}'
    )
    assert (await gateway.post("/v1/chat/completions", body, **HELD)).status == 403


async def test_tools_among_the_items_of_a_request_are_looked_at(gateway: Gateway) -> None:
    tools = [{"type": "image_generation", "model": "m2"}]
    for kind in ("additional_tools", "additional\\u005ftools"):
        body = json.dumps({"model": "lab/m1", "input": [{"type": "KIND", "tools": tools}]})
        answer = await gateway.post("/v1/responses", body.replace("KIND", kind).encode(), **HELD)
        assert answer.status == 403


async def test_a_form_names_no_other_model(gateway: Gateway) -> None:
    def form(*fields: tuple[str, str]) -> bytes:
        parts = (f'--cut\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields)
        return ("".join(parts) + "--cut--\r\n").encode()

    kind = {"content-type": "multipart/form-data; boundary=cut", **HELD}
    path, model = "/v1/audio/transcriptions", ("model", "lab/m1")
    assert (await gateway.post(path, form(model, ("models[]", "m2")), **kind)).status == 403
    assert (
        await gateway.post(path, form(model, ("fallbacks", "m1"), ("fallbacks", "m2")), **kind)
    ).status == 403
    assert (await gateway.post(path, form(model, ("language", "de")), **kind)).status == 200
