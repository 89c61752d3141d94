"""Whether the price in the table is the price of a region; a region it knows nothing of makes an estimate."""

from collections.abc import Iterable
from dataclasses import dataclass

from sternpost.capabilities.cost.records import Factor, PriceMatch

_WORLDWIDE = frozenset({"", "global", "not_available"})
_AS_LISTED_AWS = ("us-east-", "us-west-")
# Rows that hold wherever they are asked: global profiles, and Claude's regional ones.
_ANYWHERE_AWS = ("global.", "regional.anthropic.")
# Google's Vertex price list has one price for these generations, whatever the endpoint.
_ONE_PRICE_GOOGLE = ("gemini-1.", "gemini-2.", "gemini-pro", "gemini-flash", "gemini-embedding", "gemma-")
# Claude on Vertex AI before Sonnet 4.5, when one price held for every endpoint.
_ONE_PRICE_CLAUDE = ("claude-3-", "claude-4-")
# The inference profiles of Bedrock name the part of the world they stay in.
_PROFILES = ("us", "eu", "apac", "jp", "au", "ca", "us-gov")


@dataclass(frozen=True, slots=True)
class RegionRule:
    """What a region does to the listed price of tokens."""

    factor: Factor = (1, 1)
    reason: str = ""


_LISTED = RegionRule()
_NOT_LISTED = RegionRule(reason="region_unpriced")


def region_rule(provider: str, model: str, region: str) -> RegionRule:
    """Say how the listed price of a model applies in a region. provider, model: names of the price table.

    Anthropic's US-only inference costs 1.1 times the price of every class of tokens (docs, "Data residency"),
    and so do Vertex AI's regional endpoints for Claude since Sonnet 4.5 (docs, "Cloud platform pricing").
    The rows of Bedrock are those of the US regions, and of profiles that cost the same anywhere
    (aws.amazon.com/bedrock/pricing). Elsewhere prices are often higher, and the table does not have them.
    """
    if region in _WORLDWIDE:
        return _LISTED
    if provider == "anthropic":
        return RegionRule(factor=(11, 10)) if region == "us" else _NOT_LISTED
    if provider == "aws":
        is_listed = model.startswith(_ANYWHERE_AWS) or region.startswith(_AS_LISTED_AWS) or region == "us"
        return _LISTED if is_listed else _NOT_LISTED
    if provider == "google" and model.startswith((*_ONE_PRICE_GOOGLE, *_ONE_PRICE_CLAUDE)):
        return _LISTED
    if provider == "google" and model.startswith("claude-"):
        return RegionRule(factor=(11, 10))
    return _NOT_LISTED


def region_of(match: PriceMatch, region: str, names: Iterable[str]) -> str:
    """Return where a call was served: as reported, or from the name of a Bedrock profile; "" if unknown."""
    if region in _WORLDWIDE:
        region = ""
    table = match.beneath or match
    if region or table.provider != "aws":
        return region
    return next((prefix for name in names if (prefix := name.partition(".")[0]) in _PROFILES), "")
