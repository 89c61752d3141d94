"""What the worker's drain tells the serving processes of its machine: one small file; not the draining."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

FILE_NAME = "drain.json"


@dataclass(frozen=True, slots=True)
class DrainReport:
    """How the drain is. `reason` says why the store takes nothing, for a person."""

    is_store_up: bool = True
    reason: str = ""
    failures: int = 0
    set_aside: int = 0


def write_report(home: Path, report: DrainReport) -> None:
    """Replace the file; a reader never sees half of it. Raises: OSError."""
    fresh = home / f"{FILE_NAME}.{os.getpid()}"
    try:
        fresh.write_bytes(msgspec.json.encode(report))
        fresh.replace(home / FILE_NAME)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def read_report(home: Path) -> DrainReport | None:
    """Read what the drain said last; None when it said nothing, or on another machine."""
    try:
        return msgspec.json.decode((home / FILE_NAME).read_bytes(), type=DrainReport)
    except (OSError, msgspec.MsgspecError):
        return None
