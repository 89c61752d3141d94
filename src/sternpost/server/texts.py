"""Refuses text that nothing can keep or send on: half a surrogate pair, a null character."""

import json
from collections.abc import Iterator
from typing import Final, cast

from fastapi import Request

from sternpost.base.errors import BadRequest

_SUSPECTS: Final = (b"\\ud", b"\\u0000", b"\x00")  # as JSON may write them, in small letters


async def refuse_unkeepable_text(request: Request) -> None:
    """A FastAPI dependency, before any route reads what was sent. Raises: BadRequest naming the place."""
    if "\x00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise BadRequest("the address holds a null character (%00); leave it out")
    if getattr(request.scope.get("route"), "body_field", None) is None:
        return  # a body that flows, or none
    body = await request.body()
    small = body.lower()
    if not any(suspect in small for suspect in _SUSPECTS):
        return
    try:
        found = next(_unkeepable(json.loads(body), "body"), None)
    except (ValueError, RecursionError):
        return  # no JSON, which the route says in its own words
    if found is not None:
        place, what = found
        raise BadRequest(f"{place}: the text holds {what}; send whole characters", param=place)


def _unkeepable(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Yield where such a text stands, and what is in it."""
    if isinstance(value, str):
        if "\x00" in value:
            yield place, "a null character"
        if not _is_encodable(value):
            yield place, "half of a surrogate pair (\\ud800 to \\udfff alone)"
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield from _unkeepable(name, f"{place}, the name of a field")
            yield from _unkeepable(inner, f"{place}.{name}" if _is_encodable(name) else place)
    elif isinstance(value, list):
        for at, inner in enumerate(cast("list[object]", value)):
            yield from _unkeepable(inner, f"{place}.{at}")


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
