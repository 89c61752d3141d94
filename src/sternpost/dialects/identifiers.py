"""Identifiers no longer than a target takes, the same every time; it knows no target."""

import hashlib
from typing import Final

USER_CHARS: Final = 64  # OpenAI's `user` and `safety_identifier`; a longer one is answered 400
_DIGEST: Final = 32


def shortened(identifier: str, most: int) -> str:
    """Return the identifier, or a digest of one that is longer, so that two never meet."""
    return identifier if len(identifier) <= most else digest(identifier)[:most]


def digest(identifier: str) -> str:
    """Return what stands for an identifier and tells nothing of it."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:_DIGEST]
