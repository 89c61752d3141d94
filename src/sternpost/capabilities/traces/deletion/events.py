"""The events of deletions: who asked for one, and what it removed; a person is named by a hash alone."""

from dataclasses import asdict

from sternpost.capabilities.traces.deletion.records import Deletion
from sternpost.contracts.event_log import NewEvent
from sternpost.contracts.events import TracesDeleted, TracesDeletionRequested


def requested(deletion: Deletion) -> NewEvent:
    body = TracesDeletionRequested(deletion.kind, deletion.subject)
    return NewEvent(body, deletion.deletion_id, deletion.actor, deletion.project_id)


def deleted(deletion: Deletion) -> NewEvent:
    body = TracesDeleted(deletion.kind, deletion.subject, asdict(deletion.counts))
    return NewEvent(body, deletion.deletion_id, deletion.actor, deletion.project_id)
