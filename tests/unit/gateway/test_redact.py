"""Secrets are blotted out of passing bytes, wherever those are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.gateway.stages.redact import Redactor

SECRET, OTHER = "sk-aab-aab-aac-0123456789", "sk-aab-zzzz-0123456789"


@given(
    text=st.lists(st.sampled_from([SECRET, OTHER, SECRET[:7], OTHER[:9], "s", "sk-", "a\n"]), max_size=12),
    cuts=st.lists(st.integers(0, 300), max_size=8),
)
def test_every_split_gives_the_same_bytes_without_a_secret(text: list[str], cuts: list[int]) -> None:
    whole = "".join(text).encode()
    redactor = Redactor([SECRET, OTHER])
    borders = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [redactor.feed(whole[a:b]) for a, b in itertools.pairwise(borders)]
    shown = b"".join([*pieces, redactor.finish()])

    expected = whole.replace(SECRET.encode(), b"*" * len(SECRET)).replace(OTHER.encode(), b"*" * len(OTHER))
    assert shown == expected


@pytest.mark.parametrize("name", ["", "ollama", "lm-studio"])
def test_a_key_that_is_a_plain_word_stays_in_honest_text(name: str) -> None:
    assert Redactor([name]).feed(b"ollama lm-studio") == b"ollama lm-studio"


def test_a_frame_that_holds_no_beginning_of_a_secret_is_not_kept_waiting() -> None:
    assert Redactor([SECRET]).feed(b"data: {}\n\n") == b"data: {}\n\n"
