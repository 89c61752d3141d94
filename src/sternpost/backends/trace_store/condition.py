"""In what condition the tables are: their version, files that were found damaged; not whether they answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from sternpost.backends.engine.address import EngineAddress
from sternpost.base.errors import StoreUnavailable

_FORGET_S = 3600.0
_LOOK_EVERY_S = 0.1
BEING_MIGRATED = "the trace store's schema is being migrated; calls go on; try again in a moment"

VERSION = "SELECT max(version) FROM schema_migrations"
_BROKEN = (
    "SELECT concat(toString(count()), ' of ', table) AS one FROM system.detached_parts "
    "WHERE database = currentDatabase() AND startsWith(reason, 'broken') GROUP BY table ORDER BY table"
)
CONDITION = f"SELECT ({VERSION}), (SELECT arrayStringConcat(groupArray(one), ', ') FROM ({_BROKEN}))"  # noqa: S608


@dataclass(slots=True)
class Damage:
    """What reads came upon, until the engine is another one or nobody has seen it for an hour."""

    _sentence: str = ""
    _address: EngineAddress | None = None
    _seen_s: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def note(self, sentence: str, address: EngineAddress) -> None:
        with self._lock:
            self._sentence, self._address, self._seen_s = sentence, address, time.monotonic()

    def sentence(self, address: EngineAddress) -> str:
        with self._lock:
            is_old = time.monotonic() - self._seen_s > _FORGET_S
            return "" if is_old or address != self._address else self._sentence


def version_trouble(found: int, known: int) -> str:
    """Compare the version of the tables with that of this Sternpost; "" when they agree."""
    if found < known:
        return f"its schema is being migrated ({found} of {known}); calls go on"
    if found > known:
        return f"its schema ({found}) is newer than this Sternpost ({known}): install the newer Sternpost"
    return ""


def detached_trouble(parts: str) -> str:
    """Say that the engine left out `parts`, whose files it found damaged; "" for none."""
    if not parts:
        return ""
    return (
        f"damaged files were skipped at its start (parts: {parts}): some traces are missing; restore its "
        "folder from a backup, or delete the folders `detached` in it to accept the loss"
    )


def wait_until_current(is_current: Callable[[], bool], patience_s: float) -> None:
    """Look until the tables are those of this version. Raises: StoreUnavailable when that takes too long."""
    deadline = time.monotonic() + patience_s
    while not is_current():
        if time.monotonic() >= deadline:
            raise StoreUnavailable(BEING_MIGRATED)
        time.sleep(_LOOK_EVERY_S)
