"""The endpoints of keys and sign-in; errors become problem details in the server."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from sternpost.api.asking import identified
from sternpost.api.services import the
from sternpost.base.errors import BadRequest, KeyRefused, PermissionRefused
from sternpost.base.ids import KeyId
from sternpost.base.threads import in_thread
from sternpost.capabilities.access import rules, views
from sternpost.capabilities.access.browser import SignInAttempts, Site
from sternpost.capabilities.access.records import Caller, KeyLimits
from sternpost.capabilities.access.service import AccessService
from sternpost.contracts.key_scope import KeyScope


@dataclass(frozen=True, slots=True)
class NewKey:
    """`models` limits the key to these models and routes; `expires_at` is ISO 8601 with an offset.

    `scopes` say what it may do; by default those of an application. `environment`: null for that of the key
    that creates it, `production` for a person.
    """

    name: str
    models: list[str] = field(default_factory=list[str])
    expires_at: datetime | None = None
    scopes: list[KeyScope] | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Redeem:
    token: str  # of a sign-in link


async def sender_of(request: Request) -> Caller:
    """Return who sends a request, with the person or the key. Raises: KeyRefused, PermissionRefused."""
    return cast("Caller", await identified(request))


Sender = Annotated[Caller, Depends(sender_of)]
Service = Annotated[AccessService, Depends(the(AccessService))]
OurSite = Annotated[Site, Depends(the(Site))]
Attempts = Annotated[SignInAttempts, Depends(the(SignInAttempts))]

keys = APIRouter(prefix="/api/keys", tags=["access"])


@keys.get("")
async def list_keys(
    caller: Sender,
    service: Service,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str = "",
    environment: Annotated[str, Query(description="Only keys of this environment.")] = "",
) -> views.KeyPageView:
    """List the project's keys, newest first."""
    page = await in_thread(
        service.list_keys,
        cursor=cursor,
        limit=limit,
        project_id=caller.project_id,
        environment=environment,
    )
    return views.key_page_view(page)


@keys.post("", status_code=201)
async def create_key(new: NewKey, caller: Sender, service: Service) -> views.CreatedKeyView:
    """Make a key; the reply is the only place where it is ever shown."""
    scopes = rules.APPLICATION if new.scopes is None else frozenset(new.scopes)
    environment = new.environment or caller.environment
    limits = KeyLimits(scopes, tuple(new.models), _nanoseconds(new.expires_at), environment)
    return views.created_key_view(await in_thread(service.create_key_for, caller, new.name, limits))


@keys.post("/{key_id}/revoke")
async def revoke_key(key_id: str, caller: Sender, service: Service) -> views.KeyView:
    """Revoke a key; calls with it are refused within a second."""
    if caller.key_id is None and not caller.is_admin:
        raise PermissionRefused("only an admin can revoke keys; ask one, or use `sternpost key revoke`")
    return views.key_view(
        await in_thread(service.revoke_key, KeyId(key_id), project_id=caller.project_id, actor=caller.actor)
    )


environments = APIRouter(prefix="/api/environments", tags=["access"])


@environments.get("")
async def list_environments(caller: Sender, service: Service) -> views.EnvironmentPageView:
    """List the environments that are configured or that a key of the project belongs to."""
    return views.environment_page_view(await in_thread(service.environments, caller.project_id))


sessions = APIRouter(prefix="/api/session", tags=["access"])


@sessions.get("")
async def show_session(
    caller: Sender,
    service: Service,
) -> views.SessionView:
    """Say who is asking."""
    return views.session_view(caller, await in_thread(service.project_name, caller.project_id))


@sessions.post("", status_code=201)
async def redeem_link(
    redeem: Redeem,
    request: Request,
    response: Response,
    *,
    service: Service,
    site: OurSite,
    attempts: Attempts,
) -> views.SessionView:
    """Sign in by a one-time link; sets the session's cookie."""
    site.refuse_foreign(request.headers)
    sender = site.sender(request.client.host if request.client else "", request.headers)
    attempts.check(sender, time.monotonic())
    try:
        started = await in_thread(service.redeem_sign_in_link, redeem.token)
    except KeyRefused:
        attempts.failed(sender, time.monotonic())
        raise
    response.set_cookie(
        site.cookie,
        started.token,
        max_age=service.session_days * 86_400,
        httponly=True,
        samesite="lax",
        secure=site.is_https,
    )
    session = started.session
    caller = Caller(session.project_id, session.user, csrf_token=session.csrf_token)
    return views.session_view(caller, await in_thread(service.project_name, session.project_id))


@sessions.delete("", status_code=204)
async def sign_out(
    request: Request, response: Response, caller: Sender, service: Service, site: OurSite
) -> None:
    """Sign out; the cookie is worthless from now on."""
    if caller.user is not None:
        await in_thread(service.sign_out, request.cookies.get(site.cookie, ""))
    response.delete_cookie(site.cookie, httponly=True, samesite="lax", secure=site.is_https)


def _nanoseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise BadRequest("expires_at needs an offset, e.g. 2030-01-01T00:00:00Z", param="expires_at")
    since = moment - datetime.fromtimestamp(0, UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
