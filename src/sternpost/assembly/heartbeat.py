"""Tells the supervisor that a process is alive, one byte a second through a pipe; what follows is its matter.

A beat comes from where the work is done, so that a process whose threads still run but whose work is stuck
falls silent too. It is no request over the port: a server without a free socket is busy, and killing it would
cut its streams.
"""

import asyncio
import os
import socket
import threading
import time
from urllib.parse import urlsplit

BEAT_S = 1.0
_PING_S = 5.0


class Heart:
    """Writes beats to `fd`; None: nobody listens, and nothing is done."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd
        if fd is not None:
            os.set_blocking(fd, False)

    def beat(self) -> None:
        if self._fd is None:
            return
        try:
            os.write(self._fd, b".")
        except OSError:  # full: the supervisor hangs; broken: it is gone, which `parent` watches
            return

    def beat_from_loop(self) -> None:
        """Beat from the running event loop for as long as it turns."""
        if self._fd is None:
            return
        self.beat()
        asyncio.get_running_loop().call_later(BEAT_S, self.beat_from_loop)

    def beat_while_answering(self, url: str) -> None:
        """Beat from a thread while a server of this process answers `GET /ping` at `url`."""
        if self._fd is not None:
            threading.Thread(target=self._ping, args=(url,), name="sternpost-heart", daemon=True).start()

    def beat_while_looking(self, stop: "WatchedStop", patience_s: float) -> None:
        """Beat from a thread while somebody looked at `stop` within the last `patience_s`."""
        if self._fd is not None:
            threading.Thread(
                target=self._follow, args=(stop, patience_s), name="sternpost-heart", daemon=True
            ).start()

    def _ping(self, url: str) -> None:
        parts = urlsplit(url)
        while True:
            if _answers(str(parts.hostname), parts.port or 0):
                self.beat()
            time.sleep(BEAT_S)

    def _follow(self, stop: "WatchedStop", patience_s: float) -> None:
        while True:
            if time.monotonic() - stop.looked_at_s < patience_s:
                self.beat()
            time.sleep(BEAT_S)


class WatchedStop(threading.Event):
    """Another event, that remembers when it was last looked at: a loop that goes round looks at it."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop
        self.looked_at_s = time.monotonic()

    def is_set(self) -> bool:
        self.looked_at_s = time.monotonic()
        return self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        self.looked_at_s = time.monotonic()
        return self._stop.wait(timeout)

    def set(self) -> None:
        self._stop.set()


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), _PING_S) as connection:
            connection.sendall(b"GET /ping HTTP/1.1\r\nhost: engine\r\nconnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
