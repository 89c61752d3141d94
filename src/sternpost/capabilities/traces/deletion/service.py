"""What one can ask of deletions: what one would remove, to begin one, and how far it is."""

from dataclasses import dataclass

from sternpost.base.clock import Clock
from sternpost.base.errors import BadRequest, NotFound
from sternpost.base.ids import ProjectId, new_id
from sternpost.base.threads import READS, in_thread
from sternpost.capabilities.traces.deletion.records import Deletion, DeletionId, DeletionKind, DeletionPage
from sternpost.capabilities.traces.deletion.rules import subject_of
from sternpost.capabilities.traces.deletion.store import DeletionStore
from sternpost.capabilities.traces.deletion.trace_rows import Found, TraceRows
from sternpost.capabilities.traces.rules import is_trace_id
from sternpost.contracts.event_log import Actor
from sternpost.contracts.trace_store import TraceStore

_MOST_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class Deletions:
    """Verbs on the deletions of one project at a time. The worker does the work."""

    deletions: DeletionStore
    store: TraceStore
    clock: Clock

    async def preview(self, project_id: ProjectId, kind: DeletionKind, subject: str) -> Found:
        """Count what a deletion would remove. Raises: BadRequest; QueryTimedOut, StoreUnavailable."""
        if not subject or len(subject) > _MOST_CHARACTERS:
            raise BadRequest(f"the id of a {kind} has 1 to {_MOST_CHARACTERS} characters", param=f"{kind}_id")
        if kind == "trace" and not is_trace_id(subject):
            return Found.nothing()
        rows = TraceRows.asked(self.store, project_id, kind, subject)
        return await READS.run(rows.count)

    async def request(
        self, project_id: ProjectId, kind: DeletionKind, subject: str, actor: Actor
    ) -> Deletion:
        """Begin a deletion; what arrives late for it is not stored from now on.

        Raises: NotFound when nothing is stored that it would remove; as `preview`.
        """
        found = await self.preview(project_id, kind, subject)
        if not found.counts.traces:
            raise NotFound(
                f"no trace of this {kind} is stored in this project; one whose call ended just now can be "
                "deleted as soon as it is listed"
            )
        deletion = Deletion(
            deletion_id=DeletionId(new_id("deletion")),
            project_id=project_id,
            kind=kind,
            subject=subject_of(project_id, kind, subject),
            actor=actor,
            created_ns=self.clock.now_ns(),
        )
        return await in_thread(self.deletions.add, deletion)

    async def get(self, project_id: ProjectId, deletion_id: str) -> Deletion:
        """Raises: NotFound."""
        found = await in_thread(self.deletions.find, project_id, deletion_id)
        if found is None:
            raise NotFound(f"there is no deletion {deletion_id[:64]!r} in this project")
        return found

    async def list(self, project_id: ProjectId, cursor: str, limit: int) -> DeletionPage:
        """Return deletions newest first, as long as late arrivals are held against them."""
        found = await in_thread(self.deletions.before, project_id, cursor, limit + 1)
        page = found[:limit]
        return DeletionPage(page, page[-1].deletion_id if len(found) > limit else None)
