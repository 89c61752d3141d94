import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.capabilities.events.rules import is_wanted, wait_s


@pytest.mark.parametrize(
    ("kind", "wanted", "is_match"),
    [
        ("key.revoked", ("key.revoked",), True),
        ("key.revoked", ("key.",), True),
        ("key.revoked", ("key",), False),  # a kind of its own, not a family
        ("keys.revoked", ("key.",), False),
        ("key.revoked", (), False),
    ],
)
def test_a_kind_is_wanted_by_name_or_by_family(kind: str, wanted: tuple[str, ...], *, is_match: bool) -> None:
    assert is_wanted(kind, wanted) is is_match


@given(st.integers(1, 1000))
def test_waits_grow_to_a_minute_and_no_further(attempts: int) -> None:
    assert 0.5 <= wait_s(attempts) <= wait_s(attempts + 1) <= 60
