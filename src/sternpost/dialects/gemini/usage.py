"""Token usage of Gemini to exclusive buckets; no prices.

Source: https://ai.google.dev/api/generate-content#UsageMetadata: the prompt's count includes what was cached,
thoughts and the prompts of tools stand beside the other counts, and the total is the sum of the four.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.dialects.json_text.fields import text_or_empty
from sternpost.dialects.usage.counts import count_of, has_count

_SUMMED: Final = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
# Vertex AI says in its own words how a call was served.
_TIER_OF_TRAFFIC: Final[Mapping[str, str]] = {
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_PRIORITY": "priority",
}


@dataclass(slots=True)
class _Taken:
    """The prompt's tokens by kind, none of them cached. `is_odd`: the kinds contradict the prompt's count."""

    fresh: int
    audio: int
    image: int
    is_odd: bool = False


def read_usage(values: Json, *, searches: int = 0) -> Usage | None:
    """Reduce to buckets that never overlap; None when the host gave no counts, or nothing but zeros.

    searches: web searches of the reply, billed by their number. Counts that contradict each other stay whole
    and are flagged, and so is an answer to nothing.
    """
    if not isinstance(values, dict) or not has_count(values, *_SUMMED):
        return None
    prompt = _count(values, "promptTokenCount")
    cached = _count(values, "cachedContentTokenCount")
    candidates = _count(values, "candidatesTokenCount")
    thoughts = _count(values, "thoughtsTokenCount")
    tool_use = _count(values, "toolUsePromptTokenCount")
    if not (prompt or candidates or thoughts or tool_use or searches):
        return None
    sent = prompt + candidates + thoughts + tool_use
    total = count_of(values.get("totalTokenCount"))
    is_below = any((count_of(values.get(name)) or 0) < 0 for name in (*_SUMMED, "cachedContentTokenCount"))
    is_odd = cached > prompt or total not in (None, sent) or is_below or not prompt + tool_use
    if cached > prompt:
        cached = 0
    taken = _taken(values, prompt, cached)
    given = _by_modality(values.get("candidatesTokensDetails"))
    audio, image = given.get("AUDIO", 0), given.get("IMAGE", 0)
    if audio + image > candidates:
        audio = image = 0
        is_odd = True
    return Usage(
        in_fresh=taken.fresh + tool_use,
        in_cache_read=cached,
        in_audio=taken.audio,
        in_image=taken.image,
        out_text=candidates - audio - image,
        out_reasoning=thoughts,
        out_audio=audio,
        out_image=image,
        units={"web_search": searches} if searches else {},
        is_mismatch=is_odd or taken.is_odd,
        service_tier=_tier(values),
    )


def _taken(values: Mapping[str, Json], prompt: int, cached: int) -> _Taken:
    """Split what was not cached. Video and documents are priced as text is, so they stay with it.

    Without details of the cache, sound and pictures count as cached as far as the text does not suffice.
    """
    inside = _by_modality(values.get("promptTokensDetails"))
    kept = _by_modality(values.get("cacheTokensDetails"))
    audio = max(0, inside.get("AUDIO", 0) - kept.get("AUDIO", 0))
    image = max(0, inside.get("IMAGE", 0) - kept.get("IMAGE", 0))
    is_more_kept = bool(inside) and any(
        kept.get(kind, 0) > inside.get(kind, 0) for kind in ("AUDIO", "IMAGE")
    )
    if is_more_kept or inside.get("AUDIO", 0) + inside.get("IMAGE", 0) > prompt:
        return _Taken(prompt - cached, 0, 0, is_odd=True)
    image = min(image, prompt - cached)
    audio = min(audio, prompt - cached - image)
    return _Taken(prompt - cached - audio - image, audio, image)


def _by_modality(details: Json) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in details if isinstance(details, list) else ():
        if isinstance(item, dict):
            name = text_or_empty(item.get("modality"))
            found[name] = found.get(name, 0) + _count(item, "tokenCount")
    return found


def _count(values: Mapping[str, Json], name: str) -> int:
    return max(0, count_of(values.get(name)) or 0)


def _tier(values: Mapping[str, Json]) -> str:
    told = text_or_empty(values.get("serviceTier")).lower()
    return told or _TIER_OF_TRAFFIC.get(text_or_empty(values.get("trafficType")), "")
