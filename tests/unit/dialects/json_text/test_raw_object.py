import time

import pytest

from sternpost.base.errors import BadRequest
from sternpost.dialects.json_text.raw_object import join_object, split_object


def test_values_keep_their_bytes_and_fields_their_order() -> None:
    body = b'{ "b" : 1.50, "a" : {"z": [1,  2]}, "\\u00e9": "\\u00e9" }'
    fields: dict[str, object] = dict(split_object(body))
    assert join_object(fields) == b'{"b":1.50,"a":{"z": [1,  2]},"\xc3\xa9":"\\u00e9"}'  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is empty; send a JSON object."),
        (b'{"secret": tru}', "The body is not valid JSON: invalid character (byte 12)."),
        (b'{"secret": "a', "The body is not valid JSON: it ends too early (byte 13)."),
        (b'["secret"]', "The body must be a JSON object."),
        (b'{"secret": "\xff"}', "The body is not valid UTF-8 (byte 12)."),
        (b'{"a":' + b"[" * 100_000, "The body is nested too deeply."),
    ],
)
def test_broken_json_is_named_by_its_place_and_never_quoted(body: bytes, sentence: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        split_object(body)
    assert refusal.value.message == sentence


def test_ten_megabytes_cost_about_twenty_times_half_a_megabyte() -> None:
    def cost_s(size_bytes: int) -> float:
        body = b'{"messages":[' + b'{"role":"user","content":"abcdefghij"},' * (size_bytes // 40) + b"{}]}"
        started = time.process_time()
        for _ in range(5):
            join_object({**split_object(body), "model": b'"m"'})
        return time.process_time() - started

    small, large = min(cost_s(500_000) for _ in range(5)), min(cost_s(10_000_000) for _ in range(3))
    assert large < 60 * small  # 20 times the bytes; a quadratic step would cost 400 times
