"""Ends a supervised process when its supervisor is gone, so that `kill -9` of `up` leaves nothing behind."""

import os
import signal
import threading
import time

_LOOK_S = 1.0


def end_with_parent() -> None:
    """Watch the parent from a thread; when it changes, ask this process to stop as `kill` would."""
    parent = os.getppid()
    threading.Thread(target=_watch, args=(parent,), name="sternpost-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
