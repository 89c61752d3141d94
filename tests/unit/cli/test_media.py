from typing import Any

import pytest

from sternpost.cli.media import part_words

IMAGE: dict[str, Any] = {
    "type": "blob", "modality": "image", "mime_type": "image/png", "hash": "a" * 64, "size_bytes": 12_000,
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (IMAGE, "[image image/png 12 kB]"),
        ({**IMAGE, "filename": "a.png", "size_bytes": 999}, "[image a.png image/png 999 B]"),
        ({**IMAGE, "size_bytes": 4_920_000}, "[image image/png 4.92 MB]"),
        ({"type": "blob", "modality": "audio", "mime_type": "audio/wav"}, "[audio audio/wav not kept]"),
        ({"type": "uri", "modality": "image", "uri": "https://a.example"}, "[image https://a.example]"),
        ({"type": "file", "modality": "document", "file_id": "file_1"}, "[document file_1]"),
        ({"type": "text", "content": "two\n words"}, "two words"),
        ({"type": "tool_call", "name": "look", "arguments": "{}"}, "calls look {}"),
        (
            {"type": "tool_call_response", "response": "ok", "media": [IMAGE]},
            "answers ok [image image/png 12 kB]",
        ),
        ({"type": "reasoning", "content": "hm"}, "[reasoning]"),
        ({"type": "other", "payload": {"type": "thing"}}, "[other thing]"),
    ],
)
def test_a_part_is_one_line(part: dict[str, Any], wanted: str) -> None:
    assert part_words(part) == wanted
