"""Which provider keeps which reply, so that a call can go on from it; this process's memory alone."""

from collections import OrderedDict
from dataclasses import dataclass, field

from windlass.base.ids import ProjectId

_MAX_REPLIES = 50_000  # about 15 MB


@dataclass(slots=True)
class ReplyOrigins:
    """Reply id -> the provider that made it. The reply longest unused is forgotten first.

    An id belongs to the project that made it: to another one it is unknown.
    """

    max_replies: int = _MAX_REPLIES
    _known: OrderedDict[tuple[ProjectId, str], str] = field(
        default_factory=OrderedDict[tuple[ProjectId, str], str]
    )

    def remember(self, project: ProjectId, reply_id: str, provider: str) -> None:
        self._known[project, reply_id] = provider
        self._known.move_to_end((project, reply_id))
        if len(self._known) > self.max_replies:
            self._known.popitem(last=False)

    def provider_of(self, project: ProjectId, reply_id: str) -> str | None:
        """Return the provider's name; None when this process does not know the id."""
        provider = self._known.get((project, reply_id))
        if provider is not None:
            self._known.move_to_end((project, reply_id))
        return provider

    def forget(self, project: ProjectId, reply_id: str) -> None:
        self._known.pop((project, reply_id), None)
