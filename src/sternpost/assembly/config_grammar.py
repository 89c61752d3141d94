"""The grammar of `sternpost.yaml`: what calls need, and sections of capabilities; `config_file` reads it."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator

from sternpost import capabilities
from sternpost.base.config_section import STRICT, ConfigSection
from sternpost.contracts.call import Dialect, FallbackCause, LimitEntry, Unsupported
from sternpost.contracts.provider import AuthStyle

T = TypeVar("T")


class _Strict(BaseModel):
    model_config = cast("ConfigDict", STRICT)


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


class ConfigFile(_Strict):
    """What `sternpost.yaml` may say; every part may be left out."""

    version: Literal[1] = 1
    providers: dict[str, ProviderEntry] = Field(default_factory=dict[str, ProviderEntry])
    routes: dict[str, RouteEntry] = Field(default_factory=dict[str, RouteEntry])
    limits: list[LimitEntry] = Field(default_factory=list[LimitEntry])

    def section(self, section: ConfigSection[T]) -> T:
        """Return what the file says of a capability."""
        said = cast("T | None", getattr(self, section.key, None))
        return section.default() if said is None else said


def _sections() -> Iterator[ConfigSection[object]]:
    """Yield what capabilities declare, by looking into their folders."""
    folder = Path(capabilities.__path__[0])
    for noun in sorted(path.parent.name for path in folder.glob("*/config.py")):
        section: ConfigSection[object] = import_module(f"{capabilities.__name__}.{noun}.config").SECTION
        yield section


_OF_CAPABILITIES: dict[str, Any] = {
    one.key: (
        one.grammar,
        Field(one.default()) if is_dataclass(one.grammar) else Field(default_factory=one.default),
    )
    for one in _sections()
}
# The whole grammar: `ConfigFile` with a field for each section of a capability.
GRAMMAR: Final[type[ConfigFile]] = create_model(
    ConfigFile.__name__,
    __doc__=ConfigFile.__doc__,
    __base__=ConfigFile,
    __module__=__name__,
    **_OF_CAPABILITIES,
)
