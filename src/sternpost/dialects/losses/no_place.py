"""Refuses content that a dialect cannot express, and says what to send instead; it searches for none."""

from collections.abc import Iterable, Mapping
from typing import Final

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import BlobPart, FilePart, Json, OtherPart, Part, UriPart

_UNREPLAYED: Final = (OtherPart, BlobPart, UriPart, FilePart)
_REFERENCE = "item_reference"  # of the Responses API


def no_place(payload: Mapping[str, Json], api: str = "This model's API") -> BadRequest:
    """Return the refusal of a part that only its own dialect knows."""
    kind = str(payload.get("type", ""))[:64]
    if kind == _REFERENCE:
        return BadRequest(
            f"{api} cannot use items stored by another provider: send the item itself instead of its"
            f" {_REFERENCE!r}."
        )
    return BadRequest(f"{api} does not support content of type {kind!r}.")


def unreplayed(parts: Iterable[Part]) -> list[str]:
    """Name what an assistant gave earlier and other APIs do not take back as content."""
    left = [part for part in parts if isinstance(part, _UNREPLAYED)]
    return [f"content.{str(_name_of(part))[:64]}" for part in left] if left else []


def _name_of(part: OtherPart | BlobPart | UriPart | FilePart) -> Json:
    return part.payload.get("type", "other") if isinstance(part, OtherPart) else part.modality
