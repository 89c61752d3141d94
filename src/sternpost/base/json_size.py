"""How many values a JSON text holds, before it is read: what costs time is their number, not the bytes."""

import re
from dataclasses import dataclass
from typing import Final

from sternpost.base.errors import BadRequest

SMALL_BYTES: Final = 256_000  # reading the worst body of this size takes less than 30 ms
# Few pieces at a time: a match is one step of the interpreter, which lets no other thread go on.
_IN_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.){1,20000}+', re.DOTALL)
_MARKS: Final = (b":", b",", b"[", b"{")


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """At most so many members of objects, and so many values in all."""

    fields: int
    values: int


# A call of a million tokens in 10,000 turns has 80,000 fields; 300,000 tokens to embed are so many values.
CALL: Final = JsonLimits(fields=100_000, values=1_000_000)


def is_surely_small(text: bytes, limits: JsonLimits) -> bool:
    """Say at once, at 10 ms for 50 MB, whether a text is within the limits even if no mark is in a string."""
    if len(text) <= SMALL_BYTES:
        return True
    colons, *others = (text.count(mark) for mark in _MARKS)
    return colons <= limits.fields and sum(others) <= limits.values


def check(text: bytes, limits: JsonLimits) -> None:
    """Count what stands outside of strings; takes up to a second, so it belongs in a thread.

    Raises: BadRequest. A text that is no JSON is left to its reader.
    """
    fields = marks = at = 0
    size = len(text)
    while at < size:
        opening = text.find(b'"', at)
        between = text[at:opening] if opening >= 0 else text[at:]
        fields += between.count(b":")
        marks += len(between) - len(between.translate(None, b":,[{"))
        if fields > limits.fields or marks - fields > limits.values:
            raise BadRequest(
                f"The body has more than {limits.fields} fields or {limits.values} values; send it in parts."
            )
        at = size if opening < 0 else _end_of_string(text, opening + 1)


def _end_of_string(text: bytes, start: int) -> int:
    """Return where the text goes on behind a string, which an unescaped quotation mark ends."""
    at = start
    while found := _IN_STRING.match(text, at):
        at = found.end()
    return at + 1
