"""The words of an explanation: what classes, steps, statuses and reasons mean, and what to do; no numbers."""

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "in_fresh": "fresh input",
    "in_cache_read": "input read from the cache",
    "in_cache_write_5m": "input written to the cache for 5 minutes",
    "in_cache_write_1h": "input written to the cache for an hour",
    "in_audio": "audio in",
    "in_image": "pictures in",
    "out_text": "output",
    "out_reasoning": "reasoning",
    "out_audio": "audio out",
    "out_image": "pictures out",
    "request": "the request itself",
    "web_search": "web searches",
    "web_fetch": "web pages fetched",
    "file_search": "file searches",
    "code_exec": "runs of code",
    "image_generation": "pictures made by a tool",
}
STEPS: Final[Mapping[str, str]] = {
    "override": "among your own prices in sternpost.yaml",
    "exact": "by its exact name or an alias of it",
    "dated": "by its name without the date",
    "family_rule": "by a rule of the table for a family of names",
}
STATUSES: Final[Mapping[str, str]] = {
    "provider_reported": "the provider returned this amount with its answer",
    "computed": "the provider's counts times the prices below",
    "estimated": "an estimate",
    "unknown": "unknown, which is not zero",
    "free": "free of charge",
}
REASONS: Final[Mapping[str, str]] = {
    "no_usage": "the answer carried no token counts",
    "cut_stream": "the stream was cut, so the counts are what had arrived",
    "refused": "the provider answered with an error, and bills nothing for that",
    "not_sent": "nothing was sent to a provider",
    "no_answer": "no provider answered, and one that had begun may bill it all the same",
    "cancelled": "the caller left before the answer, and the provider may bill it all the same",
    "tokenizer_estimate": "the tokens are estimated, not counted by the provider",
    "model_unmatched": "no row of the price table fits the name of the model",
    "price_missing": "the row of this model has no price that was in force",
    "bucket_unpriced": "a class of tokens in this call has no price",
    "unit_unpriced": "a tool that ran at the provider has no price",
    "variant_missing": "the row has no price for what was asked of it, so the nearest one is used",
    "class_unpriced": "audio or pictures have no price of their own in the row, so they pay that of text",
    "region_unpriced": "the table has no price for this region; it may be higher there",
    "usage_mismatch": "the provider's counts contradict each other",
    "computed_differs": "our own sum is more than 1 % off the provider's amount",
    "client_reported": "the application reported this amount; no price is known here",
    "provider_by_model": "nobody named the provider, so the price is that of the model's own vendor",
    "family_rule": "the row was found by a rule for a family of names",
}
_OWN_PRICE: Final = (
    "Write its price under `prices:` in sternpost.yaml (docs/how-to/explain-a-cost.md); "
    "calls from then on are priced with it."
)
ADVICE: Final[Mapping[str, str]] = {
    "no_usage": "Some hosts send counts only when asked: see whether the provider's page of the "
    "documentation names a setting; a reply without counts can't be priced.",
    "no_answer": "Compare with the provider's bill; nothing was counted here.",
    "cancelled": "Compare with the provider's bill; nothing was counted here.",
    "model_unmatched": _OWN_PRICE,
    "price_missing": _OWN_PRICE,
    "bucket_unpriced": _OWN_PRICE,
    "unit_unpriced": "Write the price of one use under `units_usd` of the model's entry in `prices:`.",
    "variant_missing": "Write an entry with `service_tier`, `batch_factor` or `cache_write_1h_usd` under "
    "`prices:` to make it exact.",
    "class_unpriced": "Write `input_audio_usd`, `output_audio_usd` or `output_image_usd` under `prices:` "
    "to make it exact.",
    "region_unpriced": "Write an entry with `region` under `prices:` to make it exact.",
    "usage_mismatch": "Look at `provider_usage` among the span's attributes: it is what the provider wrote.",
    "computed_differs": "The provider's amount counts. A discount or a new price would explain the gap.",
    "client_reported": _OWN_PRICE,
}
