"""How processes find the engine: one private file in the data folder; not how the engine is started."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sternpost.base.errors import StoreUnavailable
from sternpost.base.files import write_file

FILE_NAME = "engine.json"
FAILURE_NAME = "engine-failure.txt"


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where an engine answers and how to sign in. `pid` is 0 for a server that is not ours."""

    url: str
    user: str
    password: str = field(repr=False)
    pid: int = 0


def write_address(home: Path, address: EngineAddress) -> None:
    """Publish the address, readable by the owner alone; a reader never sees half of it."""
    write_file(home / FILE_NAME, json.dumps(asdict(address)).encode())
    (home / FAILURE_NAME).unlink(missing_ok=True)


def write_failure(home: Path, sentence: str) -> None:
    """Leave word of why the engine can't start, for who asks where it is; a start that works removes it."""
    with suppress(OSError):  # a full disk: it is in the log too
        (home / FAILURE_NAME).write_text(sentence, encoding="utf-8")


def read_address(home: Path) -> EngineAddress:
    """Read where the engine answers now; read it again whenever the engine can't be reached.

    Raises: StoreUnavailable when no engine has written its address.
    """
    try:
        fields = json.loads((home / FILE_NAME).read_text(encoding="utf-8"))
        return EngineAddress(fields["url"], fields["user"], fields["password"], fields["pid"])
    except (OSError, ValueError, KeyError):
        raise StoreUnavailable(
            f"{_why_it_is_away(home)}; calls go on and their traces arrive when it is back"
        ) from None


def _why_it_is_away(home: Path) -> str:
    try:
        return (home / FAILURE_NAME).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return "the trace engine is not running"


def remove_address(home: Path, pid: int) -> None:
    """Withdraw the address of process `pid`; one that a later engine wrote stays."""
    try:
        if read_address(home).pid == pid:
            (home / FILE_NAME).unlink(missing_ok=True)
    except StoreUnavailable:
        return
