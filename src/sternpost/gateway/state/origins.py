"""Which provider stores which response, so that it can be continued; knows nothing of its content."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from sternpost.base.errors import StoreError
from sternpost.base.ids import KeyId, ProjectId

_LOG = logging.getLogger(__name__)
_MAX_REPLIES = 50_000  # about 15 MB

# (project, reply id) -> the provider that made it for this project, and the key that asked; None: no record
# says so.
FindMaker: TypeAlias = Callable[[ProjectId, str], Awaitable[tuple[str, KeyId] | None]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose reply it is, and where it is kept."""

    project: ProjectId
    provider: str
    key_id: KeyId


@dataclass(slots=True)
class ReplyOrigins:
    """Reply id -> its origin: of this process's own memory, else of the records of earlier calls.

    Of the memory the reply longest unused is forgotten first.
    """

    max_replies: int = _MAX_REPLIES
    find_maker: FindMaker | None = None
    _known: OrderedDict[str, Origin] = field(default_factory=OrderedDict[str, Origin])

    def remember(self, reply_id: str, origin: Origin) -> None:
        self._known[reply_id] = origin
        self._known.move_to_end(reply_id)
        if len(self._known) > self.max_replies:
            self._known.popitem(last=False)

    async def find(self, reply_id: str, project: ProjectId) -> Origin | None:
        """Return the origin, which may be another project's; None when nothing here knows the id."""
        origin = self._known.get(reply_id)
        if origin is not None:
            self._known.move_to_end(reply_id)
            return origin
        recorded = await self._recorded(reply_id, project)
        if recorded is None:
            return None
        origin = Origin(project, *recorded)
        self.remember(reply_id, origin)
        return origin

    def forget(self, reply_id: str) -> None:
        self._known.pop(reply_id, None)

    async def _recorded(self, reply_id: str, project: ProjectId) -> tuple[str, KeyId] | None:
        """A store that is down makes the id unknown; the call may still have only one place to go."""
        if self.find_maker is None:
            return None
        try:
            return await self.find_maker(project, reply_id)
        except StoreError as error:
            _LOG.warning("the provider of a stored response can't be looked up: %s", error.message)
            return None
