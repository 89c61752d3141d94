"""What a call cost, from the usage in its reply; the price table belongs to `capabilities/cost`."""

from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import urlsplit

from sternpost.base.money import NanoUsd
from sternpost.contracts.provider import Provider
from sternpost.contracts.usage import Cost, CostStatus, Usage
from sternpost.dialects.protocols import ReplySummary
from sternpost.dialects.registry import DIALECTS
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.state.traffic import PlannedTarget

_FIRST_ERROR: Final = 400
NOT_SENT: Final = Cost(CostStatus.FREE, NanoUsd(0), reason="not_sent")
REFUSED: Final = Cost(CostStatus.FREE, NanoUsd(0), reason="refused")


def of(planned: PlannedTarget, summary: ReplySummary, started_ns: int, services: GatewayServices) -> Cost:
    """Price a reply at the rates in force when its call started."""
    return of_model(planned.provider, planned.target.model, summary, started_ns=started_ns, services=services)


def of_model(
    provider: Provider,
    model: str,
    summary: ReplySummary,
    *,
    started_ns: int,
    services: GatewayServices,
    processing: str = "",
) -> Cost:
    """Price a reply of a model. processing: `batch` for a line of a provider's batch."""
    base_model = provider.deployments.get(model)  # a deployment answers with any name it likes
    named = base_model or summary.model or model
    return services.price(
        provider=provider.name,
        model=DIALECTS[provider.dialect].priced_model(named),
        fallback_model=base_model or model,
        usage=_placed(summary.usage, provider),
        started_ns=started_ns,
        is_free=provider.is_free,
        processing=processing,
    )


def _placed(usage: Usage | None, provider: Provider) -> Usage | None:
    """Say where the account is, unless the reply says where the call ran."""
    region = provider.options.get("region") or _region_of_host(provider.base_url)
    return replace(usage, region=region) if usage is not None and region and not usage.region else usage


@lru_cache(maxsize=256)
def _region_of_host(base_url: str) -> str:
    """Read the region that OpenAI and xAI put before their host: `eu.api.openai.com`."""
    region, _, host = (urlsplit(base_url).hostname or "").partition(".")
    return region if host in ("api.openai.com", "api.x.ai") else ""


def of_unanswered(call: OpenCall, reason: Literal["cancelled", "no_answer"]) -> Cost:
    """Price a call without an answer: an error answer is not billed, a silence or a broken answer may be.

    reason: why the answer is not there, where it may be billed all the same.
    """
    if not call.is_billed:
        sent = [attempt for attempt in call.attempts if attempt.span_id not in call.unsent]
        if not sent:
            return NOT_SENT
        if all(attempt.http_status >= _FIRST_ERROR for attempt in sent):
            return REFUSED
    return Cost(CostStatus.UNKNOWN, reason=reason)
