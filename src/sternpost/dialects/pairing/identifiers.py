"""Identifiers no longer than a target takes, the same every time; it knows no target."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from sternpost.dialects.json_text.raw_object import read_value

# Of OpenAI: `user`, `safety_identifier`, `prompt_cache_key` and `call_id`; a longer one is answered 400
# (string_above_max_length). Hosts that speak its dialects copy that, or take more.
ID_CHARS: Final = 64
_NAMED: Final = frozenset({"user", "safety_identifier", "prompt_cache_key"})
_MOST_PAIRS: Final = 16  # of metadata, and how long each may be
_KEY_CHARS: Final = 64
_VALUE_CHARS: Final = 512
_DIGEST: Final = 32


def shortened(identifier: str, most: int) -> str:
    """Return the identifier, or a digest of one that is longer, so that two never meet."""
    return identifier if len(identifier) <= most else digest(identifier)[:most]


def digest(identifier: str) -> str:
    """Return what stands for an identifier and tells nothing of it."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:_DIGEST]


def shorten_fields(fields: dict[str, msgspec.Raw | bytes]) -> Iterator[str]:
    """Shorten the identifiers at the top of a request of OpenAI's, and name those that were."""
    for name in _NAMED & fields.keys():
        raw = fields[name]
        if len(memoryview(raw)) <= ID_CHARS + 2:
            continue
        value = read_value(msgspec.Raw(bytes(raw)))
        if isinstance(value, str) and len(value) > ID_CHARS:
            fields[name] = msgspec.json.encode(shortened(value, ID_CHARS))
            yield f"{name} (shortened)"


def fitting_metadata(metadata: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the pairs as OpenAI takes them, and names of what had to change."""
    fitting = {
        name: shortened(value, _VALUE_CHARS) for name, value in metadata.items() if len(name) <= _KEY_CHARS
    }
    kept = dict(list(fitting.items())[:_MOST_PAIRS])
    named = [f"metadata.{name[:64]} (shortened)" for name, value in kept.items() if metadata[name] != value]
    if len(kept) < len(metadata):
        named.append(f"metadata ({len(kept)} of {len(metadata)} were kept)")
    return kept, named
