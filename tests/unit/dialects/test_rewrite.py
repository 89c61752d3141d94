import json

import pytest

from sternpost.dialects.json_text.raw_object import rewrite_object, split_object


def rewritten(body: bytes, **changed: bytes | None) -> bytes:
    before = split_object(body)
    after = {name: value for name, value in (before | changed).items() if value is not None}
    return rewrite_object(body, before, after)


LOOSE = b'\n { "a" : 1.0 ,\n  "b\\u0062": [ 1,2 ]\t,"c":null}\r\n'


def test_a_value_is_changed_where_it_stands() -> None:
    assert rewritten(LOOSE, a=b"2") == LOOSE.replace(b"1.0", b"2")
    assert rewritten(LOOSE, c=b'"x"') == LOOSE.replace(b"null", b'"x"')
    assert rewritten(LOOSE) == LOOSE


@pytest.mark.parametrize("name", ["a", "bb", "c"])
def test_a_member_is_taken_out_with_its_comma(name: str) -> None:
    left = rewritten(LOOSE, **{name: None})
    assert list(json.loads(left)) == [one for one in ("a", "bb", "c") if one != name]
    assert left.startswith(b"\n { ")
    assert left.endswith(b"}\r\n")


def test_what_is_new_stands_last_and_spaced_as_the_rest() -> None:
    assert rewritten(b'{"a": 1, "b": 2}', c=b"3") == b'{"a": 1, "b": 2, "c":3}'


def test_a_body_of_one_member_can_lose_it_and_gain_another() -> None:
    assert json.loads(rewritten(b'{ "a": 1 }', a=None, b=b"2")) == {"b": 2}


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "b": 2, "a": 3}',
        b'{"a": 1, "a": 1}',
        b'{"a": "x, \\"b\\": 2", "b": 1, "a": "x, \\"b\\": 2"}',
        b'{"\\u0061": 1, "a": [1, 2, {"b": 3}], "b": 4}',
    ],
)
def test_a_key_that_comes_twice_is_written_once_with_its_last_value(body: bytes) -> None:
    assert json.loads(rewritten(body, c=b"9")) == {**json.loads(body), "c": 9}


def test_a_body_that_is_not_at_hand_is_written_anew() -> None:
    fields = split_object(b'{"a": 1, "b": [ 2 ]}')
    assert rewrite_object(b"", fields, fields) == b'{"a":1,"b":[ 2 ]}'
