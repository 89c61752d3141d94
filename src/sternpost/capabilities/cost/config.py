"""`prices:` of sternpost.yaml, prices of one's own; whether one can be meant is checked in `overrides`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import ClassVar

from sternpost.base.config_section import STRICT, ConfigSection, told


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """A price of your own, in USD per million tokens; a class without one pays as input or as output."""

    __pydantic_config__: ClassVar = STRICT

    model: str = field(metadata=told("provider/model"))
    input_usd: Decimal
    output_usd: Decimal
    cache_read_usd: Decimal | None = None
    cache_write_usd: Decimal | None = field(
        default=None, metadata=told("Writing to the cache, for five minutes.")
    )
    cache_write_1h_usd: Decimal | None = field(
        default=None, metadata=told("For an hour; unset: twice the input, an estimate.")
    )
    input_audio_usd: Decimal | None = None
    input_image_usd: Decimal | None = None
    output_reasoning_usd: Decimal | None = None
    output_audio_usd: Decimal | None = None
    output_image_usd: Decimal | None = None
    request_usd: Decimal | None = field(default=None, metadata=told("For each request, beside its tokens."))
    units_usd: Mapping[str, Decimal] = field(
        default_factory=dict[str, Decimal],
        metadata=told("For one use of a tool at the provider, e.g. web_search: 0.01."),
    )
    batch_factor: Decimal | None = field(
        default=None, metadata=told("What share of the token prices a batch costs, e.g. 0.5.")
    )
    service_tier: str = field(
        default="", metadata=told("Only for this tier, as the provider returns it: flex, batch.")
    )
    region: str = field(default="", metadata=told("Only for accounts in this region."))
    from_date: date | None = field(
        default=None, metadata=told("Valid from this day, 00:00 UTC.", alias="from")
    )
    until_date: date | None = field(
        default=None, metadata=told("Valid until this day, 00:00 UTC.", alias="until")
    )
    above_input_tokens: int = field(
        default=0,
        metadata=told("For requests with more input than this; also needs an entry without it.", ge=0),
    )


SECTION = ConfigSection("prices", list[PriceEntry], list[PriceEntry])
