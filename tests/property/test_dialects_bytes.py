"""Within a dialect the upstream gets the caller's bytes, spelled as the caller spelled them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import STANDARD, ModelFacts
from sternpost.dialects.json_text.raw_object import split_object
from sternpost.dialects.protocols import Codec
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, RESPONSES

EDITED = {"model", "stream_options", "max_tokens", "max_completion_tokens"}
CODECS = (OPENAI, ANTHROPIC, RESPONSES)
every_codec = pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)

spaces = st.sampled_from(["", "", " ", "\n  ", "\t", "\r\n"])
numbers = st.sampled_from(
    ["0", "-0", "1.50", "1E5", "1e-07", "0.10", "123456789012345678901234567890", "-9007199254740993"]
)
letters = st.sampled_from(["a", " ", r"\u00e9", r"\u20AC", "é", r"\/", r"\n", r"\ud83d\ude00", "😀", r"\""])
strings = st.lists(letters, max_size=6).map(lambda pieces: '"' + "".join(pieces) + '"')
plain = st.sampled_from(["null", "true", "false"])


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(inner, max_size=3))
    return "[" + ",".join(draw(spaces) + item + draw(spaces) for item in items) + "]"


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """An object of any spelling; a key may come twice."""
    keys = st.sampled_from(['"b"', '"a"', '"a"', r'"\u0061"', '"signature"'])
    pairs = draw(st.lists(st.tuples(keys, inner), max_size=3))
    return "{" + ",".join(draw(spaces) + key + draw(spaces) + ":" + value for key, value in pairs) + "}"


values = st.recursive(numbers | strings | plain, lambda inner: arrays(inner) | objects(inner), max_leaves=8)
names = st.text("abcxyz_é", min_size=1, max_size=6).map(lambda name: f"x_{name}")
SIGNED = (
    r'{"role" : "assistant", "content":[{"type":"thinking","thinking":"h\u00e9","signature":"EqQB+/=="},'
    ' {"type":"redacted_thinking", "data":"Emw+"}], "n":1.50}'
)


def _body(codec: Codec, extra: dict[str, str], spelled: str, gap: str) -> bytes:
    turns = f'[{{"role":"user","content":{spelled}}},{SIGNED}]'
    fields = {"model": '"lab/m"', "input" if codec is RESPONSES else "messages": turns, **extra}
    if codec is ANTHROPIC:
        fields["max_tokens"] = "9"
    pairs = [f"{json.dumps(name)}{gap}:{gap}{value}" for name, value in fields.items()]
    return ("{" + gap + ("," + gap).join(pairs) + gap + "}").encode()


@every_codec
@settings(max_examples=60, deadline=None)
@given(extra=st.dictionaries(names, values, max_size=4), spelled=strings, gap=spaces, is_stream=st.booleans())
def test_every_value_arrives_as_it_was_spelled_and_where_it_stood(
    codec: Codec, extra: dict[str, str], spelled: str, gap: str, *, is_stream: bool
) -> None:
    body = _body(codec, extra | ({"stream": "true"} if is_stream else {}), spelled, gap)
    edited = codec.edit(codec.read_head(body), model="m", quirks=STANDARD, facts=None)
    before, after = split_object(body), split_object(edited.body)
    kept = [name for name in before if name not in EDITED]
    assert [name for name in after if name not in EDITED] == kept
    assert {name: bytes(after[name]) for name in kept} == {name: bytes(before[name]) for name in kept}
    assert edited.dropped == ()
    assert SIGNED.encode() in edited.body


@every_codec
@settings(max_examples=100, deadline=None)
@given(extra=st.dictionaries(names, values, max_size=4), spelled=strings, gap=spaces)
def test_but_for_the_model_the_upstream_receives_the_callers_bytes(
    codec: Codec, extra: dict[str, str], spelled: str, gap: str
) -> None:
    before = {name: value for name, value in extra.items() if name < "x_b"}  # some stand before the model
    body = _body(codec, extra, spelled, gap)
    body = b"{" + "".join(f'"y{name}":{gap}{value},' for name, value in before.items()).encode() + body[1:]
    assert _edited(codec, body) == body.replace(b'"lab/m"', b'"m"', 1)
    assert codec.edit(codec.read_head(body), model="lab/m", quirks=STANDARD, facts=None).body == body


@every_codec
@settings(max_examples=60, deadline=None)
@given(extra=st.dictionaries(names, values, max_size=4), spelled=strings)
def test_the_same_request_is_written_in_the_same_bytes_twice(
    codec: Codec, extra: dict[str, str], spelled: str
) -> None:
    body = _body(codec, extra, spelled, "")
    facts = ModelFacts("p", "m", rejects=("x_a", "x_b"))
    first, second = (
        codec.edit(codec.read_head(body), model="m", quirks=STANDARD, facts=facts) for _ in range(2)
    )
    assert first == second


@every_codec
@settings(max_examples=30, deadline=None)
@given(value=values)
def test_only_what_a_model_rejects_is_taken_out(codec: Codec, value: str) -> None:
    body = _body(codec, {"x_first": value, "temperature": "0.50", "x_last": value}, '"hi"', " ")
    facts = ModelFacts("p", "m", rejects=("temperature",))
    edited = codec.edit(codec.read_head(body), model="m", quirks=STANDARD, facts=facts)
    fields = split_object(edited.body)
    assert (bytes(fields["x_first"]), bytes(fields["x_last"])) == (value.encode(), value.encode())
    assert ("temperature" in fields, edited.dropped) == (False, ("temperature",))


def _edited(codec: Codec, body: bytes) -> bytes:
    return codec.edit(codec.read_head(body), model="m", quirks=STANDARD, facts=None).body


@every_codec
def test_what_is_taken_out_or_added_leaves_all_else_in_its_bytes(codec: Codec) -> None:
    body = _body(codec, {"x_first": "1.0", "temperature": "0.50", r"x_l\u00e4st": "[ 2 ]"}, '"hi"', " ")
    facts = ModelFacts("p", "m", rejects=("temperature",))
    edited = codec.edit(codec.read_head(body), model="m", quirks=STANDARD, facts=facts).body
    expected = body.replace(b'"temperature" : 0.50, ', b"").replace(b'"lab/m"', b'"m"')
    if codec is OPENAI:
        added = codec.edit(
            codec.read_head(expected[:-2] + b', "stream" : true }'), model="m", quirks=STANDARD, facts=None
        ).body
        usage = b'"stream_options":{"include_usage":true}'
        assert added == expected[:-2] + b', "stream" : true, ' + usage + b" }"
    assert edited == expected


@every_codec
def test_of_a_field_that_comes_twice_the_last_counts_as_json_readers_have_it(codec: Codec) -> None:
    body = _body(codec, {"x": "1.0"}, '"hi"', "")[:-1] + b',"x":2.00}'
    assert bytes(split_object(_edited(codec, body))["x"]) == b"2.00"


@every_codec
def test_nesting_within_reason_passes(codec: Codec) -> None:
    nested = "[" * 200 + "]" * 200
    assert nested.encode() in _edited(codec, _body(codec, {"x": nested}, '"hi"', ""))


@every_codec
def test_nesting_without_end_is_refused_and_breaks_nothing(codec: Codec) -> None:
    body = _body(codec, {"x": "[" * 100_000 + "]" * 100_000}, '"hi"', "")
    for read in (codec.read_head, codec.read_request):
        with pytest.raises(BadRequest, match="nested too deeply"):
            read(body)


@every_codec
def test_a_number_of_any_length_passes_untouched(codec: Codec) -> None:
    huge = "9" * 400
    fields = split_object(_edited(codec, _body(codec, {"seed": huge}, '"hi"', "")))
    assert bytes(fields["seed"]) == huge.encode()
