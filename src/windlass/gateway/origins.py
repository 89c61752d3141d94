"""Which provider keeps which reply, so that a call can go on from it; this process's memory alone."""

from collections import OrderedDict
from dataclasses import dataclass, field

from windlass.base.ids import ProjectId

_MAX_REPLIES = 50_000  # about 15 MB


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose reply it is, and where it is kept."""

    project: ProjectId
    provider: str


@dataclass(slots=True)
class ReplyOrigins:
    """Reply id -> its origin. The reply longest unused is forgotten first."""

    max_replies: int = _MAX_REPLIES
    _known: OrderedDict[str, Origin] = field(default_factory=OrderedDict[str, Origin])

    def remember(self, reply_id: str, origin: Origin) -> None:
        self._known[reply_id] = origin
        self._known.move_to_end(reply_id)
        if len(self._known) > self.max_replies:
            self._known.popitem(last=False)

    def find(self, reply_id: str) -> Origin | None:
        """Return the origin; None when this process does not know the id."""
        origin = self._known.get(reply_id)
        if origin is not None:
            self._known.move_to_end(reply_id)
        return origin

    def forget(self, reply_id: str) -> None:
        self._known.pop(reply_id, None)
