"""What a batch file is taken for before it is uploaded."""

from pathlib import Path

import pytest

from sternpost.base.errors import BadRequest
from sternpost.cli.batch import first_url


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("id,question\n1,hello\n", "one JSON object per line"),
        ('[\n  {"url": "/v1/messages"}\n]\n', "one JSON object per line"),
        ('{"custom_id": "a"}\n', "not a request with a `url`"),
        ("[1]\n", "not a request with a `url`"),
    ],
)
def test_a_file_that_is_no_batch_is_told_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text(text)
    with pytest.raises(BadRequest, match=says):
        first_url(file)


def test_the_endpoint_is_that_of_the_first_line(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('\n{"url": "/v1/messages"}\n{"url": "/v1/embeddings"}\n')
    assert first_url(file) == "/v1/messages"
