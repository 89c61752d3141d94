"""A part of `sternpost.yaml`: the word it stands under and its grammar; reading the file is `assembly`'s.

A grammar is a frozen dataclass whose fields say with `told` what they mean. It is imported without pydantic,
so the record that the file is read into is the one that everybody works with. A capability with a part of its
own declares it as `SECTION` in its `config.py`, where it is found by looking.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# What a grammar sets as its `__pydantic_config__`: words it does not know are errors.
STRICT: Final = {"extra": "forbid", "frozen": True, "allow_inf_nan": False}


def told(description: str, **rules: object) -> Mapping[str, object]:
    """Return the metadata of a field: what it means, its `alias` in the file, and bounds such as `ge=0`."""
    return {"description": description, **rules}


@dataclass(frozen=True, slots=True)
class ConfigSection(Generic[T]):
    """What the file may say under `key`; `default` makes what holds when it says nothing."""

    key: str
    grammar: type[T]
    default: Callable[[], T]
