"""Token usage of Bedrock to exclusive buckets; no prices.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
"""

from collections.abc import Mapping

from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.dialects.usage.counts import count_of, has_count


def read_usage(values: Json, service_tier: str = "") -> Usage | None:
    """Reduce to buckets; `inputTokens` excludes the cache, `outputTokens` includes thinking.

    Cache writes that `cacheDetails` does not split by lifetime are 5 minutes. Models differ in whether
    `totalTokens` counts the cache, so either sum is right and any other a mismatch, and so is an answer to
    nothing. None when the host gave no counts, or nothing but zeros.
    """
    if not isinstance(values, dict) or not has_count(values, "inputTokens", "outputTokens"):
        return None
    fresh, out = _count(values.get("inputTokens")), _count(values.get("outputTokens"))
    read, written = _count(values.get("cacheReadInputTokens")), _count(values.get("cacheWriteInputTokens"))
    long, is_split_off = _long_writes(values.get("cacheDetails"), written)
    total = values.get("totalTokens")
    counts = (fresh, out, read, written)
    sums = (fresh + out, fresh + out + read + written)
    if not any(counts):
        return None
    is_total_off = total is not None and _count(total) not in sums
    return Usage(
        in_fresh=max(0, fresh),
        in_cache_read=max(0, read),
        in_cache_write_5m=max(0, written - long),
        in_cache_write_1h=max(0, long),
        out_text=max(0, out),
        is_mismatch=is_total_off or is_split_off or min(counts) < 0 or not fresh + read + written,
        service_tier=service_tier,
    )


def read_tier(values: Mapping[str, Json]) -> str:
    """Return what the call was served as, where that has a price of its own."""
    performance = values.get("performanceConfig")
    if isinstance(performance, Mapping) and performance.get("latency") == "optimized":
        return "latency_optimized"
    tier = values.get("serviceTier")
    name = tier.get("type") if isinstance(tier, Mapping) else None
    return name if isinstance(name, str) else ""


def _long_writes(details: Json, written: int) -> tuple[int, bool]:
    """Return the writes of one hour, and whether the split does not add up to all writes."""
    if not isinstance(details, list) or not details:
        return 0, False
    by_ttl: dict[Json, int] = {}
    for item in details:
        if isinstance(item, dict):
            ttl = item.get("ttl") if isinstance(item.get("ttl"), str) else ""
            by_ttl[ttl] = by_ttl.get(ttl, 0) + _count(item.get("inputTokens"))
    is_split_off = sum(by_ttl.values()) != written
    return (0 if is_split_off else by_ttl.get("1h", 0)), is_split_off


def _count(value: Json) -> int:
    return count_of(value) or 0
