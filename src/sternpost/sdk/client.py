"""Which server spans go to; the one place of the SDK that reads the environment."""

import atexit
import logging
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sternpost import __version__
from sternpost.sdk.exporter import Exporter
from sternpost.sdk.records import AttributeValue, FinishedSpan
from sternpost.sdk.sender import Sender
from sternpost.sdk.spill import Spill, destination_mark

_LOGGER = logging.getLogger("sternpost.sdk")
_EXIT_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Destination:
    """Where spans go and what is said about their service."""

    base_url: str
    api_key: str
    service: str
    environment: str
    release: str
    spill_folder: Path

    @property
    def is_complete(self) -> bool:
        return bool(self.base_url and self.api_key)

    def resource(self) -> dict[str, AttributeValue]:
        named: dict[str, AttributeValue] = {
            "service.name": self.service,
            "service.version": self.release,
            "deployment.environment.name": self.environment,
            "telemetry.sdk.name": "sternpost",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.version": __version__,
        }
        return {key: value for key, value in named.items() if value}


class _Process:
    """What this process exports with; made on first use, again after `init` and after a fork."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.destination: Destination | None = None
        self.exporter: Exporter | None = None


_PROCESS = _Process()


def init(
    base_url: str | None = None,
    api_key: str | None = None,
    *,
    service: str | None = None,
    environment: str | None = None,
    release: str | None = None,
    spill_folder: Path | str | None = None,
) -> None:
    """Choose the server; optional, because everything left out is read from the environment.

    base_url: STERNPOST_BASE_URL, e.g. http://127.0.0.1:4100. api_key: STERNPOST_API_KEY.
    service, environment, release: STERNPOST_SERVICE, STERNPOST_ENVIRONMENT, STERNPOST_RELEASE.
    spill_folder: STERNPOST_SPILL_FOLDER, where spans wait while the server is away.
    Without a base URL or a key nothing is sent, and the decorated functions run as before.
    """
    read = os.environ.get
    cache = Path(read("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = spill_folder or read("STERNPOST_SPILL_FOLDER") or cache / "sternpost" / "spans"
    script = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] else ""
    url = base_url if base_url is not None else read("STERNPOST_BASE_URL", "")
    destination = Destination(
        base_url=url.rstrip("/").removesuffix("/v1") if _is_usable(url) else "",
        api_key=(api_key if api_key is not None else read("STERNPOST_API_KEY", "")).strip(),
        service=service or read("STERNPOST_SERVICE") or read("OTEL_SERVICE_NAME") or script or "python",
        environment=environment or read("STERNPOST_ENVIRONMENT", ""),
        release=release or read("STERNPOST_RELEASE", ""),
        spill_folder=Path(folder),
    )
    with _PROCESS.lock:
        old, _PROCESS.exporter = _PROCESS.exporter, None
        _PROCESS.destination = destination
    if old is not None:
        old.close(_EXIT_WAIT_S)
    if destination.base_url and not destination.api_key:
        _LOGGER.warning("STERNPOST_BASE_URL is set but STERNPOST_API_KEY is not: nothing is traced")
    elif not destination.is_complete:
        _LOGGER.debug("STERNPOST_BASE_URL is not set: nothing is traced")


def is_exporting() -> bool:
    """Return whether spans go anywhere."""
    return _destination().is_complete


def export(span: FinishedSpan) -> None:
    """Hand a finished span over; returns at once."""
    destination = _destination()
    if destination.is_complete:
        _exporter(destination).put(span)


def flush(timeout_s: float = 10.0) -> bool:
    """Send what is finished now; True when the server has taken all of it."""
    exporter = _PROCESS.exporter
    return exporter is None or exporter.flush(timeout_s)


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if url and not is_good:
        _LOGGER.error("STERNPOST_BASE_URL must look like http://127.0.0.1:4100: nothing is traced")
    return is_good


def _destination() -> Destination:
    if _PROCESS.destination is None:
        init()
    destination = _PROCESS.destination
    assert destination is not None
    return destination


def _exporter(destination: Destination) -> Exporter:
    exporter = _PROCESS.exporter
    if exporter is not None:
        return exporter
    with _PROCESS.lock:
        if _PROCESS.exporter is None:
            mark = destination_mark(destination.base_url, destination.api_key)
            name = f"{os.getpid()}-{os.urandom(4).hex()}"
            _PROCESS.exporter = Exporter(
                Sender(destination.base_url, destination.api_key),
                Spill(destination.spill_folder, mark, name),
                Spill(destination.spill_folder, mark, f"{name}-rest"),
                destination.resource(),
                __version__,
            )
        return _PROCESS.exporter


def _close_at_exit() -> None:
    if _PROCESS.exporter is not None:
        _PROCESS.exporter.close(_EXIT_WAIT_S)


def _start_over_in_child() -> None:
    # The thread and the state of the locks stayed in the parent, which also sends what was queued.
    _PROCESS.lock = threading.Lock()
    _PROCESS.exporter = None


atexit.register(_close_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over_in_child)
