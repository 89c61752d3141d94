"""Reads single numbers of tokens as providers write them; which of them make up usage is each dialect's."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import Json
from sternpost.dialects.json_text.raw_object import UNREADABLE

_LARGEST = 2**53  # from where JSON's numbers are no longer exact


class _Count(msgspec.Struct):
    input_tokens: Any


_COUNT: Final = msgspec.json.Decoder(_Count)


def count_of(value: Json) -> int | None:
    """Return a number of tokens, which may be below zero; None for what is none: null, text, infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < _LARGEST else None  # not a number and infinity compare false


def has_count(values: Mapping[str, Json], *names: str) -> bool:
    """Say whether any of the names holds a number: null is a count that the host did not make, not zero."""
    return any(count_of(values.get(name)) is not None for name in names)


def read_input_tokens(body: bytes) -> int:
    """Read the answer to a request to count, as Anthropic and OpenAI write it. Raises: BadRequest."""
    try:
        count = _COUNT.decode(body).input_tokens
    except UNREADABLE:
        count = None
    if isinstance(count, bool) or not isinstance(count, int):
        raise BadRequest("The provider's reply has no `input_tokens`.", param="input_tokens")
    return count
