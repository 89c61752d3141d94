"""Token usage of OpenAI chat to exclusive buckets and back; no prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sternpost.base.money import NanoUsd, nanousd_from_usd
from sternpost.contracts.message import Json
from sternpost.contracts.provider import Quirks
from sternpost.contracts.usage import Usage
from sternpost.dialects.usage.counts import count_of, has_count


@dataclass(slots=True)
class _Counts:
    prompt: int
    completion: int
    total: int | None
    cached: int
    cache_write: int
    audio_in: int
    image_in: int
    cached_audio: int  # of `cached`, where the host tells
    cached_image: int
    reasoning: int
    audio_out: int
    image_out: int

    def inside(self) -> tuple[int, ...]:
        """Return what `prompt_tokens` includes beside fresh text."""
        return (self.cached, self.cache_write, self.audio_in, self.image_in)


def read_usage(values: Json, quirks: Quirks, service_tier: str = "") -> Usage | None:
    """Reduce to buckets that never overlap; None when the host gave no counts, or nothing but zeros.

    A count that can't be split without going below zero stays whole, and is flagged as a mismatch, and so is
    an answer to nothing. Where the total proves that reasoning is counted beside `completion_tokens`, it wins
    over the quirk.
    """
    if not isinstance(values, dict):
        return None
    reported = _reported_cost(values) if quirks.is_usage_cost_reported else None
    is_counted = has_count(values, "prompt_tokens", "completion_tokens")
    if not is_counted and reported is None:
        return None
    counts = _read_counts(values)
    is_odd = _make_whole(counts, is_reasoning_inside=_is_reasoning_inside(counts, quirks))
    units = _read_units(values)
    if not (counts.prompt or counts.completion or units or reported):
        return None
    return Usage(
        in_fresh=counts.prompt - sum(counts.inside()),
        in_cache_read=counts.cached,
        in_cache_write_5m=counts.cache_write,
        in_audio=counts.audio_in,
        in_image=counts.image_in,
        out_text=counts.completion - counts.reasoning - counts.audio_out - counts.image_out,
        out_reasoning=counts.reasoning,
        out_audio=counts.audio_out,
        out_image=counts.image_out,
        units=units,
        is_mismatch=is_odd or (is_counted and not counts.prompt),
        service_tier=service_tier,
        reported_nanousd=reported,
    )


def _read_counts(values: Mapping[str, Json]) -> _Counts:
    inside = _object(values.get("prompt_tokens_details"))
    outside = _object(values.get("completion_tokens_details"))
    cached = count_of(inside.get("cached_tokens"))
    if cached is None:  # DeepSeek, Moonshot
        cached = count_of(values.get("prompt_cache_hit_tokens")) or count_of(values.get("cached_tokens"))
    prompt = count_of(values.get("prompt_tokens"))
    if prompt is None:
        prompt = (cached or 0) + (count_of(values.get("prompt_cache_miss_tokens")) or 0)
    kept = _object(inside.get("cached_tokens_details"))
    return _Counts(
        prompt=prompt,
        completion=count_of(values.get("completion_tokens")) or 0,
        total=count_of(values.get("total_tokens")),
        cached=cached or 0,
        cache_write=count_of(inside.get("cache_write_tokens")) or 0,
        audio_in=count_of(inside.get("audio_tokens")) or 0,
        image_in=count_of(inside.get("image_tokens")) or 0,
        cached_audio=count_of(kept.get("audio_tokens")) or 0,
        cached_image=count_of(kept.get("image_tokens")) or 0,
        reasoning=count_of(outside.get("reasoning_tokens")) or count_of(values.get("reasoning_tokens")) or 0,
        audio_out=count_of(outside.get("audio_tokens")) or 0,
        image_out=count_of(outside.get("image_tokens")) or 0,
    )


def _read_units(values: Mapping[str, Json]) -> dict[str, int]:
    """Read what OpenRouter counts beside tokens; OpenAI's chat counts none."""
    searches = count_of(_object(values.get("server_tool_use")).get("web_search_requests"))
    return {"web_search": searches} if searches else {}


def _is_reasoning_inside(counts: _Counts, quirks: Quirks) -> bool:
    if counts.total is None or not counts.reasoning:
        return quirks.is_reasoning_inside
    if counts.total == counts.prompt + counts.completion + counts.reasoning:
        return False
    if counts.total == counts.prompt + counts.completion:
        return True
    return quirks.is_reasoning_inside


