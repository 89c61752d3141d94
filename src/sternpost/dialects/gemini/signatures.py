"""Carries `thoughtSignature` through other dialects, with the place of the part it came on.

Source: https://ai.google.dev/gemini-api/docs/thought-signatures. A signature goes back on exactly the part it
came with. Other dialects have room for a signature beside a thought only, so its place is written into it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sternpost.contracts.message import Part, ReasoningPart
from sternpost.dialects.thinking.origin_mark import MARK

_PREFIX: Final = MARK + "gemini~"
# Places that are no tool call's id; the first character keeps them apart from ids.
TEXT: Final = "=text"  # the last text
AFTER_TEXT: Final = "=after"  # an empty text of its own, as streams have it
THOUGHT: Final = "=thought"
MEDIA: Final = "=media"
# What Google names for calls that another model made; checked models answer 400 to a call without any.
UNSIGNED: Final = "skip_thought_signature_validator"


@dataclass(frozen=True, slots=True)
class Signed:
    place: str  # one of the places above, or the id of a tool call
    signature: str


def seal(place: str, signature: str) -> str:
    return f"{_PREFIX}{place}~{signature}"


def unseal(text: str | None) -> Signed | None:
    """Return the signature with its place; None when it is not Gemini's."""
    if text is None or not text.startswith(_PREFIX):
        return None
    place, _, signature = text.removeprefix(_PREFIX).rpartition("~")
    return Signed(place, signature) if place and signature else None


def signatures_in(parts: Iterable[Part]) -> dict[str, str]:
    """Return place -> signature of one message."""
    found = [unseal(part.signature) for part in parts if isinstance(part, ReasoningPart)]
    return {signed.place: signed.signature for signed in found if signed is not None}
