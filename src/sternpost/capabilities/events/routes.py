"""The endpoints of the event log; errors become problem details in the server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from sternpost.base.errors import BadRequest
from sternpost.base.ids import EventId
from sternpost.base.threads import in_thread
from sternpost.capabilities.events import views
from sternpost.capabilities.events.service import MAX_PAGE, EventService
from sternpost.capabilities.events.stream import MEDIA_TYPE, EventStreams
from sternpost.contracts.call import Principal
from sternpost.contracts.event_log import EventFilter

Who = Callable[[Request], Awaitable[Principal]]
_SEQ_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Replay:
    after: int  # the `seq` behind which the subscriber begins again


def event_routes(service: EventService, streams: EventStreams, who: Who) -> APIRouter:
    """Build the router of `/api/events`. `who` identifies the caller."""
    router = APIRouter(prefix="/api/events", tags=["events"])

    @router.get("", summary="List changes, newest first, or follow them as server-sent events")
    async def list_events(
        caller: Annotated[Principal, Depends(who)],
        chosen: Annotated[EventFilter, Depends(_filter)],
        *,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: str = "",
        accept: Annotated[str, Header()] = "",
        after: Annotated[str, Query(description="For a stream: the last `seq` that was received.")] = "",
        last_event_id: Annotated[str, Header()] = "",
    ) -> views.EventPageView:
        mine = EventFilter(caller.project_id, chosen.environment, chosen.kinds, chosen.subject)
        if MEDIA_TYPE in accept:
            frames = streams.lines(_seq(last_event_id or after), mine)
            return StreamingResponse(frames, media_type=MEDIA_TYPE)  # type: ignore[return-value]
        return views.event_page_view(await in_thread(service.page, mine, cursor=cursor, limit=limit))

    @router.get("/subscribers", summary="Show the position of each subscriber, and what it set aside")
    async def list_subscribers(_: Annotated[Principal, Depends(who)]) -> views.SubscriberPageView:
        states = await in_thread(service.subscribers)
        return views.SubscriberPageView([views.subscriber_view(state) for state in states])

    @router.post("/{event_id}/retry", summary="Retry an event that was set aside")
    async def retry_event(
        event_id: str, _: Annotated[Principal, Depends(who)], subscriber: str = ""
    ) -> views.RetriedView:
        return views.RetriedView(await in_thread(service.retry, EventId(event_id), subscriber))

    @router.post("/subscribers/{name}/replay", status_code=204, summary="Replay all events after a given one")
    async def replay_events(name: str, replay: Replay, _: Annotated[Principal, Depends(who)]) -> None:
        await in_thread(service.replay, name, replay.after)

    _ = (list_events, list_subscribers, retry_event, replay_events)  # registered by their decorators
    return router


def _filter(
    kind: Annotated[list[str] | None, Query()] = None, subject: str = "", environment: str = ""
) -> EventFilter:
    """Choose events; a `kind` that ends in "." means all kinds below it, and may be given several times."""
    return EventFilter(None, environment, tuple(kind or ()), subject)


def _seq(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > _SEQ_DIGITS:
        raise BadRequest("after: send the `seq` of an event", param="after")
    return int(text)
