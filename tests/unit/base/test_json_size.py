"""A JSON text's values are counted before it is read, and what stands in strings is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.errors import BadRequest
from sternpost.base.json_size import SMALL_BYTES, JsonLimits, check, is_surely_small

VALUES = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('a:,[{}]"\\ é'), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def fields_in(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(fields_in(item) for item in value.values())
    return sum(fields_in(item) for item in value) if isinstance(value, list) else 0


@given(VALUES, st.booleans())
def test_fields_are_counted_exactly(value: object, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii).encode()
    count = fields_in(value)
    check(text, JsonLimits(fields=count, values=10_000))
    if count:
        with pytest.raises(BadRequest):
            check(text, JsonLimits(fields=count - 1, values=10_000))


@pytest.mark.parametrize("mark", [b"[", b"{", b"1,", b'"",'])
def test_values_without_names_are_counted_too(mark: bytes) -> None:
    check(mark * 100, JsonLimits(fields=0, values=100))
    with pytest.raises(BadRequest):
        check(mark * 101, JsonLimits(fields=0, values=100))


@pytest.mark.parametrize("text", [b'"', b'"\\', b'{"a":"\\"', b'"\\\\" : 1', b""])
def test_a_text_that_is_no_json_is_left_to_its_reader(text: bytes) -> None:
    check(text, JsonLimits(fields=1, values=1))


def test_only_a_large_text_with_many_marks_has_to_be_counted() -> None:
    limits = JsonLimits(fields=10, values=10)
    assert is_surely_small(b"," * SMALL_BYTES, limits)
    assert is_surely_small(b'"' + b"x" * SMALL_BYTES, limits)
    assert not is_surely_small(b"," * (SMALL_BYTES + 1), limits)
    assert not is_surely_small(b":" * 11 + b" " * SMALL_BYTES, limits)
