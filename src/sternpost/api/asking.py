"""Who asks, as every route of the management API gets to know it: `asker: Asker` in its parameters.

`server` decides how senders are identified and puts that into the app; keys and sessions are the access
capability's. The door identifies who sends a body before it is read; the answer is kept with the request.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol, TypeAlias, cast

from fastapi import Depends, Request

from sternpost.contracts.call import Principal
from sternpost.contracts.event_log import Actor


class Identified(Protocol):
    """Somebody who was identified. `principal`: as the one whose work it is; `actor`: who makes a change."""

    @property
    def principal(self) -> Principal: ...

    @property
    def actor(self) -> Actor: ...


Identify: TypeAlias = Callable[[Request], Awaitable[Identified]]  # Raises: KeyRefused, PermissionRefused


async def identified(request: Request) -> Identified:
    """Return who asks, identified once for each request. Raises: KeyRefused, PermissionRefused."""
    known = cast("Identified | None", getattr(request.state, "identified", None))
    if known is None:
        known = await cast("Identify", request.app.state.identify)(request)
        keep_identified(request, known)
    return known


def keep_identified(request: Request, who: Identified) -> None:
    """Remember who asks, for the routes."""
    request.state.identified = who


async def principal_of(request: Request) -> Principal:
    """Return whose work it is. Raises: KeyRefused, PermissionRefused."""
    return (await identified(request)).principal


async def actor_of(request: Request) -> Actor:
    """Return who makes a change, for its event. Raises: KeyRefused, PermissionRefused."""
    return (await identified(request)).actor


def reader(asker: Principal) -> str:
    """Name whose share of reads is used: a key's, or that of who is signed in."""
    return f"{asker.project_id}/{asker.key_id or asker.key_name}"


Asker = Annotated[Principal, Depends(principal_of)]
Acting = Annotated[Actor, Depends(actor_of)]  # for the event of a change
