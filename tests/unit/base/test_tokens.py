import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.tokens import estimate_tokens

ENGLISH = "The quick brown fox jumps over the lazy dog, and then it rests quietly beneath the old oak tree."
CODE = "def add(left: int, right: int) -> int:\n    return left + right\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ENGLISH, 22),  # o200k: 22
        ("人工智能正在改变世界各地的软件开发方式。", 13),  # o200k: 13
        ("1234567890", 4),  # groups of three digits
    ],
)
def test_estimate_is_near_a_real_tokenizer(text: str, expected: int) -> None:
    assert estimate_tokens(text) == pytest.approx(expected, rel=0.2)


def test_code_is_not_counted_by_its_indentation() -> None:
    assert estimate_tokens(CODE + " " * 400) <= estimate_tokens(CODE) + 2


def test_nothing_is_no_token_and_something_is_at_least_one() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens(" ") == 1


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(left: str, right: str) -> None:
    # two runs may join into one, which saves at most a token per join and rounding
    assert estimate_tokens(left + "\n" + right) >= max(estimate_tokens(left), estimate_tokens(right)) - 1
