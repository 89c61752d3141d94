"""What a call cost, from what was read of its reply; the table of prices belongs to `capabilities/cost`."""

from collections.abc import Sequence

from windlass.contracts.call import AttemptRecord
from windlass.contracts.dialect import ReplySummary
from windlass.contracts.usage import Cost, CostStatus
from windlass.dialects.registry import PRICED_NAMES
from windlass.gateway.rig import Rig
from windlass.gateway.traffic import PlannedTarget


def of(planned: PlannedTarget, summary: ReplySummary, started_ns: int, rig: Rig) -> Cost:
    """Price a reply at the rates in force when its call started."""
    provider = planned.provider
    base_model = provider.deployments.get(planned.target.model)  # a deployment answers with any name it likes
    named = base_model or summary.model or planned.target.model
    read_name = PRICED_NAMES.get(provider.dialect)
    return rig.price(
        provider=provider.name,
        model=read_name(named) if read_name else named,
        fallback_model=base_model or planned.target.model,
        usage=summary.usage,
        started_ns=started_ns,
        is_free=provider.is_free,
    )


def of_unfinished(attempts: Sequence[AttemptRecord]) -> Cost | None:
    """Say that a provider was asked and may bill, though its answer was not awaited; None: nobody was."""
    return Cost(CostStatus.UNKNOWN, reason="cancelled") if attempts else None
