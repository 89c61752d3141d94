"""Token counts of foreign spans as exclusive buckets; prices are not applied here."""

from collections.abc import Mapping

from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.values import as_count, is_mapping


def read_usage(attributes: Attributes) -> Usage | None:
    """Read usage in either convention; None when the span reports none.

    Totals of OpenTelemetry, OpenInference and Vercel include cached tokens and reasoning; the buckets of
    Langfuse don't overlap. Source: the conventions' own texts, telemetry reference section 3.
    """
    tier = attributes.text("service_tier")
    buckets = attributes.json("usage_buckets")
    if is_mapping(buckets) and (usage := _from_buckets(buckets, tier)):
        return usage
    total_in, total_out = attributes.count("input_tokens"), attributes.count("output_tokens")
    if total_in is None and total_out is None:
        return None
    return _from_totals(attributes, total_in or 0, total_out or 0, tier)


def _from_buckets(buckets: Mapping[str, Json], tier: str) -> Usage | None:
    counts: dict[str, int] = {}
    for name, value in buckets.items():
        bucket = TABLE.usage_bucket_names.get(name)
        count = as_count(value)
        if bucket and count is not None:
            counts[bucket] = counts.get(bucket, 0) + count
    total = as_count(buckets.get("total"))
    if not counts:
        return None
    is_mismatch = total is not None and total != sum(counts.values())
    return Usage(**counts, service_tier=tier, is_mismatch=is_mismatch)  # type: ignore[arg-type]  # only buckets


def _from_totals(attributes: Attributes, total_in: int, total_out: int, tier: str) -> Usage:
    read = attributes.count("cache_read_tokens") or 0
    write = attributes.count("cache_write_tokens") or 0
    audio_in = attributes.count("input_audio_tokens") or 0
    image_in = attributes.count("input_image_tokens") or 0
    reasoning = attributes.count("reasoning_tokens") or 0
    audio_out = attributes.count("output_audio_tokens") or 0
    total = attributes.count("total_tokens")
    cached = read + write
    # Some emitters pass Anthropic's own counts through, where the input leaves cached tokens out: then the
    # parts exceed the whole, or the grand total contains them a second time.
    is_exclusive = cached + audio_in + image_in > total_in or (
        cached > 0 and total == total_in + total_out + cached
    )
    fresh = total_in if is_exclusive else total_in - cached - audio_in - image_in
    is_reasoning_outside = reasoning + audio_out > total_out
    text = total_out if is_reasoning_outside else total_out - reasoning - audio_out
    return Usage(
        in_fresh=fresh,
        in_cache_read=read,
        in_cache_write_5m=write,
        in_audio=audio_in,
        in_image=image_in,
        out_text=text,
        out_reasoning=reasoning,
        out_audio=audio_out,
        service_tier=tier,
        is_mismatch=total is not None and not _adds_up(total, total_in, total_out, cached, reasoning),
    )


def _adds_up(total: int, total_in: int, total_out: int, cached: int, reasoning: int) -> bool:
    whole = total_in + total_out
    return total in (whole, whole + cached, whole + reasoning, whole + cached + reasoning)
