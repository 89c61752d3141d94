"""Reads attribute values of any spelling: numbers as text, JSON in JSON, flattened lists."""

import json
import math
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Final, TypeAlias, TypeGuard

import msgspec

from sternpost.contracts.message import Json

Tree: TypeAlias = "dict[str, Tree] | Json"


# Looking at the type first is five times as fast as asking the abstract class.
_SCALARS: Final = frozenset({str, int, float, bool, NoneType})
_OPENERS: Final = frozenset({"{", "[", '"'})


def is_mapping(value: object) -> TypeGuard[Mapping[str, Json]]:
    kind = type(value)
    return kind is dict or (kind not in _SCALARS and isinstance(value, Mapping))


def is_list(value: object) -> TypeGuard[Sequence[Json]]:
    kind = type(value)
    return kind is list or (
        kind not in _SCALARS and isinstance(value, Sequence) and not isinstance(value, str)
    )


def as_text(value: Json) -> str:
    """Return text as it is and anything else as JSON; "" for None."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=dict).decode()


def as_number(value: Json) -> float | None:
    """Read a number that may be written as text; None if it is not one."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def as_count(value: Json) -> int | None:
    """Read a whole number that is not negative and fits the store; None if it is not one."""
    number = as_number(value)
    return None if number is None or number < 0 or number > 2**53 else round(number)


def as_json(value: Json) -> Json:
    """Decode text that holds a JSON object or list, at most twice; anything else stays as it is."""
    if type(value) is not str:
        return value
    if value[:1] not in _OPENERS and value.lstrip()[:1] not in _OPENERS:
        return value
    for _ in range(2):
        if not isinstance(value, str) or value.lstrip()[:1] not in _OPENERS:
            return value
        try:
            value = msgspec.json.decode(value)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return _as_whole_json(value)
    return value


def _as_whole_json(text: str) -> Json:
    """Decode JSON with halves of surrogate pairs, which length limits make of emoji; else keep the text."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    try:
        found: Json = json.loads(text)
        whole = json.dumps(found, ensure_ascii=False).encode("utf-16", "surrogatepass")
        return msgspec.json.decode(whole.decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return text


def as_texts(value: Json) -> tuple[str, ...]:
    """Read a list of texts, JSON of one, or words between commas."""
    found = as_json(value)
    if is_list(found):
        return tuple(text for item in found if (text := as_text(item)))
    text = as_text(found)
    return tuple(part.strip() for part in text.split(",") if part.strip())


def unflatten(attributes: Mapping[str, Json], prefix: str) -> list[Json]:
    """Rebuild a list from `prefix.<number>.<path>` names, whatever their order and gaps."""
    start = f"{prefix}."
    tree: dict[str, Tree] = {}
    for name, value in attributes.items():
        if name.startswith(start):
            _insert(tree, name[len(start) :].split("."), value)
    built = _build(tree)
    return list(built) if is_list(built) else []


def _insert(tree: dict[str, Tree], path: Sequence[str], value: Json) -> None:
    for step in path[:-1]:
        below = tree.get(step)
        if not isinstance(below, dict):
            below = tree[step] = {}
        tree = below
    tree.setdefault(path[-1], value)


def _build(tree: Tree) -> Json:
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdecimal() for key in tree):
        return [_build(tree[key]) for key in sorted(tree, key=int)]
    return {key: _build(value) for key, value in tree.items()}
