"""Events as server-sent events: what a reader missed first, then each as it is committed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from sternpost.base.threads import in_thread
from sternpost.capabilities.events.follower import Follower
from sternpost.capabilities.events.service import EventService
from sternpost.capabilities.events.views import event_view
from sternpost.contracts.event_log import Event, EventFilter

MEDIA_TYPE = "text/event-stream"
_HEARTBEAT_S = 15.0
_HEARTBEAT = b": still here\n\n"
_RETRY = b"retry: 2000\n\n"


@dataclass(frozen=True, slots=True)
class EventStreams:
    """The open streams of one serving process."""

    service: EventService
    follower: Follower

    async def lines(self, after: int | None, chosen: EventFilter) -> AsyncIterator[bytes]:
        """Yield frames until the reader leaves. after: the last `seq` that was seen; None: begin now."""
        seq = await in_thread(self.service.log.last_seq) if after is None else after
        yield _RETRY
        while True:
            for event in await in_thread(self.service.after, seq, chosen):
                seq = event.seq
                yield _frame(event)
            seq = max(seq, self.follower.seq)  # what came meanwhile was not chosen
            if not await self.follower.wait(seq, _HEARTBEAT_S):
                yield _HEARTBEAT


def _frame(event: Event) -> bytes:
    return b"id: %d\nevent: change\ndata: %s\n\n" % (event.seq, msgspec.json.encode(event_view(event)))
