"""Which events a reader wants, and when a failed one is tried again; values in, values out."""

from collections.abc import Iterable

MAX_ATTEMPTS = 10
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0


def is_wanted(kind: str, wanted: Iterable[str]) -> bool:
    """Say whether a kind is among those wanted; one that ends in "." means all kinds below it."""
    return any(kind.startswith(one) if one.endswith(".") else kind == one for one in wanted)


def wait_s(attempts: int) -> float:
    """Return how long to wait after an attempt (1 is the first): 0.5 s, doubled up to 60 s."""
    return min(_FIRST_WAIT_S * 2 ** (attempts - 1), _LONGEST_WAIT_S)
