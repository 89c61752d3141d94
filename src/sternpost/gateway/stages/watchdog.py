"""The idle and first-token time-outs of a stream, with one timer per stream instead of one per chunk."""

import asyncio
from types import TracebackType

from sternpost.base.errors import UpstreamError, UpstreamTimedOut


class Watchdog:
    """Guards one wait after another (`with watchdog: await ...`), all in the same task.

    The timer is set anew only when it fires: a chunk costs two assignments, not a timer.
    """

    def __init__(self, idle_s: float, *, first_until: float | None) -> None:
        self._idle_s = idle_s
        self._first_until = first_until  # None: content was seen
        self._loop = asyncio.get_running_loop()
        self._until = 0.0
        self._waiter: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reason: UpstreamError | None = None

    def __enter__(self) -> None:
        if self._reason is not None:
            raise self._reason
        self._waiter = asyncio.current_task()
        self._until = self._first_until or self._loop.time() + self._idle_s
        if self._timer is None:
            self._timer = self._loop.call_at(self._until, self._look)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        waiter, self._waiter = self._waiter, None
        if self._reason is None or kind is not asyncio.CancelledError or waiter is None:
            return
        if not waiter.uncancel():  # else the caller left at the same moment
            raise self._reason from error

    def interrupt(self, reason: UpstreamError) -> None:
        """End the wait, or the next one, with an error."""
        is_first, self._reason = self._reason is None, reason
        if is_first and self._waiter is not None:
            self._waiter.cancel()

    def has_begun(self) -> None:
        """From now on only silence counts."""
        self._first_until = None
        self.stop()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._loop.time()
        self._timer = None
        if self._waiter is None:  # nobody waits: the caller is slow, not the provider
            return
        if now < self._until:
            self._timer = self._loop.call_at(self._until, self._look)
        else:
            what = "anything" if self._first_until is None else "any content"
            self.interrupt(UpstreamTimedOut(f"the provider stopped sending {what} for too long"))
