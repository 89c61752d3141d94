"""Token usage of Anthropic messages to exclusive buckets and back; no prices."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat.usage import input_total
from sternpost.dialects.usage.counts import count_of, has_count

_UNITS = {
    "web_search_requests": "web_search",
    "web_fetch_requests": "web_fetch",
    "code_execution_requests": "code_exec",
}
_OWN_PASSES = frozenset({"message", "compaction"})


def read_usage(values: Json) -> Usage | None:
    """Reduce to buckets; `input_tokens` excludes both cache fields, `output_tokens` includes thinking.

    Without the split of cache writes by lifetime all of them are 5 minutes. None when the host gave no
    counts, or nothing but zeros; an answer to nothing is flagged.
    """
    if not isinstance(values, dict) or not has_count(values, "input_tokens", "output_tokens"):
        return None
    usage = _read_counts(values)
    passes = values.get("iterations")
    if isinstance(passes, Sequence) and not isinstance(passes, str) and passes:
        usage = _of_passes(usage, passes)
    units, is_answered = _read_units(values), bool(usage.out_text or usage.out_reasoning)
    is_asked = bool(input_total(usage))
    if not (is_asked or is_answered or units):
        return None
    tier, geo = values.get("service_tier"), values.get("inference_geo")
    return replace(
        usage,
        units=units,
        is_mismatch=usage.is_mismatch or not is_asked,
        # Fast mode is a `speed` beside the tier, with a price of its own.
        service_tier="fast" if values.get("speed") == "fast" else tier if isinstance(tier, str) else "",
        region=geo if isinstance(geo, str) and geo != "not_available" else "",
    )


def _of_passes(top: Usage, passes: Sequence[Json]) -> Usage:
    """Add up every pass of the model over one request; the counts above them leave a compaction's out.

    Source: docs, "Compaction", on `usage.iterations`. A pass of another kind, such as an advisor's, is billed
    at another model's price, so the sum is then not what the call cost.
    """
    kinds = [_object(one).get("type") for one in passes]
    ours = [
        _read_counts(_object(one)) for one, kind in zip(passes, kinds, strict=True) if kind in _OWN_PASSES
    ]
    if not ours:
        return replace(top, is_mismatch=True)
    return Usage(
        in_fresh=sum(one.in_fresh for one in ours),
        in_cache_read=sum(one.in_cache_read for one in ours),
        in_cache_write_5m=sum(one.in_cache_write_5m for one in ours),
        in_cache_write_1h=sum(one.in_cache_write_1h for one in ours),
        out_text=sum(one.out_text for one in ours),
        out_reasoning=sum(one.out_reasoning for one in ours),
        is_mismatch=len(ours) != len(passes) or any(one.is_mismatch for one in (top, *ours)),
    )


def _read_counts(values: Mapping[str, Json]) -> Usage:
    written = count_of(values.get("cache_creation_input_tokens"))
    split = _object(values.get("cache_creation"))
    short, long = (
        count_of(split.get("ephemeral_5m_input_tokens")),
        count_of(split.get("ephemeral_1h_input_tokens")),
    )
    is_split_off = bool(split) and written is not None and (short or 0) + (long or 0) != written
    if not split or is_split_off:
        short, long = written, 0
    counts = (
        count_of(values.get("input_tokens")) or 0,
        count_of(values.get("cache_read_input_tokens")) or 0,
        short or 0,
        long or 0,
        count_of(values.get("output_tokens")) or 0,
    )
    thinking = count_of(_object(values.get("output_tokens_details")).get("thinking_tokens")) or 0
    is_thinking_off = not 0 <= thinking <= counts[4]
    if is_thinking_off:
        thinking = 0
    return Usage(
        in_fresh=max(0, counts[0]),
        in_cache_read=max(0, counts[1]),
        in_cache_write_5m=max(0, counts[2]),
        in_cache_write_1h=max(0, counts[3]),
        out_text=max(0, counts[4]) - thinking,
        out_reasoning=thinking,
        is_mismatch=is_split_off or is_thinking_off or min(counts) < 0,
    )


def merge_usage(seen: dict[str, Json], update: Json) -> None:
    """Overwrite what a later event repeats: its counts are cumulative and must never be added."""
    if not isinstance(update, Mapping):
        return
    seen.update({name: value for name, value in update.items() if value is not None})


def _read_units(values: Mapping[str, Json]) -> dict[str, int]:
    used = _object(values.get("server_tool_use"))
    return {unit: count for name, unit in _UNITS.items() if (count := count_of(used.get(name)))}


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def write_usage(usage: Usage) -> dict[str, Json]:
    """Write the buckets as Anthropic counts them: the cache beside the input, all output in one."""
    written: dict[str, Json] = {
        "input_tokens": usage.in_fresh + usage.in_audio + usage.in_image,
        "cache_creation_input_tokens": usage.in_cache_write_5m + usage.in_cache_write_1h,
        "cache_read_input_tokens": usage.in_cache_read,
        "output_tokens": usage.out_text + usage.out_reasoning + usage.out_audio + usage.out_image,
    }
    if usage.out_reasoning:
        written["output_tokens_details"] = {"thinking_tokens": usage.out_reasoning}
    if usage.in_cache_write_1h:
        written["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.in_cache_write_5m,
            "ephemeral_1h_input_tokens": usage.in_cache_write_1h,
        }
    return written
