"""The endpoints of the configuration; errors become problem details in the server."""

from typing import Annotated, Protocol, cast

from fastapi import APIRouter, Depends, Request

from sternpost.api.asking import Asker, identified
from sternpost.api.services import the
from sternpost.base.errors import PermissionRefused
from sternpost.base.threads import in_thread
from sternpost.capabilities.configuration import views
from sternpost.capabilities.configuration.service import ConfigurationDesk
from sternpost.contracts.event_log import Actor

Desk = Annotated[ConfigurationDesk, Depends(the(ConfigurationDesk))]
router = APIRouter(prefix="/api/config", tags=["configuration"])


class _Sender(Protocol):
    """What is asked of whoever reloads; `actor` is named in the event."""

    @property
    def key_id(self) -> str | None: ...

    @property
    def is_admin(self) -> bool: ...

    @property
    def actor(self) -> Actor: ...


async def changer_of(request: Request, _: Asker) -> Actor:
    """Return who reloads: a key with the scope, or an admin. Raises: KeyRefused, PermissionRefused."""
    sender = cast("_Sender", await identified(request))
    if sender.key_id is None and not sender.is_admin:
        raise PermissionRefused("only an admin can reload the configuration; ask one, or send SIGHUP to `up`")
    return sender.actor


@router.get("", summary="Show the configuration in force, without its secrets")
async def show_configuration(_: Asker, desk: Desk) -> views.ConfigurationView:
    return await in_thread(_view, desk)


@router.post("/reload", summary="Read the file again and put it in force, or say what is wrong with it")
async def reload_configuration(actor: Annotated[Actor, Depends(changer_of)], desk: Desk) -> views.ReloadView:
    outcome = await in_thread(desk.service.reload, actor)
    return views.reload_view(outcome, await in_thread(_view, desk))


def _view(desk: ConfigurationDesk) -> views.ConfigurationView:
    return views.configuration_view(desk.service.state(), desk.digest_on_disk(), desk.processes())
