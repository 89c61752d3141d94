"""What the worker's drain reports to the serving processes of its machine, in one small file."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sternpost.base.files import write_file
from sternpost.capabilities.traces.writing.drain import DrainCounts
from sternpost.capabilities.traces.writing.set_aside import FOLDER_NAME, count_set_aside

logger = logging.getLogger(__name__)

FILE_NAME = "drain.json"


@dataclass(frozen=True, slots=True)
class DrainReport:
    """How the drain is. `reason` says why the store takes nothing, for a person."""

    is_store_up: bool = True
    reason: str = ""
    dropped: int = 0  # spans of deleted traces that arrived late, since the worker started


def write_report(home: Path, report: DrainReport) -> None:
    """Replace the file; a reader never sees half of it. Raises: OSError."""
    write_file(home / FILE_NAME, msgspec.json.encode(report))


def reporter(home: Path) -> Callable[[DrainCounts], None]:
    """Make the listener of a drain that leaves its state in the data folder."""

    def report(counts: DrainCounts) -> None:
        try:
            write_report(home, DrainReport(counts.is_store_up, counts.reason, counts.dropped))
        except OSError as error:  # a full disk: the log says the same
            logger.warning("the state of the drain can't be written: %s", error.strerror)

    return report


def drain_trouble(home: Path) -> tuple[bool, str]:
    """Say whether the journal reaches the store, as the worker of this machine last reported, and why not."""
    report = read_report(home)
    if report is not None and not report.is_store_up:
        return False, report.reason
    told: list[str] = []
    if count := count_set_aside(home / FOLDER_NAME):
        told.append(f"{count} records can't be stored and are kept in the folder {FOLDER_NAME!r}")
    if report is not None and report.dropped:
        told.append(f"{report.dropped} spans of deleted traces arrived late and were not stored")
    return True, "; ".join(told)


def read_report(home: Path) -> DrainReport | None:
    """Read what the drain said last; None when it said nothing, or on another machine."""
    try:
        return msgspec.json.decode((home / FILE_NAME).read_bytes(), type=DrainReport)
    except (OSError, msgspec.MsgspecError):
        return None
