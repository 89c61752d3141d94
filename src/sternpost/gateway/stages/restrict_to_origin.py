"""Restricts a call that continues a stored response to the targets that can have it; sends nothing."""

from dataclasses import replace

from sternpost.base.errors import BadRequest
from sternpost.dialects.protocols import RequestHead
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.state.traffic import Plan


async def restrict_to_origin(call: OpenCall, head: RequestHead, plan: Plan) -> Plan:
    """Leave only targets that speak the caller's dialect, and of these only the account the id is from.

    An id of unknown origin goes to the one account there is. Raises: BadRequest when there is none, or
    several: another account than the one that made an id answers that it does not exist.
    """
    if not head.stored_field:
        return plan
    field = head.stored_field
    targets = tuple(target for target in plan.targets if target.codec is call.codec)
    if not targets:
        raise BadRequest(
            f"{field}: {plan.asked!r} is served by a provider without the Responses API, which stores nothing"
            " between calls; send the whole input instead",
            param=field,
        )
    if not head.stored_id:
        return replace(plan, targets=targets)
    project_id = call.owner.project_id
    origin = await call.services.origins.find(head.stored_id, project_id)
    if origin is not None and origin.project != project_id:
        raise BadRequest(f"{field}: nothing is stored under this id", param=field)
    if origin is not None:
        targets = tuple(target for target in targets if target.provider.name == origin.provider)
    elif len({target.provider.name for target in targets}) > 1:
        raise BadRequest(
            f"{field}: Sternpost does not know which provider of {plan.asked!r} made this id (it knows those"
            " of recorded calls); name the model as provider/model, or send the whole input",
            param=field,
        )
    if not targets:
        raise BadRequest(
            f"{field}: this id belongs to a provider that is not a target of {plan.asked!r}; use a"
            " model of that provider, or send the whole input",
            param=field,
        )
    return replace(plan, targets=targets)
