"""The grammar of `sternpost.yaml` as models; reading the file belongs to `config_file`."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sternpost.contracts.call import Dialect, FallbackCause, LimitScope, Unsupported
from sternpost.contracts.provider import AuthStyle


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ProviderEntry(_Strict):
    """A name of the catalogue, or any host with a dialect and a base URL."""

    like: str | None = Field(
        None, description="The provider of the catalogue at which this is another account, e.g. azure."
    )
    dialect: Dialect | None = Field(None, description="The dialect; needed for a host outside the catalogue.")
    also_speaks: tuple[Dialect, ...] | None = Field(
        None,
        description="Other dialects at the same address; their callers reach them untranslated.",
    )
    base_url: str | None = Field(
        None, description="Where the dialect's paths begin, e.g. http://host:9000/v1."
    )
    api_key: str | None = Field(
        None,
        description="The key, or ${VARIABLE} to read it from the environment; unset: the provider's usual"
        " variable, unless base_url leads to another site.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict[str, str], description="Headers added to every call."
    )

    @field_validator("headers", mode="before")
    @classmethod
    def _are_set(cls, given: object) -> object:
        """Refuse a header whose variable is unset: it would be sent empty."""
        for name, value in cast("dict[str, object]", given).items() if isinstance(given, dict) else ():
            if value is None:
                raise ValueError(f"{name!r} names a variable that is not set; set it, or leave it out")
        return cast("object", given)

    free: bool = Field(False, description="Calls are free of charge, e.g. a model on your own machine.")
    auth: AuthStyle | None = Field(
        None, description="How Sternpost authenticates; unset: by the host, and by whether there is a key."
    )
    region: str | None = Field(None, description="Where the account is, e.g. eu-central-1 (Bedrock, Vertex).")
    project: str | None = Field(None, description="The Google Cloud project (Vertex).")
    resource: str | None = Field(None, description="The name of the Azure OpenAI resource.")
    api_version: str | None = Field(
        None, description="A dated version of Azure's API, for its older addresses; unset: /openai/v1."
    )
    credentials_file: str | None = Field(
        None, description="A service account file (Vertex); unset: as Google finds it."
    )
    profile: str | None = Field(None, description="A profile of ~/.aws (Bedrock); unset: the default.")
    deployments: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="Your name for a model at the host -> the model, for prices and limits.",
    )

    @property
    def options(self) -> dict[str, str]:
        """Return what identifies the account, where it is set."""
        names = ("region", "project", "resource", "api_version", "credentials_file", "profile")
        return {name: value for name in names if (value := getattr(self, name))}


class TargetEntry(_Strict):
    model: str = Field(description="provider/model")
    when: list[FallbackCause] = Field(
        default_factory=list[FallbackCause],
        description="Try this target only after one of these causes; empty: after any.",
    )


class TimeoutEntry(_Strict):
    connect_s: Annotated[float, Field(gt=0)] = 5.0
    first_token_s: Annotated[float, Field(gt=0)] = 120.0
    idle_s: Annotated[float, Field(gt=0)] = 60.0
    total_s: Annotated[float, Field(gt=0)] = 600.0


class RouteEntry(_Strict):
    """A name that callers use as `model`."""

    targets: Annotated[list[TargetEntry], Field(min_length=1)]
    timeouts: TimeoutEntry | None = None
    hold_ms: Annotated[int, Field(ge=0)] = Field(
        1500, description="How long the status line of a stream waits for the first content."
    )
    prompt_cache: Literal["off", "auto"] = Field(
        "off",
        description="`auto` marks the prompt for the provider's own cache: after the tools, the system text"
        " and the last user turn.",
    )
    prompt_cache_ttl: Literal["5m", "1h"] = Field(
        "5m", description="How long the provider keeps what was marked, if it offers a choice."
    )
    unsupported: Unsupported = Field(
        "drop",
        description="What a target does not support: `drop` removes it and lists it in x-sternpost-warnings,"
        " `refuse` tries the next target, and answers 400 with its name if there is none.",
    )


class PriceEntry(_Strict):
    """A price of your own, in USD per million tokens; a class without one pays as input or as output."""

    model: str = Field(description="provider/model")
    input_usd: Decimal
    output_usd: Decimal
    cache_read_usd: Decimal | None = None
    cache_write_usd: Decimal | None = Field(None, description="Writing to the cache, for five minutes.")
    cache_write_1h_usd: Decimal | None = Field(
        None, description="For an hour; unset: twice the input, an estimate."
    )
    input_audio_usd: Decimal | None = None
    input_image_usd: Decimal | None = None
    output_reasoning_usd: Decimal | None = None
    output_audio_usd: Decimal | None = None
    output_image_usd: Decimal | None = None
    request_usd: Decimal | None = Field(None, description="For each request, beside its tokens.")
    units_usd: dict[str, Decimal] = Field(
        default_factory=dict[str, Decimal],
        description="For one use of a tool at the provider, e.g. web_search: 0.01.",
    )
    batch_factor: Decimal | None = Field(
        None, description="What share of the token prices a batch costs, e.g. 0.5."
    )
    service_tier: str = Field("", description="Only for this tier, as the provider returns it: flex, batch.")
    region: str = Field("", description="Only for accounts in this region.")
    from_date: date | None = Field(None, alias="from", description="Valid from this day, 00:00 UTC.")
    until_date: date | None = Field(None, alias="until", description="Valid until this day, 00:00 UTC.")
    above_input_tokens: Annotated[int, Field(ge=0)] = Field(
        0, description="For requests with more input than this; also needs an entry without it."
    )


class LimitEntry(_Strict):
    scope: LimitScope
    name: str = Field("", description="Which one; empty: each of them separately.")
    requests_per_minute: Annotated[int, Field(ge=0)] | None = None
    concurrency: Annotated[int, Field(ge=0)] | None = None


class OffPeakEntry(_Strict):
    """A window of the day in the wall-clock time of a zone; it may span midnight."""

    from_: str = Field(alias="from", description='When it opens, e.g. "22:00".')
    until: str = Field(description='When it closes, e.g. "06:00".')
    timezone: str = Field("UTC", description="e.g. Europe/Berlin.")


class BatchesEntry(_Strict):
    """How lines of batches are run."""

    concurrency: Annotated[int, Field(ge=1, le=500)] = Field(
        8, description="How many lines of all batches are in flight at once."
    )
    off_peak: OffPeakEntry | None = Field(
        None,
        description="Start lines only in this window; unset: at once. Providers' own batches never wait.",
    )
    use_providers: bool = Field(
        True, description="Send lines to a provider's own batch API if it has one, at its batch price."
    )
    poll_s: Annotated[float, Field(ge=0.1)] = Field(
        30.0, description="Seconds between two status checks of a provider's batch."
    )
    max_lines: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        50_000, description="How many lines a batch may have."
    )


class ConfigFile(_Strict):
    """What `sternpost.yaml` may say; every part may be left out."""

    version: Literal[1] = 1
    providers: dict[str, ProviderEntry] = Field(default_factory=dict[str, ProviderEntry])
    routes: dict[str, RouteEntry] = Field(default_factory=dict[str, RouteEntry])
    prices: list[PriceEntry] = Field(default_factory=list[PriceEntry])
    limits: list[LimitEntry] = Field(default_factory=list[LimitEntry])
    batches: BatchesEntry = BatchesEntry.model_validate({})
