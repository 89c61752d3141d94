"""Runs the worker's loops, each in a separate thread; what a loop does is its part's matter."""

import logging
import threading
from collections.abc import Sequence

from sternpost.assembly.heartbeat import WatchedStop
from sternpost.assembly.part import Loop
from sternpost.base.errors import SternpostError

logger = logging.getLogger(__name__)

_AGAIN_S = 5.0


class LoopThreads:
    """Starts loops; a watched one that fails ends all of them, another begins again."""

    def __init__(self, stop: threading.Event, watched: WatchedStop) -> None:
        """watched: the same event, for loops that the heart listens to."""
        self._stop = stop
        self._watched = watched
        self._threads: list[threading.Thread] = []
        self._failure: BaseException | None = None

    def start(self, loops: Sequence[Loop]) -> None:
        for loop in loops:
            run = self._run_watched if loop.is_watched else self._run_again
            thread = threading.Thread(target=run, args=(loop,), name=f"sternpost-{loop.name}")
            self._threads.append(thread)
            thread.start()

    def join(self) -> None:
        """Wait for the end of all; the event must be set."""
        for thread in self._threads:
            thread.join()

    def raise_failure(self) -> None:
        """Raise what ended a watched loop, if one failed."""
        if self._failure is not None:
            raise self._failure

    def _run_watched(self, loop: Loop) -> None:
        try:
            loop.run(self._watched)
        except BaseException as error:  # noqa: BLE001  # raised again by the main thread: the supervisor starts anew
            self._failure = error
        finally:
            self._stop.set()

    def _run_again(self, loop: Loop) -> None:
        while not self._stop.is_set():
            try:
                loop.run(self._stop)
            except SternpostError as error:
                logger.error("%s do not run: %s", loop.name, error.message)
            except Exception:  # the edge of the thread: if it ended, its work would wait for a restart
                logger.exception("%s failed; trying again", loop.name)
            self._stop.wait(_AGAIN_S)
