"""The verbs of the event log's readers, for the API, the CLI and the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from sternpost.base.errors import BadRequest, NotFound
from sternpost.base.ids import EventId
from sternpost.capabilities.events.records import EventPage
from sternpost.contracts.event_log import Cursors, CursorState, Event, EventFilter, EventLog

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class EventService:
    """Blocking; on the event loop call it through `base.threads`. Raises: StoreUnavailable anywhere."""

    log: EventLog
    cursors: Cursors

    def page(self, chosen: EventFilter, *, cursor: str = "", limit: int = 50) -> EventPage:
        """Return events newest first. Raises: BadRequest for an invalid cursor."""
        if cursor and not (cursor.isdecimal() and len(cursor) < 19):
            raise BadRequest("cursor: send the `next_cursor` of the previous page", param="cursor")
        found = self.log.before(int(cursor) if cursor else None, chosen, limit=limit + 1)
        page = found[:limit]
        return EventPage(page, page[-1].seq if len(found) > limit else None)

    def after(self, seq: int, chosen: EventFilter, *, limit: int = MAX_PAGE) -> Sequence[Event]:
        """Return events oldest first, those after a number."""
        return self.log.after(seq, chosen, limit=limit)

    def subscribers(self) -> Sequence[CursorState]:
        return self.cursors.states()

    def retry(self, event_id: EventId, subscriber: str = "") -> int:
        """Ask for a set-aside event to be handled again. Raises: NotFound when nobody has set it aside."""
        count = self.cursors.retry(event_id, subscriber)
        if not count:
            raise NotFound(
                f"no subscriber has set event {event_id!r} aside; list those: sternpost event subscribers"
            )
        return count

    def replay(self, subscriber: str, after: int) -> None:
        """Let a subscriber handle again all that came after a number. Raises: NotFound, BadRequest."""
        if not 0 <= after < 1 << 62:
            raise BadRequest("after: send the `seq` of an event, 0 for the very first", param="after")
        self.cursors.rewind(subscriber, after)
