"""Whether a call fits the limits of its scopes; how counters count belongs to `backends/counters`."""

from sternpost.base.errors import RateLimited
from sternpost.contracts.call import LimitEntry, Principal
from sternpost.contracts.counters import Claim
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.state.traffic import Plan


def reserve(call: OpenCall, plan: Plan) -> None:
    """Take a place in every limit at once; the call holds the lease, 0 when nothing is held.

    Raises: RateLimited.
    """
    limits = call.services.traffic().limits
    if not limits:
        return
    claims = claims_of(limits, call.owner, call.attributes.user_id, plan)
    if not claims:
        return
    verdict = call.services.counters.admit([claim for claim, _ in claims], call.services.clock.monotonic_ns())
    if verdict.is_admitted:
        call.lease = verdict.lease
        return
    refused_by = next((limit for claim, limit in claims if claim.counter == verdict.refused_by), claims[0][1])
    raise RateLimited(_sentence(refused_by, verdict.refused_by), retry_after_s=verdict.retry_after_s)


def claims_of(
    limits: tuple[LimitEntry, ...], principal: Principal, user: str, plan: Plan
) -> list[tuple[Claim, LimitEntry]]:
    """Return what the call asks of each limit that applies to it."""
    subjects = {
        "project": (principal.project_id,),
        "key": (principal.key_id, principal.key_name),
        "user": (user,),
        "model": (plan.targets[0].name, plan.targets[0].target.model),
        "route": (plan.route,),
    }
    claims: list[tuple[Claim, LimitEntry]] = []
    for limit in limits:
        names = subjects[limit.scope]
        if not names[0] or (limit.name and limit.name not in names):
            continue
        counter = f"{limit.scope}/{names[0]}"
        if limit.requests_per_minute is not None:
            claims.append((Claim(f"{counter}/rpm", per_minute=limit.requests_per_minute), limit))
        if limit.concurrency is not None:
            claims.append((Claim(f"{counter}/concurrency", concurrency=limit.concurrency), limit))
    return claims


def _sentence(limit: LimitEntry, counter: str) -> str:
    if counter.endswith("/concurrency"):
        what = f"{limit.concurrency} calls at once"
    else:
        what = f"{limit.requests_per_minute} requests per minute"
    return f"the limit of {what} for this {limit.scope} is reached; wait as Retry-After says"
