"""Cohere's token usage to exclusive buckets; no prices.

Cohere reports twice: `billed_units` is what the bill says, `tokens` what the model read and wrote, with
Cohere's own instructions around the prompt. Prices apply to billed units, so these fill the buckets, and
`tokens` only where a private deployment bills none. Billed can't be more than read or written: if it is, the
usage is flagged. `cached_tokens` are tokens of the prompt; those that fit into the billed input count as
cache reads, which cost what fresh input costs while Cohere publishes no other price.
Source: https://docs.cohere.com/reference/chat (usage), https://docs.cohere.com/docs/rate-limits and pricing.
"""

from collections.abc import Mapping

from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.dialects.usage.counts import count_of, has_count

_UNITS = {
    "search_units": "search_units",
    "classifications": "classifications",
    "images": "images",
    "pages": "pages",
}


def is_usage(values: Json) -> bool:
    return isinstance(values, dict) and ("billed_units" in values or "tokens" in values)


def read_usage(values: Json) -> Usage | None:
    """Read `usage` of a chat, or `meta` of the other endpoints; None when neither count is there."""
    if not isinstance(values, dict):
        return None
    billed, counted = _object(values.get("billed_units")), _object(values.get("tokens"))
    is_billed = has_count(billed, *billed)
    if not is_billed and not has_count(counted, *counted):
        return None
    source = billed if is_billed else counted
    input_tokens, output_tokens = _count(source, "input_tokens"), _count(source, "output_tokens")
    image_tokens = _count(billed, "image_tokens")
    cached = _count(values, "cached_tokens")
    if cached + image_tokens > input_tokens:
        cached = 0
    if image_tokens > input_tokens:  # embeddings of pictures are billed beside those of texts
        input_tokens += image_tokens
    units = {unit: count for name, unit in _UNITS.items() if (count := _count(billed, name))}
    if "images" in units and image_tokens:
        del units["images"]  # the same pictures, billed by their tokens
    return Usage(
        in_fresh=input_tokens - cached - image_tokens,
        in_cache_read=cached,
        in_image=image_tokens,
        out_text=output_tokens,
        units=units,
        is_mismatch=any(
            _is_more(billed, counted, name) or (count_of(source.get(name)) or 0) < 0
            for name in ("input_tokens", "output_tokens")
        ),
    )


def _is_more(billed: Mapping[str, Json], counted: Mapping[str, Json], name: str) -> bool:
    return name in counted and _count(billed, name) > _count(counted, name)


def _count(values: Mapping[str, Json], name: str) -> int:
    return max(0, count_of(values.get(name)) or 0)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
