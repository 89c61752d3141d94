"""Token usage of the Responses API to exclusive buckets and back; no prices."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sternpost.contracts.message import Json
from sternpost.contracts.provider import Quirks
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat import usage as chat
from sternpost.dialects.openai_responses.names import UNIT_OF_ITEM


def read_usage(
    values: Json, quirks: Quirks, service_tier: str = "", *, item_types: Iterable[str] = ()
) -> Usage | None:
    """Reduce to buckets; the counts are those of a chat completion under other names.

    item_types: the types of the output's items: tools that ran at the provider are billed by the call.
    """
    if not isinstance(values, Mapping):
        return None
    renamed = {_CHAT_NAMES.get(name, name): value for name, value in values.items()}
    usage = chat.read_usage(renamed, quirks, service_tier)
    units = Counter(UNIT_OF_ITEM[kind] for kind in item_types if kind in UNIT_OF_ITEM)
    return replace(usage, units=dict(units)) if usage is not None and units else usage


_CHAT_NAMES = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}


def write_usage(usage: Usage) -> dict[str, Json]:
    """Write the buckets as the Responses API counts them: details inside their totals."""
    taken, given = chat.input_total(usage), chat.output_total(usage)
    return {
        "input_tokens": taken,
        "input_tokens_details": {
            "cached_tokens": usage.in_cache_read,
            "cache_write_tokens": usage.in_cache_write_5m + usage.in_cache_write_1h,
        },
        "output_tokens": given,
        "output_tokens_details": {"reasoning_tokens": usage.out_reasoning},
        "total_tokens": taken + given,
    }
