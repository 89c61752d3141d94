"""Token counts of foreign spans as exclusive buckets; prices are not applied here."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.values import as_count, as_json, is_mapping

# Keys that only an API's own usage has: then its totals include the details, whoever passes it on.
_RAW_USAGE: Final = frozenset(
    {
        *("prompt_tokens", "promptTokens", "prompt_token_count", "promptTokenCount", "input_tokens_details"),
        *(
            "prompt_tokens_details",
            "input_token_details",
            "completion_tokens_details",
            "output_tokens_details",
        ),
    }
)
_AUDIO: Final = {"input": "input_audio_tokens", "prompt": "input_audio_tokens"}  # else of the output
_TOTALS: Final = frozenset({"input_tokens", "output_tokens", "total_tokens"})
Count = Callable[[str], int | None]


def read_usage(attributes: Attributes, output: Mapping[str, Json] | None = None) -> Usage | None:
    """Read usage in either convention; None when the span reports none.

    Totals of OpenTelemetry, OpenInference and Vercel include cached tokens and reasoning; the buckets of
    Langfuse don't overlap. Source: the conventions' own texts, telemetry reference section 3.
    output: what comes beside the messages of the reply, for emitters that report usage there alone.
    """
    tier = attributes.text("service_tier")
    buckets = attributes.json("usage_buckets")
    if is_mapping(buckets):
        found = _from_object(buckets, tier) if _RAW_USAGE & buckets.keys() else _from_buckets(buckets, tier)
        if found:
            return found
    if usage := _from_totals(attributes.count, tier):
        return usage
    whole = attributes.json("usage_object")
    if is_mapping(whole) and (usage := _from_object(whole, tier)):
        return usage
    for name in ("usage", "usage_metadata", "usageMetadata", "token_usage") if output else ():
        inner = as_json(output.get(name)) if output else None
        if is_mapping(inner) and (usage := _from_object(inner, tier)):
            return usage
    return None


def _from_object(usage: Mapping[str, Json], tier: str) -> Usage | None:
    """Read the usage of a reply as an API wrote it, with its details one level down."""
    counts: dict[str, int] = {}
    for name, value in usage.items():
        if column := TABLE.usage_object_names.get(name):
            counts.setdefault(column, as_count(value) or 0)
        elif is_mapping(value) and "detail" in name:
            for inner, count in _details(name, value):
                counts.setdefault(inner, count)
    return _from_totals(counts.get, tier)


def _details(name: str, details: Mapping[str, Json]) -> Iterator[tuple[str, int]]:
    for inner, value in details.items():
        column = TABLE.usage_object_names.get(inner)
        if inner in ("audio_tokens", "audio"):
            column = _AUDIO.get(name.partition("_")[0], "output_audio_tokens")
        if column and column not in _TOTALS:
            yield column, as_count(value) or 0


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


def _from_totals(count: Count, tier: str) -> Usage | None:
    total_in, total_out = count("input_tokens"), count("output_tokens")
    if total_in is None and total_out is None:
        return None
    total_in, total_out = total_in or 0, total_out or 0
    read, write = count("cache_read_tokens") or 0, count("cache_write_tokens") or 0
    audio_in, image_in = count("input_audio_tokens") or 0, count("input_image_tokens") or 0
    reasoning, audio_out = count("reasoning_tokens") or 0, count("output_audio_tokens") or 0
    image_out, write_1h = count("output_image_tokens") or 0, count("cache_write_1h_tokens") or 0
    total = count("total_tokens")
    cached = read + write
    # Some emitters pass Anthropic's own counts through, where the input leaves cached tokens out: then the
    # parts exceed the whole, or the grand total contains them a second time.
    is_exclusive = cached + audio_in + image_in > total_in or (
        cached > 0 and total == total_in + total_out + cached
    )
    fresh = total_in if is_exclusive else total_in - cached - audio_in - image_in
    # Gemini's candidates leave thoughts out, which its total contains.
    beside = reasoning + audio_out + image_out
    is_outside = beside > total_out or (reasoning > 0 and total == total_in + total_out + reasoning)
    return Usage(
        in_fresh=fresh,
        in_cache_read=read,
        in_cache_write_5m=write - min(write_1h, write),
        in_cache_write_1h=min(write_1h, write) if write else write_1h,
        in_audio=audio_in,
        in_image=image_in,
        out_text=total_out if is_outside else total_out - beside,
        out_reasoning=reasoning,
        out_audio=audio_out,
        out_image=image_out,
        service_tier=tier,
        is_mismatch=total is not None and not _adds_up(total, total_in, total_out, cached, reasoning),
    )


def _adds_up(total: int, total_in: int, total_out: int, cached: int, reasoning: int) -> bool:
    whole = total_in + total_out
    return total in (whole, whole + cached, whole + reasoning, whole + cached + reasoning)
