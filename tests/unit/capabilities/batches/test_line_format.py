"""Lines in and rows out keep their bytes, and a bad line says where it is bad."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.money import NanoUsd
from sternpost.capabilities.batches.files.line_format import (
    LineRefused,
    Request,
    answered,
    error_code_of,
    read_line,
    unanswered,
)

CHAT = "/v1/chat/completions"
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def text(**changes: object) -> bytes:
    line = {"custom_id": "a", "method": "POST", "url": CHAT, "body": {"model": "m1"}, **changes}
    return json.dumps({name: value for name, value in line.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("line", "code", "param"),
    [
        (b"", "invalid_json_line", None),
        (b"[1]", "invalid_json_line", None),
        (b'{"custom_id": "a"', "invalid_json_line", None),
        (text(custom_id=None), "missing_custom_id", "custom_id"),
        (text(custom_id=7), "missing_custom_id", "custom_id"),
        (text(custom_id="x" * 513), "invalid_custom_id", "custom_id"),
        (text(method="GET"), "invalid_method", "method"),
        (text(url="/v1/embeddings"), "invalid_url", "url"),
        (text(url=None), "missing_url", "url"),
        (text(body=None), "invalid_body", "body"),
        (text(body=[]), "invalid_body", "body"),
        (text(body={"model": 3}), "missing_model", "body.model"),
        (text(body={"model": "m1", "stream": True}), "stream_not_possible", "body.stream"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_field(line: bytes, code: str, param: str | None) -> None:
    with pytest.raises(LineRefused) as refused:
        read_line(line, 41, CHAT)
    assert (refused.value.fault.code, refused.value.fault.line, refused.value.fault.param) == (
        code,
        41,
        param,
    )
    assert "line 41" in refused.value.fault.message


def test_the_body_of_a_line_keeps_its_bytes() -> None:
    body = '{"model":"m1", "z": 1.10, "a":  [1e3]}'
    line = f'{{"custom_id":"a","url":"{CHAT}","body":{body}}}'.encode()
    assert read_line(line, 1, CHAT) == Request("a", CHAT, "m1", body.encode())


@given(values, st.sampled_from([None, 2]))
def test_a_row_is_one_line_whose_body_is_the_answer(body: object, indent: int | None) -> None:
    encoded = json.dumps(body, indent=indent).encode()
    result = answered(3, Request("é\n", CHAT, "m", b""), status=200, body=encoded, request_id="r")
    assert result.row.count(b"\n") == 1
    row = json.loads(result.row)
    assert row["custom_id"] == "é\n"
    assert row["response"] == {"status_code": 200, "request_id": "r", "body": body}


def test_a_cost_that_is_not_known_is_null_and_never_zero() -> None:
    request = Request("a", CHAT, "m", b"")
    unknown = answered(1, request, status=200, body=b"{}", request_id="")
    known = answered(1, request, status=200, body=b"{}", request_id="", cost_nanousd=NanoUsd(1500))
    assert json.loads(unknown.row)["sternpost"]["cost_usd"] is None
    assert json.loads(known.row)["sternpost"]["cost_usd"] == "0.0000015"


def test_an_error_answer_is_a_failed_line_with_its_code() -> None:
    body = b'{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}'
    result = answered(1, Request("a", CHAT, "m", b""), status=400, body=body, request_id="")
    assert (result.state, result.error_code, result.error) == (
        "failed",
        "context_length_exceeded",
        "too long",
    )
    assert error_code_of(b"<html>") == ""


def test_lines_without_an_answer_say_why() -> None:
    states = [unanswered(1, "a", code, "why").state for code in ("batch_expired", "batch_cancelled", "other")]
    assert states == ["expired", "cancelled", "failed"]
    assert json.loads(unanswered(1, "a", "batch_expired", "why").row)["error"] == {
        "code": "batch_expired",
        "message": "why",
    }
