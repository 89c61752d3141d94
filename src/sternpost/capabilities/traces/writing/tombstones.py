"""Keeps spans of deleted traces that arrive late out of the store; deleting what is there is `deletion`'s."""

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

from sternpost.base.clock import Clock
from sternpost.base.errors import SternpostError
from sternpost.base.ids import ProjectId
from sternpost.capabilities.traces.content import CONTENT_REFERENCE
from sternpost.contracts.span import Span, SpanBundle
from sternpost.contracts.trace_store import TraceStore

_REFRESH_S: Final = 1.0
_HASH = re.compile(rb"[0-9a-f]{64}")
_KNOWN: Final = (
    "SELECT DISTINCT trace_id FROM deleted_traces "
    "WHERE project_id = {project:String} AND trace_id IN {traces:Array(String)}"
)
DELETED_TRACES_COLUMNS: Final = ("project_id", "trace_id", "deletion_id", "day")

logger = logging.getLogger(__name__)

HashOf: TypeAlias = Callable[[ProjectId, str, str], str]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What late arrivals are held against: all of a trace, of a session or user what began before."""

    deletion_id: str
    project_id: ProjectId
    kind: str
    subject: str
    before_ns: int


@dataclass(slots=True)
class _OfProject:
    traces: dict[str, str]  # deletion by trace
    people: dict[tuple[str, str], Tombstone]  # by kind and hash


class Tombstones:
    """`load` reads those in force; while it can't, those read before are. Only for the drain's thread."""

    def __init__(
        self, load: Callable[[], Sequence[Tombstone]], hash_of: HashOf, store: TraceStore, clock: Clock
    ) -> None:
        self.dropped = 0  # spans that were not stored
        self._load = load
        self._hash_of = hash_of
        self._store = store
        self._clock = clock
        self._next_s = 0.0
        self._by_project: Mapping[ProjectId, _OfProject] = {}

    def look(self) -> None:
        """Read which tombstones are in force, at most once a second: before each flush."""
        now_s = self._clock.monotonic_ns() / 1e9
        if now_s >= self._next_s:
            self.read()
            self._next_s = now_s + _REFRESH_S

    def read(self) -> None:
        """Read which tombstones are in force, now."""
        try:
            found = self._load()
        except SternpostError as error:
            logger.warning("deletions can't be read, those known before are in force: %s", error.message)
            return
        by_project: dict[ProjectId, _OfProject] = {}
        for one in found:
            ours = by_project.setdefault(one.project_id, _OfProject({}, {}))
            if one.kind == "trace":
                ours.traces[one.subject] = one.deletion_id
            else:
                # Of two for one person the later reaches further.
                known = ours.people.get((one.kind, one.subject))
                if known is None or known.before_ns < one.before_ns:
                    ours.people[one.kind, one.subject] = one
        self._by_project = by_project

    def without_deleted(self, batches: Sequence[SpanBundle]) -> Sequence[SpanBundle]:
        """Return the batches without what belongs to deleted traces. Raises: StoreError."""
        if not self._by_project:
            return batches
        dead = self._dead_traces(batches)
        if not any(dead.values()):
            return batches
        return [self._alive(batch, dead) for batch in batches]

    def _dead_traces(self, batches: Sequence[SpanBundle]) -> Mapping[ProjectId, set[str]]:
        seen: defaultdict[ProjectId, set[str]] = defaultdict(set)
        for batch in batches:
            for one in (*batch.spans, *batch.scores):
                seen[one.project_id].add(one.trace_id)
        dead: dict[ProjectId, set[str]] = {}
        for project_id, traces in seen.items():
            ours = self._by_project.get(project_id)
            if ours is None:
                continue
            found = {trace for trace in traces if trace in ours.traces}
            if ours.people:
                found |= self._known(project_id, traces - found)
                spans = [span for batch in batches for span in batch.spans if span.project_id == project_id]
                found |= self._late_of_people(ours, spans, found)
            dead[project_id] = found
        return dead

    def _known(self, project_id: ProjectId, traces: Iterable[str]) -> set[str]:
        asked = {"project": project_id, "traces": sorted(traces)}
        return {str(row[0]) for row in self._store.query(_KNOWN, asked).rows}

    def _late_of_people(self, ours: _OfProject, spans: Sequence[Span], known: set[str]) -> set[str]:
        """Find traces that a deletion did not see, and remember them: their other spans go as well."""
        late: dict[str, Tombstone] = {}
        hashes: dict[tuple[str, str], Tombstone | None] = {}
        for span in spans:
            for kind, given in (("session", span.trace.session_id), ("user", span.trace.user_id)):
                if not given:
                    continue
                if (kind, given) not in hashes:
                    hashes[kind, given] = ours.people.get((kind, self._hash_of(span.project_id, kind, given)))
                found = hashes[kind, given]
                if found is not None and span.started_ns < found.before_ns and span.trace_id not in known:
                    late[span.trace_id] = found
        rows = [
            [one.project_id, trace, one.deletion_id, day_of(one.before_ns)] for trace, one in late.items()
        ]
        self._store.insert("deleted_traces", DELETED_TRACES_COLUMNS, rows)
        return set(late)

    def _alive(self, batch: SpanBundle, dead: Mapping[ProjectId, set[str]]) -> SpanBundle:
        nothing: set[str] = set()
        spans = [one for one in batch.spans if one.trace_id not in dead.get(one.project_id, nothing)]
        scores = [one for one in batch.scores if one.trace_id not in dead.get(one.project_id, nothing)]
        if len(spans) == len(batch.spans) and len(scores) == len(batch.scores):
            return batch
        self.dropped += len(batch.spans) - len(spans)
        if not spans:
            return SpanBundle(scores=tuple(scores))
        gone = {hash_ for span in batch.spans for hash_ in hashes_of(span)}
        gone -= {hash_ for span in spans for hash_ in hashes_of(span)}
        contents = [one for one in batch.contents if one.hash not in gone]
        texts = [one.body for one in contents] + [
            value.encode() for span in spans for value in span.attributes.values()
        ]
        named = {hash_ for text in texts for hash_ in _HASH.findall(text)} if batch.blobs else set[bytes]()
        blobs = [one for one in batch.blobs if one.hash.encode() in named]
        return replace(
            batch, spans=tuple(spans), scores=tuple(scores), contents=tuple(contents), blobs=tuple(blobs)
        )


def hashes_of(span: Span) -> list[str]:
    """Return what a span refers to: its messages, and attribute values too large for its row."""
    long = [
        value.removeprefix(CONTENT_REFERENCE)
        for value in span.attributes.values()
        if value.startswith(CONTENT_REFERENCE)
    ]
    return [*span.input_hashes, *span.output_hashes, *long]


def referred_to(batch: SpanBundle) -> set[str]:
    """Return all that a batch refers to, media too."""
    hashes = {hash_ for span in batch.spans for hash_ in hashes_of(span)}
    return hashes | {one.hash for one in batch.contents} | {one.hash for one in batch.blobs}


def day_of(at_ns: int) -> int:
    """Write the day of a time as yyyymmdd, as the store's partitions have it."""
    return int(datetime.fromtimestamp(at_ns / 1e9, UTC).strftime("%Y%m%d"))
