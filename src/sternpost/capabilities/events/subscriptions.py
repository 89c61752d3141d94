"""Hands events to a subscriber: in order, at least once, with back-off; what it does with them is its own."""

import logging
from dataclasses import dataclass, field, replace
from threading import Event as Stop

from sternpost.base.clock import Clock, SystemClock
from sternpost.base.errors import SternpostError, StoreError
from sternpost.capabilities.events.rules import MAX_ATTEMPTS, wait_s
from sternpost.contracts.event_log import Cursors, Event, EventFilter, EventLog, Failure, Subscriber

logger = logging.getLogger(__name__)

_POLL_S = 0.5
_LOOK_S = 2.0  # between two looks at what a person asked for, while nothing happens
_MAX_EVENTS = 100
_LONGEST_ERROR = 500


@dataclass(slots=True)
class Subscription:
    """One subscriber on its own cursor; nothing that happens here delays another."""

    subscriber: Subscriber
    log: EventLog
    cursors: Cursors
    clock: Clock = field(default_factory=SystemClock)
    _is_away: bool = False
    _seen: int = -1  # the last event when nothing was left to do
    _next_look_ns: int = 0

    def run(self, stop: Stop) -> None:
        """Work until stopped; blocking, in a separate thread."""
        while not stop.is_set():
            try:
                has_more = self._is_worth_a_look() and self.run_once()
                self._is_away = False
            except StoreError as error:
                if not self._is_away:
                    logger.warning("%s waits for the tables: %s", self.subscriber.name, error.message)
                self._is_away, has_more = True, False
            except Exception:  # the edge of the thread: if it ended, its subscriber would stop for ever
                logger.exception("subscriber %s failed outside of an event", self.subscriber.name)
                has_more = False
            if not has_more:
                stop.wait(_POLL_S)

    def _is_worth_a_look(self) -> bool:
        """Say whether anything happened, or it is time to see what a person asked for; one small query."""
        now_ns = self.clock.now_ns()
        if self.log.last_seq() == self._seen and now_ns < self._next_look_ns:
            return False
        self._next_look_ns = now_ns + int(_LOOK_S * 1e9)
        return True

    def run_once(self) -> bool:
        """Handle what is due; True when there may be more. Raises: StoreUnavailable."""
        self._retry()
        name, kinds = self.subscriber.name, self.subscriber.kinds
        last = self.log.last_seq()
        position = self.cursors.position(name)
        if last <= position:
            self._seen = last
            return False
        found = self.log.after(position, EventFilter(kinds=kinds), limit=_MAX_EVENTS)
        for event in found:
            if not self._handle(event):
                return False
        if len(found) < _MAX_EVENTS and (not found or found[-1].seq < last):
            self.cursors.advance(name, last)  # the rest is not of its kinds
        return len(found) == _MAX_EVENTS

    def _handle(self, event: Event) -> bool:
        """Handle one event; False when it must be tried again before the next one."""
        failing = self.cursors.failing(self.subscriber.name)
        before = failing if failing is not None and failing.event_id == event.event_id else None
        if before is not None and self.clock.now_ns() < before.next_attempt_ns:
            return False
        error = self._try(event)
        if not error:
            self.cursors.advance(self.subscriber.name, event.seq)
            return True
        attempts = before.attempts + 1 if before is not None else 1
        failure = Failure(
            subscriber=self.subscriber.name,
            event_id=event.event_id,
            seq=event.seq,
            attempts=attempts,
            next_attempt_ns=self.clock.now_ns() + int(wait_s(attempts) * 1e9),
            error=error,
            is_set_aside=attempts >= MAX_ATTEMPTS,
        )
        self.cursors.fail(failure)
        if failure.is_set_aside:
            logger.error("%s set event %s aside: %s", failure.subscriber, event.event_id, error)
        return failure.is_set_aside

    def _retry(self) -> None:
        for failure in self.cursors.take_retries(self.subscriber.name):
            event = self.log.event(failure.event_id)
            error = self._try(event) if event is not None else ""
            attempts = failure.attempts + 1
            self.cursors.settle_retry(replace(failure, error=error, attempts=attempts), is_done=not error)

    def _try(self, event: Event) -> str:
        """Call the subscriber; return what went wrong, without any prompt text."""
        try:
            self.subscriber.handle(event)
        except SternpostError as error:
            return error.message[:_LONGEST_ERROR]
        except Exception as error:
            logger.exception("%s can't handle event %s", self.subscriber.name, event.event_id)
            return type(error).__name__
        return ""
