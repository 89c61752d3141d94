"""Requests keep the caller's bytes within a dialect, and their meaning across dialects."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sternpost.contracts.provider import STANDARD
from sternpost.dialects.json_text.raw_object import split_object
from sternpost.dialects.openai_responses.names import STORED_FIELDS
from sternpost.dialects.protocols import Codec
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, RESPONSES

READ = {"model", "messages", "input", "stream", "metadata", "stream_options", *STORED_FIELDS}  # and checked
EDITED = {"model", "stream_options", "max_tokens", "max_completion_tokens"}
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
extras = st.dictionaries(
    st.text().filter(lambda name: name not in READ),
    values,
    max_size=4,
)
texts = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip()) and text == text.strip())


@settings(max_examples=100, deadline=None)
@given(extra=extras, indent=st.sampled_from([None, 1, 4]), is_stream=st.booleans())
def test_an_edit_keeps_every_other_value_byte_for_byte_and_in_its_order(
    extra: dict[str, Any], indent: int | None, is_stream: bool
) -> None:
    fields = {**extra, "messages": [{"role": "user", "content": "hi", "x": 1.50}], "model": "a/b"}
    fields["stream"] = is_stream
    body = json.dumps(fields, indent=indent).encode()
    edited = OPENAI.edit(OPENAI.read_head(body), model="b", quirks=STANDARD, facts=None).body
    before, after = split_object(body), split_object(edited)
    kept = [name for name in before if name not in EDITED]
    assert [name for name in after if name not in EDITED] == kept
    assert {name: bytes(after[name]) for name in kept} == {name: bytes(before[name]) for name in kept}
    assert json.loads(bytes(after["model"])) == "b"


@settings(max_examples=100, deadline=None)
@given(extra=extras, indent=st.sampled_from([None, 1, 4]), is_stream=st.booleans())
def test_an_edit_of_a_responses_request_changes_the_model_alone(
    extra: dict[str, Any], indent: int | None, is_stream: bool
) -> None:
    fields = {**extra, "input": [{"role": "user", "content": "hi", "x": 1.50}], "model": "a/b"}
    fields["stream"] = is_stream
    body = json.dumps(fields, indent=indent).encode()
    edited = RESPONSES.edit(RESPONSES.read_head(body), model="b", quirks=STANDARD, facts=None).body
    before, after = split_object(body), split_object(edited)
    assert list(after) == list(before)
    assert {n: bytes(after[n]) for n in after if n != "model"} == {
        n: bytes(before[n]) for n in before if n != "model"
    }


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """OpenAI messages that alternate, each call answered in place."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": draw(texts)}]
    for turn in range(draw(st.integers(1, 3))):
        messages.append({"role": "user", "content": draw(texts)})
        ids = [f"call_{turn}_{number}" for number in range(draw(st.integers(0, 2)))]
        if not ids:
            messages.append({"role": "assistant", "content": draw(texts)})
            continue
        arguments = draw(st.dictionaries(st.text(), st.integers() | st.text(), max_size=2))
        calls = [
            {"id": call_id, "type": "function", "function": {"name": "f", "arguments": json.dumps(arguments)}}
            for call_id in ids
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        messages += [{"role": "tool", "tool_call_id": call_id, "content": draw(texts)} for call_id in ids]
    return [*messages, {"role": "user", "content": draw(texts)}]


@pytest.mark.parametrize("other", [ANTHROPIC, RESPONSES], ids=lambda codec: codec.name)
@settings(max_examples=80, deadline=None)
@given(messages=conversations())
def test_a_conversation_keeps_its_meaning_there_and_back(
    other: Codec, messages: list[dict[str, Any]]
) -> None:
    body = json.dumps({"model": "m", "messages": messages}).encode()
    there = other.write_request(OPENAI.read_request(body), quirks=STANDARD, facts=None)
    back = OPENAI.write_request(other.read_request(there.body), quirks=STANDARD, facts=None)
    assert _meaning(json.loads(back.body)["messages"]) == _meaning(messages)


def _meaning(messages: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Flatten to what a model reads; neighbouring user texts may share a turn."""
    meaning: list[tuple[object, ...]] = []
    for message in messages:
        content = message["content"]
        seen = [content] if isinstance(content, str) else [part["text"] for part in content or ()]
        meaning += [(message["role"], message.get("tool_call_id"), text) for text in seen]
        for call in message.get("tool_calls", ()):
            arguments = json.loads(call["function"]["arguments"])
            meaning.append(("call", call["id"], call["function"]["name"], json.dumps(arguments)))
    return meaning


@settings(max_examples=60, deadline=None)
@given(messages=conversations())
def test_writing_the_same_request_twice_gives_the_same_bytes(messages: list[dict[str, Any]]) -> None:
    body = json.dumps({"model": "m", "messages": messages, "tools": []}).encode()
    first = ANTHROPIC.write_request(OPENAI.read_request(body), quirks=STANDARD, facts=None)
    assert ANTHROPIC.write_request(OPENAI.read_request(body), quirks=STANDARD, facts=None) == first
