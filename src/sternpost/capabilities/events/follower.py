"""Follows the event log in a serving process: reloads snapshots and wakes whoever waits for events."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from sternpost.base.errors import StoreError
from sternpost.base.threads import in_thread
from sternpost.capabilities.events.records import SnapshotState
from sternpost.capabilities.events.rules import is_wanted
from sternpost.contracts.event_log import Event, EventFilter, EventLog, Snapshot

logger = logging.getLogger(__name__)

_POLL_S = 0.25
_MAX_EVENTS = 500
_AWAY = "changes are not seen until the tables are back; what was read before stays in use"


class Follower:
    """One per serving process. `load` it once, then keep `run` going in a task."""

    def __init__(self, log: EventLog, snapshots: Sequence[Snapshot] = ()) -> None:
        self._log = log
        self._snapshots: list[Snapshot] = []
        self._seq = 0
        self._states: dict[str, SnapshotState] = {}
        self.keep_current(snapshots)
        self._stale: set[str] = set()
        self._is_away = False
        self._moved = asyncio.Event()

    def keep_current(self, snapshots: Sequence[Snapshot]) -> None:
        """Take on more snapshots; only before `load`."""
        self._snapshots += snapshots
        self._states |= {one.name: SnapshotState(one.name, 0, is_current=False) for one in snapshots}

    @property
    def seq(self) -> int:
        """The number up to which events were seen here."""
        return self._seq

    def states(self) -> Sequence[SnapshotState]:
        return tuple(self.state(name) for name in self._states)

    def state(self, snapshot: str) -> SnapshotState:
        """Say whether a snapshot shows everything that was committed; from memory. Raises: KeyError."""
        state = self._states[snapshot]
        return replace(state, is_current=False, reason=_AWAY) if self._is_away and state.is_current else state

    def load(self) -> None:
        """Read every snapshot; blocking. Raises: what a snapshot raises, which ends the start."""
        self._seq = self._log.last_seq()  # before the reads: what commits meanwhile is then read again
        for snapshot in self._snapshots:
            snapshot.reload()
            self._states[snapshot.name] = SnapshotState(snapshot.name, self._seq, is_current=True)

    async def run(self) -> None:
        """Follow until cancelled; snapshots stay as they are while the tables are away."""
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                await self._follow()
            except StoreError as error:
                self._say_away(error)
            except Exception:  # the edge of the task: if it ended, revoked keys would stay good for ever
                logger.exception("following the event log failed; trying again")

    async def wait(self, seq: int, patience_s: float) -> bool:
        """Wait until events after `seq` were seen; False when the time is up."""
        while self._seq <= seq:
            try:
                await asyncio.wait_for(self._moved.wait(), patience_s)
            except TimeoutError:
                return False
        return True

    async def _follow(self) -> None:
        fresh: Sequence[Event] = ()
        if await in_thread(self._log.last_seq) > self._seq:
            fresh = await in_thread(self._log.after, self._seq, EventFilter(), limit=_MAX_EVENTS)
        if self._is_away:
            logger.warning("the tables are back; changes are followed again")
            self._is_away = False
        seq = fresh[-1].seq if fresh else self._seq
        kinds = {event.kind for event in fresh}
        for snapshot in self._snapshots:
            if snapshot.name in self._stale or any(is_wanted(kind, snapshot.kinds) for kind in kinds):
                await self._reload(snapshot, seq)
        if fresh:
            self._seq = seq
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()

    async def _reload(self, snapshot: Snapshot, seq: int) -> None:
        try:
            await in_thread(snapshot.reload)
        except Exception as error:  # the edge of one snapshot: the others must not wait for it
            if snapshot.name not in self._stale:
                logger.exception("%s could not be reloaded; the previous state stays in force", snapshot.name)
            self._stale.add(snapshot.name)
            before = self._states[snapshot.name]
            reason = getattr(error, "message", type(error).__name__)
            self._states[snapshot.name] = SnapshotState(snapshot.name, before.seq, False, str(reason))
            return
        self._stale.discard(snapshot.name)
        self._states[snapshot.name] = SnapshotState(snapshot.name, seq, is_current=True)

    def _say_away(self, error: StoreError) -> None:
        if not self._is_away:
            logger.warning("changes are not seen until the tables are back: %s", error.message)
        self._is_away = True
