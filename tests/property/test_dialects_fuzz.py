"""Whatever a caller or a provider sends, a codec answers, or refuses with a sentence; it never breaks."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import STANDARD, ModelFacts
from sternpost.dialects.framing.assemble import read_stream_reply
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.protocols import Codec
from tests.unit.dialects.wire import (
    ANTHROPIC,
    OPENAI,
    RESPONSES,
    events_of,
    fixture,
    head_for,
    payloads,
    pump,
)

CODECS = ((OPENAI, "openai"), (ANTHROPIC, "anthropic"), (RESPONSES, "responses"))
FACTS = ModelFacts("p", "m", max_output_tokens=4000, abilities=("reasoning", "json_schema"))
every_codec = pytest.mark.parametrize(("codec", "name"), CODECS)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
junk = st.recursive(
    scalars | st.sampled_from(["text", "tool", "image", "data:,x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in inner for deeper in _paths(item, (*path, key)))]


@st.composite
def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """The value with one or two of its parts, at any depth, replaced or taken out."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(_paths(value)))
        if not path:
            continue
        owner = value
        for key in path[:-1]:
            owner = owner[key]
        if isinstance(owner, dict) and draw(st.booleans()):
            del owner[path[-1]]
        else:
            owner[path[-1]] = draw(junk)
    return value


@every_codec
@settings(max_examples=120, deadline=None)
@given(choices=st.data())
def test_any_request_is_read_edited_and_translated_or_refused(
    codec: Codec, name: str, choices: st.DataObject
) -> None:
    body = json.dumps(choices.draw(spoiled(json.loads(fixture(f"{name}_request.json"))))).encode()
    with contextlib.suppress(BadRequest):
        head = codec.read_head(body)
        edited = codec.edit(head, model="other", quirks=STANDARD, facts=FACTS)
        assert json.loads(edited.body)["model"] == "other"
        request = codec.read_request(body)
        for sink, _ in CODECS:
            json.loads(sink.write_request(request, quirks=STANDARD, facts=FACTS).body)


@every_codec
@settings(max_examples=120, deadline=None)
@given(choices=st.data())
def test_any_reply_is_summarised_and_translated_or_refused(
    codec: Codec, name: str, choices: st.DataObject
) -> None:
    body = json.dumps(choices.draw(spoiled(json.loads(fixture(f"{name}_reply.json"))))).encode()
    codec.summarise(body, STANDARD)
    codec.read_failure(500, {}, body, 0.0)
    with contextlib.suppress(BadRequest):
        reply = codec.read_reply(body)
        for sink, _ in CODECS:
            json.loads(sink.write_reply(reply))


@every_codec
@pytest.mark.parametrize("sink", [codec for codec, _ in CODECS])
@settings(max_examples=60, deadline=None)
@given(choices=st.data())
def test_any_stream_is_carried_to_its_end_or_to_a_fault(
    codec: Codec, name: str, sink: Codec, choices: st.DataObject
) -> None:
    stream = "openai_parallel_tools.sse" if name == "openai" else f"{name}_thinking_tools.sse"
    frames = choices.draw(spoiled(payloads(fixture(stream))))
    body = b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames or [])
    relay = open_relay(codec, sink, head_for(sink), STANDARD)
    payloads(pump(relay, [body, b"data: [DONE]\n\n"]))
    relay.summary()
    events_of(codec, [body])
    read_stream_reply(codec, body)


@every_codec
@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=80))
def test_any_bytes_are_refused_with_a_sentence(codec: Codec, name: str, body: bytes) -> None:
    for read in (codec.read_head, codec.read_request, codec.read_reply):
        with pytest.raises(BadRequest):
            read(body)
    codec.summarise(body, STANDARD)
    assert codec.read_failure(502, {}, body, 0.0).kind == "server"
    relay = codec.open_tap(head_for(codec), STANDARD)
    pump(relay, [body])
    assert not relay.is_complete
