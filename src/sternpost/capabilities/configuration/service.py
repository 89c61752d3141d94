"""The verbs of the configuration in force; how a file becomes a reading is `assembly`'s."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from sternpost.base.clock import Clock
from sternpost.base.errors import StoreError
from sternpost.base.ids import EventId
from sternpost.capabilities.configuration import events, rules
from sternpost.capabilities.configuration.records import (
    Changes,
    ConfigurationState,
    Outcome,
    Problem,
    Reading,
    Refused,
)
from sternpost.contracts.event_log import Actor, Event, EventFilter, EventLog, NewEvent
from sternpost.contracts.events import ConfigurationApplied
from sternpost.contracts.tables import Tables

logger = logging.getLogger(__name__)

Read: TypeAlias = Callable[[], Reading | Refused]
APPLIED = ConfigurationApplied.KIND
_NOTHING = Changes()


@dataclass(frozen=True, slots=True)
class Telling:
    """Where changes are told. `is_teller`: this process tells of its own changes; others only follow."""

    tables: Tables
    log: EventLog
    is_teller: bool


class ConfigurationService:
    """Blocking; on the event loop call it through `base.threads`. One reload at a time."""

    def __init__(self, read: Read, first: Reading, telling: Telling, clock: Clock) -> None:
        """first: what is in force at the start."""
        self._read = read
        self._telling = telling
        self._clock = clock
        self._lock = threading.Lock()
        self._state = ConfigurationState(first, clock.now_ns(), events.START)
        self._is_started = False
        self._own_event: EventId | None = None
        self._untold: list[NewEvent] = []

    def state(self) -> ConfigurationState:
        """Say what is in force; from memory."""
        return self._state

    def reload(self, actor: Actor) -> Outcome:
        """Read the file again and put it in force whole, or refuse it whole; calls under way go on.

        The event is committed first: a process killed between the two finds at its next start what was told.
        Without the tables the change is made all the same, and told once they are back.
        """
        with self._lock:
            read = self._read()
            if isinstance(read, Refused):
                if self._note(read) and self._state.problem is not None:
                    self._tell(events.refused(self._state.reading.digest, self._state.problem, actor))
                return Outcome(self._state, _NOTHING, is_applied=False)
            changes = rules.changes_between(self._state.reading.sections, read.sections)
            if changes or read.digest != self._state.reading.digest:
                self._tell(events.applied(self._state.reading.digest, read, changes, actor))
            self._take_over(read, actor, changes)
            return Outcome(self._state, changes, is_applied=True, warnings=read.warnings)

    def follow(self) -> None:
        """Take over what another process applied; the snapshot of `configuration.applied`.

        Ask again when the file changes while `state().is_as_applied` is False: it may come late.

        At its start a process that tells says so when its file is not the one that was applied last.
        Raises: StoreUnavailable.
        """
        with self._lock:
            last = self._last_applied()
            digest = _digest_of(last)
            if self._telling.is_teller and not self._is_started:
                if digest != self._state.reading.digest:
                    self._append(events.applied(digest, self._state.reading, _NOTHING, events.START))
                digest = self._state.reading.digest
            elif last is not None and last.event_id != self._own_event:
                self._take_over_applied(str(digest), last.actor)
            self._is_started = True
            self._state = replace(self._state, applied_digest=digest)

    def tell_late(self) -> None:
        """Write the events that could not be written while the tables were away."""
        with self._lock:
            while self._untold:
                try:
                    self._append(self._untold[0])
                except StoreError:
                    return
                del self._untold[0]

    @property
    def is_untold(self) -> bool:
        return bool(self._untold)

    def _take_over_applied(self, digest: str, actor: Actor) -> None:
        """Read the file, if it is the one that was applied: nobody applied what another holds."""
        read = self._read()
        if read.digest != digest:
            return
        if isinstance(read, Refused):
            self._note(read)
            return
        self._take_over(read, actor, rules.changes_between(self._state.reading.sections, read.sections))

    def _take_over(self, reading: Reading, actor: Actor, changes: Changes) -> None:
        """Put a reading in force, if it differs; what was wrong is forgotten."""
        self._state = replace(self._state, problem=None)
        if not changes and reading.digest == self._state.reading.digest:
            return
        reading.put_in_force()
        self._state = replace(self._state, reading=reading, loaded_ns=self._clock.now_ns(), by=actor)
        names = [*changes.added, *changes.changed, *(f"without {one}" for one in changes.removed)]
        logger.info("the configuration %s is in force: %s", reading.digest, ", ".join(names) or "no change")
        for warning in reading.warnings:
            logger.warning(warning)

    def _note(self, read: Refused) -> bool:
        """Keep what is wrong, and log it; False when it was known already."""
        known, now_ns = self._state.problem, self._clock.now_ns()
        problem = Problem(now_ns, read.path, read.digest, tuple(read.faults))
        self._state = replace(self._state, problem=problem)
        if known is not None and replace(known, at_ns=now_ns) == problem:
            return False
        sentences = "\n".join(fault.sentence for fault in read.faults)
        logger.error("the configuration can't be used, and the one before stays in force:\n%s", sentences)
        return True

    def _tell(self, event: NewEvent) -> None:
        if not self._telling.is_teller:
            return
        try:
            self._append(event)
        except StoreError as error:
            logger.warning("a change of the configuration is told later: %s", error.message)
            self._untold.append(event)
        if isinstance(event.body, ConfigurationApplied):
            self._state = replace(self._state, applied_digest=str(event.body.after["hash"]))

    def _append(self, event: NewEvent) -> None:
        with self._telling.tables.write() as connection:
            event_id = self._telling.log.append(connection, event)
        if isinstance(event.body, ConfigurationApplied):
            self._own_event = event_id

    def _last_applied(self) -> Event | None:
        found = self._telling.log.before(None, EventFilter(kinds=(APPLIED,)), limit=1)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class ConfigurationDesk:
    """What routes ask. digest_on_disk: the file's hash now. processes: the hash in force in each."""

    service: ConfigurationService
    digest_on_disk: Callable[[], str | None]
    processes: Callable[[], Mapping[str, str]]


def _digest_of(applied: Event | None) -> str | None:
    after = applied.body.get("after") if applied is not None else None
    return str(after.get("hash", "")) if isinstance(after, Mapping) else None
