"""Token usage as exclusive buckets, and what a call cost; not how a provider reports them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sternpost.base.money import NanoUsd


class UsageSource(StrEnum):
    PROVIDER = "provider"
    PARTIAL = "partial"  # a cut or cancelled stream: what had arrived
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call in buckets that never overlap; every price applies to one bucket."""

    in_fresh: int = 0
    in_cache_read: int = 0
    in_cache_write_5m: int = 0
    in_cache_write_1h: int = 0
    in_audio: int = 0
    in_image: int = 0
    out_text: int = 0
    out_reasoning: int = 0
    out_audio: int = 0
    out_image: int = 0
    units: Mapping[str, int] = field(default_factory=dict[str, int])  # web_search, code_exec, ...
    source: UsageSource = UsageSource.PROVIDER
    is_mismatch: bool = False  # the buckets do not add up to the provider's own total
    service_tier: str = ""  # as returned, not as requested
    region: str = ""  # where it ran, as returned; prices differ
    reported_nanousd: NanoUsd | None = None  # some hosts return money


class CostStatus(StrEnum):
    PROVIDER_REPORTED = "provider_reported"
    COMPUTED = "computed"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost. `nanousd` is None exactly when `status` is unknown."""

    status: CostStatus
    nanousd: NanoUsd | None = None
    parts: Mapping[str, int] = field(default_factory=dict[str, int])  # bucket -> nano-USD
    price_version: str = ""
    reason: str = ""  # why not computed: no_usage, cut_stream, model_unmatched, variant_missing, ...
    rates: Mapping[str, int] = field(default_factory=dict[str, int])  # bucket -> pico-USD per token or unit
    basis: Mapping[str, str] = field(default_factory=dict[str, str])  # which row of prices, and why that one
    saved_nanousd: int | None = None  # by the provider's prompt cache, against fresh input; may be negative
