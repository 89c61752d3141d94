"""What a call cost, from what was read of its reply; the table of prices belongs to `capabilities/cost`."""

from dataclasses import replace

from windlass.contracts.dialect import ReplySummary
from windlass.contracts.usage import Cost, UsageSource
from windlass.gateway.rig import Rig
from windlass.gateway.traffic import PlannedTarget


def of(planned: PlannedTarget, summary: ReplySummary, started_ns: int, rig: Rig) -> Cost:
    """Price a reply at the rates in force when its call started."""
    provider = planned.provider
    return rig.price(
        provider=provider.name,
        model=summary.model or planned.target.model,
        fallback_model=planned.target.model,
        usage=summary.usage,
        started_ns=started_ns,
        is_free=provider.is_free,
    )


def as_partial(summary: ReplySummary) -> ReplySummary:
    """Mark usage as what had arrived before the end."""
    if summary.usage is None:
        return summary
    return replace(summary, usage=replace(summary.usage, source=UsageSource.PARTIAL))
