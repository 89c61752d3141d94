"""What the worker tells the serving process of its machine about its configuration: one small file."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sternpost.assembly.part import Serving
from sternpost.base.files import write_file
from sternpost.capabilities.configuration.records import ConfigurationState
from sternpost.capabilities.configuration.rules import trouble

logger = logging.getLogger(__name__)

_FILE_NAME = "configuration-worker.json"


class WorkerReport(msgspec.Struct, frozen=True):
    """`digest`: the hash in force there. `reason`: what is wrong with it; "" when all is well."""

    digest: str
    reason: str = ""


def write_report(home: Path, state: ConfigurationState) -> None:
    """Replace the file; without room on the disk the log says the same."""
    path = home / _FILE_NAME
    report = msgspec.json.encode(WorkerReport(state.reading.digest, trouble(state)))
    try:
        write_file(path, report, partial=path.with_name(f"{path.name}.{os.getpid()}"))
    except OSError as error:
        logger.warning("the worker's configuration can't be reported: %s", error.strerror)


def digests(open_: Serving) -> Mapping[str, str]:
    """Return the hash in force in each process of this machine that told it; blocking."""
    report, intake = read_report(open_.settings.home), open_.apart.digest
    return {
        "serve": open_.configuration.state().reading.digest,
        **({} if report is None else {"worker": report.digest}),
        **({} if intake is None else {"intake": intake}),
    }


def read_report(home: Path) -> WorkerReport | None:
    """Read what the worker said last; None when it said nothing, or is on another machine."""
    try:
        return msgspec.json.decode((home / _FILE_NAME).read_bytes(), type=WorkerReport)
    except (OSError, msgspec.MsgspecError):
        return None
