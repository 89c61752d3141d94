"""How much one connection may take of this process, and how many connections there may be; speaks no HTTP."""

import logging
import resource
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

logger = logging.getLogger(__name__)

_MOST_FILES: Final = 1_048_576  # some systems say "unlimited", and then give less
_OWN_FILES: Final = 128  # journal, tables, libraries, pipes
_MOST_CONNECTIONS: Final = 10_000
_FEWEST_CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection may take. Sources: the defaults of nginx and of Apache's mod_reqtimeout."""

    connections: int
    drain_bytes: int  # of a body that is not wanted, read so that its sender sees the answer
    head_bytes: int = 65_536
    head_fields: int = 200
    head_s: float = 20.0
    idle_s: float = 75.0  # longer than the usual 60 s of a load balancer in front
    body_window_s: float = 30.0
    body_bytes_per_s: int = 500  # within each window; a realtime voice has 2,000
    linger_s: float = 30.0  # after the last word on a connection
    stall_s: float = 600.0  # for a reader who takes nothing of what is sent
    pipelined: int = 16


class Connection(Protocol):
    """One connection, as its bounds see it."""

    def check(self, now_s: float) -> None:
        """End the connection when it is over one of its time limits."""
        ...

    def evict(self) -> None:
        """End it now; nothing is under way on it."""
        ...


@dataclass(slots=True)
class Door:
    """The bounds and who waits at them, shared by all connections of a process."""

    bounds: Bounds
    open: dict[Connection, None] = field(default_factory=dict[Connection, None])
    waiting: dict[Connection, None] = field(default_factory=dict[Connection, None])  # longest first
    refused: int = 0
    _is_full: bool = False

    def has_room(self) -> bool:
        """Say whether one more may come in; the one that has waited longest leaves for it."""
        if len(self.open) < self.bounds.connections:
            return True
        if not self._is_full:
            self._is_full = True
            logger.warning(
                "%d connections are open, as many as are allowed (STERNPOST_MAX_CONNECTIONS)", len(self.open)
            )
        for longest in self.waiting:
            self.leave(longest)
            longest.evict()
            return True
        self.refused += 1
        return False

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        self.open.pop(connection, None)
        self.waiting.pop(connection, None)

    def sweep(self, now_s: float) -> None:
        """Look at every connection; called once a second, which costs 0.2 us per connection."""
        for connection in self._snapshot():
            connection.check(now_s)
        self._is_full = self._is_full and len(self.open) >= self.bounds.connections

    def _snapshot(self) -> Iterator[Connection]:
        yield from tuple(self.open)


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; return what it is now.

    The soft limit is 1,024 by default on Linux, for programs that call select(2); none here does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError) as error:  # macOS refuses more than its kernel allows
        logger.warning("the limit of open files stays at %d: %s", soft, error)
        return soft
    return wanted


def connections_for(file_limit: int, asked: int) -> int:
    """Return how many connections there may be: each call may open another to a provider.

    asked: STERNPOST_MAX_CONNECTIONS; 0 for as many as the files allow.
    """
    possible = max(_FEWEST_CONNECTIONS, (file_limit - _OWN_FILES) // 2)
    return min(asked, possible) if asked else min(possible, _MOST_CONNECTIONS)