def _make_whole(counts: _Counts, *, is_reasoning_inside: bool) -> bool:
    """Make every part fit into its total, reasoning included; return whether the host contradicts itself."""
    if not is_reasoning_inside:
        counts.completion += counts.reasoning
    if counts.audio_in or counts.image_in:
        _take_apart(counts)
    inside = counts.inside()
    outside = (counts.reasoning, counts.audio_out, counts.image_out)
    is_odd = counts.total is not None and counts.total != counts.prompt + counts.completion
    if sum(inside) > counts.prompt or min(inside) < 0:
        counts.prompt = max(0, counts.prompt)
        counts.cached = counts.cache_write = counts.audio_in = counts.image_in = 0
        is_odd = True
    if sum(outside) > counts.completion or min(outside) < 0:
        counts.completion = max(0, counts.completion)
        counts.reasoning = counts.audio_out = counts.image_out = 0
        is_odd = True
    return is_odd


def _take_apart(counts: _Counts) -> None:
    """Count sound or pictures that were cached once: they stand in both details of the prompt.

    Where the host does not say how many were, they count as cached as far as the text does not suffice.
    """
    if 0 <= counts.cached_audio <= min(counts.audio_in, counts.cached):
        counts.audio_in -= counts.cached_audio
    if 0 <= counts.cached_image <= min(counts.image_in, counts.cached):
        counts.image_in -= counts.cached_image
    fresh = counts.prompt - counts.cached - counts.cache_write
    is_sound = (
        min(counts.audio_in, counts.image_in) >= 0 and counts.audio_in + counts.image_in <= counts.prompt
    )
    if is_sound and 0 <= fresh < counts.audio_in + counts.image_in:
        counts.image_in = min(counts.image_in, fresh)
        counts.audio_in = min(counts.audio_in, fresh - counts.image_in)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _reported_cost(values: Mapping[str, Json]) -> NanoUsd | None:
    """Read the money that a host reports, to the last digit: xAI's ticks are 10^-10 dollars each.

    With a key of one's own, OpenRouter's `cost` is its fee alone; the model's vendor bills the rest
    (openrouter.ai/docs, "Usage Accounting"). Perplexity writes an object with a total.
    """
    ticks = count_of(values.get("cost_in_usd_ticks"))
    if ticks is not None and ticks >= 0:
        return nanousd_from_usd(Decimal(ticks).scaleb(-10))
    cost = values.get("cost", values.get("estimated_cost"))  # the latter is what DeepInfra bills
    if isinstance(cost, Mapping):
        cost = cost.get("total_cost")
    usd = _amount(cost)
    if usd is None or values.get("is_byok") is not True:
        return None if usd is None else nanousd_from_usd(usd)
    upstream = _amount(_object(values.get("cost_details")).get("upstream_inference_cost"))
    return None if upstream is None else nanousd_from_usd(usd + upstream)


def _amount(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return None
    return Decimal(str(value))  # str: the shortest decimal, which is what the host wrote


def input_total(usage: Usage) -> int:
    return (
        usage.in_fresh
        + usage.in_cache_read
        + usage.in_cache_write_5m
        + usage.in_cache_write_1h
        + usage.in_audio
        + usage.in_image
    )


def output_total(usage: Usage) -> int:
    return usage.out_text + usage.out_reasoning + usage.out_audio + usage.out_image


def write_usage(usage: Usage) -> dict[str, Json]:
    """Write the buckets as OpenAI counts them: details inside their totals."""
    prompt, completion = input_total(usage), output_total(usage)
    cache_write = usage.in_cache_write_5m + usage.in_cache_write_1h
    details: dict[str, Json] = {"cached_tokens": usage.in_cache_read, "audio_tokens": usage.in_audio}
    if cache_write:
        details["cache_write_tokens"] = cache_write
    if usage.in_image:
        details["image_tokens"] = usage.in_image
    outside: dict[str, Json] = {
        "reasoning_tokens": usage.out_reasoning,
        "audio_tokens": usage.out_audio,
    }
    if usage.out_image:
        outside["image_tokens"] = usage.out_image
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": details,
        "completion_tokens_details": outside,
    }
