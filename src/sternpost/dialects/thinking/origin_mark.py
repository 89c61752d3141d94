"""Marks what only Sternpost can read again, so that no provider gets another's signature; seals nothing."""

from typing import Final

MARK: Final = "sternpost."


def is_marked(text: str | None) -> bool:
    """Whether a signature was wrapped here, for a provider of another dialect."""
    return text is not None and text.startswith(MARK)
