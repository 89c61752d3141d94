"""Marks for the provider's prompt cache: few, only where they help, and no other byte changes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import AutoCache, CacheMark
from sternpost.contracts.provider import STANDARD, ModelFacts, Quirks
from sternpost.dialects.auto_cache import add_to
from sternpost.dialects.json_text.raw_object import split_object
from sternpost.dialects.protocols import Codec, WrittenRequest
from tests.unit.dialects.wire import ANTHROPIC, BEDROCK, OPENAI, RESPONSES

AUTO = AutoCache("5m", "sp-key")
TINY = ModelFacts("p", "m", min_cache_tokens=1)
KEYED = Quirks(takes_prompt_cache_key=True)
MARK = b',"cache_control":{"type":"ephemeral"}'
TOOL = {"name": "f", "input_schema": {"type": "object"}}
TEXTS = [{"type": "text", "text": "Be brief."}]


def edit(
    codec: Codec,
    body: bytes | dict[str, Any],
    facts: ModelFacts | None = TINY,
    quirks: Quirks = STANDARD,
    auto: AutoCache | None = AUTO,
) -> WrittenRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = replace(codec.read_head(raw), auto_cache=auto)
    return codec.edit(head, model=head.model, quirks=quirks, facts=facts)


def asked(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": TEXTS}]} | fields


texts = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip()))
blocks = st.lists(st.builds(lambda t: {"type": "text", "text": t, "x": 1.50}, texts), min_size=1, max_size=3)
contents = blocks | texts
turns = st.lists(contents, min_size=1, max_size=5)


@settings(max_examples=150, deadline=None)
@given(
    system=contents,
    conversation=turns,
    tools=st.integers(0, 2),
    indent=st.sampled_from([None, 2]),
    is_ascii=st.booleans(),
)
def test_the_marks_are_the_only_change(
    system: Any, conversation: list[Any], tools: int, indent: int | None, *, is_ascii: bool
) -> None:
    messages = [
        {"role": "assistant" if number % 2 else "user", "content": content}
        for number, content in enumerate(conversation)
    ]
    body = asked(system=system, messages=messages, tools=[TOOL] * tools)
    raw = json.dumps(body, indent=indent, ensure_ascii=is_ascii).encode()
    written = edit(ANTHROPIC, raw)
    assert _without_marks(json.loads(written.body)) == _as_blocks(body, written.auto_cached)
    before, after = split_object(raw), split_object(written.body)
    for name in before:
        if name not in written.auto_cached:
            assert bytes(after[name]) == bytes(before[name])
    if "tools" in written.auto_cached:
        assert bytes(after["tools"]).replace(MARK, b"") == bytes(before["tools"])
    if "system" in written.auto_cached and isinstance(system, list):
        assert bytes(after["system"]).replace(MARK, b"") == bytes(before["system"])
    if "messages" in written.auto_cached:
        earlier = bytes(before["messages"])
        last = earlier.rindex(b"{", 0, earlier.rindex(b'"role"'))
        assert bytes(after["messages"])[:last] == earlier[:last]


def _without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_marks(item) for name, item in value.items() if name != "cache_control"}
    return [_without_marks(item) for item in value] if isinstance(value, list) else value


def _as_blocks(body: dict[str, Any], placed: tuple[str, ...]) -> dict[str, Any]:
    """The request with the marked texts as the blocks that they must become."""
    body = json.loads(json.dumps(body))
    owners = [(body, "system")] * ("system" in placed)
    owners += [(body["messages"][-1], "content")] * ("messages" in placed)
    for owner, name in owners:
        if isinstance(owner[name], str):
            owner[name] = [{"type": "text", "text": owner[name]}]
    return body


def test_tools_system_and_last_turn_are_marked_in_the_providers_order() -> None:
    written = edit(ANTHROPIC, asked(system="Be brief.", tools=[TOOL]))
    assert written.auto_cached == ("tools", "system", "messages")
    assert written.body.count(b"cache_control") == 3


def test_never_more_than_four_with_the_callers_own() -> None:
    marked = {**TEXTS[0], "cache_control": {"type": "ephemeral"}}
    own = asked(system=TEXTS, tools=[TOOL], messages=[{"role": "user", "content": [marked, marked, *TEXTS]}])
    written = edit(ANTHROPIC, own)
    assert written.auto_cached == ("tools", "system")
    assert written.body.count(b"cache_control") == 4


def test_a_callers_marks_of_an_hour_are_left_alone() -> None:
    long = {"type": "ephemeral", "ttl": "1h"}
    body = asked(tools=[TOOL], messages=[{"role": "user", "content": [{**TEXTS[0], "cache_control": long}]}])
    raw = json.dumps(body).encode()
    assert edit(ANTHROPIC, raw).auto_cached == ()
    request, placed = add_to(ANTHROPIC.read_request(raw), AUTO, "anthropic", STANDARD, TINY)
    assert (len(request.cache_marks), placed) == (1, ())


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "q"}, {"role": "assistant", "content": "pre"}],
        [{"role": "user", "content": " "}],
        [{"role": "user", "content": [{"type": "text", "text": ""}]}],
        [{"role": "user", "content": []}],
        [{"role": "user"}],
        [7],
    ],
)
def test_what_cannot_be_marked_is_left_as_it_is(messages: list[Any]) -> None:
    raw = json.dumps(asked(messages=messages)).encode()
    written = edit(ANTHROPIC, raw)
    assert written.auto_cached == ()
    assert json.loads(written.body)["messages"] == messages


def test_a_prefix_shorter_than_the_models_minimum_is_not_marked() -> None:
    facts = ModelFacts("p", "m", min_cache_tokens=4096)
    long = "word " * 4000  # 20,000 bytes
    assert edit(ANTHROPIC, asked(system="short", tools=[TOOL]), facts).auto_cached == ()
    assert edit(ANTHROPIC, asked(system=long, tools=[TOOL]), facts).auto_cached == ("system", "messages")


@pytest.mark.parametrize("codec", [OPENAI, RESPONSES], ids=lambda codec: codec.name)
def test_openai_is_given_a_key_where_it_takes_one_and_the_caller_gave_none(codec: Codec) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "input": "hi"}
    written = edit(codec, body, quirks=KEYED)
    assert json.loads(written.body)["prompt_cache_key"] == "sp-key"
    assert written.auto_cached == ("key",)
    assert edit(codec, body).auto_cached == ()
    own = edit(codec, {**body, "prompt_cache_key": "mine"}, quirks=KEYED)
    assert (json.loads(own.body)["prompt_cache_key"], own.auto_cached) == ("mine", ())


@pytest.mark.parametrize(("target", "placed"), [("openai_chat", ("key",)), ("gemini", ())])
def test_a_translated_request_gets_what_its_target_knows(target: Dialect, placed: tuple[str, ...]) -> None:
    request = ANTHROPIC.read_request(json.dumps(asked(tools=[TOOL])).encode())
    marked, names = add_to(request, AUTO, target, KEYED, TINY)
    assert (names, marked.cache_marks) == (placed, ())
    assert marked.cache_key == ("sp-key" if placed else None)


def test_bedrock_gets_marks_like_anthropic() -> None:
    request = ANTHROPIC.read_request(json.dumps(asked(system="Be brief.", tools=[TOOL])).encode())
    claude = replace(TINY, name="eu.anthropic.claude-opus-4-6-v1")
    marked, names = add_to(request, AUTO, "bedrock", STANDARD, claude)
    assert names == ("tools", "system", "messages")
    assert marked.cache_marks == (CacheMark(-1, 0), CacheMark(0, 0), CacheMark(1, 0))


@pytest.mark.parametrize(
    ("model", "placed"),
    [("us.amazon.nova-pro-v1:0", ("system", "messages")), ("meta.llama3-3-70b-instruct-v1:0", ())],
)
def test_a_model_at_bedrock_is_marked_only_where_it_takes_marks(model: str, placed: tuple[str, ...]) -> None:
    """Else the caller would be told, or refused, for marks that he never asked for."""
    request = ANTHROPIC.read_request(json.dumps(asked(system="Be brief.", tools=[TOOL])).encode())
    marked, names = add_to(replace(request, model=model), AUTO, "bedrock", STANDARD, None)
    assert names == ()  # shorter than any minimum
    marked, names = add_to(request, AUTO, "bedrock", STANDARD, replace(TINY, name=model))
    assert names == placed
    written = BEDROCK.write_request(marked, quirks=STANDARD, facts=replace(TINY, name=model))
    assert written.dropped == ()
    assert written.body.count(b"cachePoint") == len(placed)


@pytest.mark.parametrize(
    ("ttl", "placed"), [({}, ("tools", "system")), ({"ttl": "5m"}, ("tools", "system")), ({"ttl": "1h"}, ())]
)
def test_a_mark_on_the_whole_request_counts_as_the_one_behind_the_last_turn(
    ttl: dict[str, str], placed: tuple[str, ...]
) -> None:
    """One of an hour behind marks of five minutes is answered 400."""
    whole = {"type": "ephemeral"} | ttl
    written = edit(ANTHROPIC, asked(system=TEXTS, tools=[TOOL], cache_control=whole))
    assert written.auto_cached == placed
    assert json.loads(written.body)["messages"] == [{"role": "user", "content": TEXTS}]


def test_a_tool_that_is_loaded_later_is_not_marked() -> None:
    """Anthropic answers 400 to a mark on it, and it is no part of the prompt that is cached."""
    late = TOOL | {"name": "g", "defer_loading": True}
    written = edit(ANTHROPIC, asked(tools=[TOOL, TOOL, late, late]))
    mark = {"cache_control": {"type": "ephemeral"}}
    assert json.loads(written.body)["tools"] == [TOOL, TOOL | mark, late, late]
    assert "tools" not in edit(ANTHROPIC, asked(tools=[late])).auto_cached
