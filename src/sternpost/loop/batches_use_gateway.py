"""Batches find their targets by the gateway's own rules, and price lines by the prices in force.

When a file is read, each line is held against the routes, the models of its key and the providers, as its
call will be. A line whose one target has a batch API is given to that; any other becomes a call of
`contracts.model_client`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sternpost.base.errors import SternpostError
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.batches.files.line_format import DIALECTS
from sternpost.capabilities.batches.provider_batches.targets import ProviderTarget
from sternpost.contracts.call import Principal
from sternpost.contracts.usage import Cost, Usage
from sternpost.dialects.json_text.raw_object import split_object
from sternpost.gateway.services import PriceCall
from sternpost.gateway.stages import named_models, route
from sternpost.gateway.state.traffic import Plan, Traffic


@dataclass(frozen=True, slots=True)
class GatewayTargets:
    """Implements `batches.provider_batches.targets.Models`. traffic: the routes and providers in force."""

    traffic: Callable[[], Traffic]

    def choose(self, url: str, model: str, principal: Principal) -> ProviderTarget | None:
        return _batch_target(self._plan(url, model, principal))

    def refuse_others(self, url: str, model: str, body: bytes, principal: Principal) -> None:
        named_models.check(split_object(body), principal, self._plan(url, model, principal))

    def target(self, provider: str, model: str, url: str) -> ProviderTarget | None:
        nobody = Principal(ProjectId(""), KeyId(""), "")
        try:
            return _batch_target(self._plan(url, f"{provider}/{model}", nobody))
        except SternpostError:
            return None

    def _plan(self, url: str, model: str, principal: Principal) -> Plan:
        spoken = None if url == "/v1/embeddings" else DIALECTS[url]
        return route.choose(model, principal, self.traffic(), spoken=spoken)


def _batch_target(plan: Plan) -> ProviderTarget | None:
    """A route with fallbacks keeps them: only the gateway can try them."""
    planned = plan.targets[0]
    api = planned.provider.batch_api
    if len(plan.targets) > 1 or not api:
        return None
    return ProviderTarget(
        planned.provider, planned.target.model, api, planned.codec, planned.facts, planned.headers
    )


@dataclass(frozen=True, slots=True)
class LinePrices:
    """Implements `batches.provider_batches.targets.PriceLine`."""

    price: PriceCall

    def __call__(
        self, target: ProviderTarget, answered_model: str, usage: Usage | None, started_ns: int
    ) -> Cost:
        base_model = target.provider.deployments.get(target.model)
        return self.price(
            provider=target.provider.name,
            model=base_model or answered_model or target.model,
            fallback_model=base_model or target.model,
            usage=usage,
            started_ns=started_ns,
            is_free=target.provider.is_free,
        )
