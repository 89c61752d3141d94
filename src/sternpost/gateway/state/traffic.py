"""What the configuration says about calls, prepared for look-ups; replaced as a whole on a change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sternpost.contracts.call import Dialect, LimitEntry, Route, Target, TimeLimits, Unsupported
from sternpost.contracts.provider import Catalog, ModelFacts, Provider
from sternpost.dialects.protocols import UpstreamCodec


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """A target with what is known about it."""

    target: Target
    provider: Provider
    facts: ModelFacts | None
    name: str  # provider/model
    codec: UpstreamCodec  # of the dialect spoken to the provider
    headers: Mapping[str, str]  # of every request to it
    whole_url: str
    stream_url: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a call may go, in order."""

    asked: str
    route: str  # empty: a model was named, not a route
    targets: tuple[PlannedTarget, ...]
    limits: TimeLimits
    hold_s: float
    unsupported: Unsupported = "drop"
    cache_ttl: Literal["5m", "1h"] | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Made by `traffic_of`. `owners`: bare model name -> the providers that know it."""

    catalog: Catalog
    routes: Mapping[str, Route]
    limits: tuple[LimitEntry, ...]
    owners: Mapping[str, tuple[str, ...]]
    # What names resolved to; the cache dies with the traffic it was made from.
    plans: dict[tuple[str, Dialect | None], Plan] = field(
        default_factory=dict[tuple[str, Dialect | None], Plan], repr=False, compare=False
    )


def traffic_of(catalog: Catalog, routes: Iterable[Route] = (), limits: Iterable[LimitEntry] = ()) -> Traffic:
    """Prepare what a call asks for: routes by name and the owners of bare model names."""
    owners: dict[str, tuple[str, ...]] = {}
    for facts in catalog.models.values():
        owners[facts.name] = (*owners.get(facts.name, ()), facts.provider)
    return Traffic(catalog, {route.name: route for route in routes}, tuple(limits), owners)
