"""The lock that lets one Sternpost run on a data folder, and what it says of itself; not the processes."""

import fcntl
import json
import os
import stat
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sternpost.base.errors import AlreadyRunning, ConfigurationError
from sternpost.base.files import make_folder

LOCK_NAME = "sternpost.lock"
SERVING_LOCK_NAME = "serve.lock"
STATE_NAME = "processes.json"


def prepare_home(home: Path) -> None:
    """Make the data folder, readable by its owner alone. Raises: ConfigurationError."""
    try:
        make_folder(home)
        (home / ".writable").touch()
        (home / ".writable").unlink()
    except OSError as error:
        raise ConfigurationError(
            f"can't write to the data folder {str(home)!r} ({error.strerror}); choose another with --home"
        ) from error
    if stat.S_IMODE(home.stat().st_mode) & 0o077 and home.stat().st_uid == os.getuid():
        home.chmod(0o700)


@contextmanager
def hold_instance(home: Path, address: Mapping[str, object]) -> Generator[None]:
    """Hold the folder's lock while the block runs.

    Raises: AlreadyRunning, naming the process that holds it and where it listens.
    """
    with _hold(home / LOCK_NAME, address, _who_runs):
        yield


@contextmanager
def hold_serving(home: Path, url: str) -> Generator[None]:
    """Hold the place of the one `serve` of a folder: limits are counted in its memory, two would double them.

    Raises: AlreadyRunning, naming the process that holds it.
    """
    with _hold(home / SERVING_LOCK_NAME, {"url": url}, _who_serves):
        yield


@contextmanager
def _hold(path: Path, address: Mapping[str, object], refusal: Callable[[Path], str]) -> Generator[None]:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(_not_ours(path, error)) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(refusal(path)) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), **address}).encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def refuse_second(home: Path) -> None:
    """Raises: AlreadyRunning. Asked before the port, which the first instance holds too."""
    if running_address(home) is not None:
        raise AlreadyRunning(_who_runs(home / LOCK_NAME))


def running_address(home: Path) -> Mapping[str, object] | None:
    """Return what the running instance wrote of itself, None when none runs. Raises: ConfigurationError."""
    path = home / LOCK_NAME
    if not path.exists():
        return None
    try:
        opened = path.open("r+b")
    except OSError as error:
        raise ConfigurationError(_not_ours(path, error)) from error
    with opened as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = path.read_text(encoding="utf-8")
            return json.loads(text) if text else {}
    return None


def restarts_of(home: Path) -> Mapping[str, tuple[int, int]]:
    """Return process -> how often it was started again, and how often of these because it hung."""
    try:
        state = json.loads((home / STATE_NAME).read_text(encoding="utf-8"))
        return {one["name"]: (one["restarts"], one["hangs"]) for one in state["processes"]}
    except (OSError, ValueError, KeyError):  # none runs, or another version wrote it
        return {}


def _not_ours(path: Path, error: OSError) -> str:
    return f"can't open {str(path)!r} ({error.strerror}); run this as the user who owns the data folder"


def _who_runs(path: Path) -> str:
    return (
        f"Sternpost already runs on {str(path.parent)!r} ({_holder(path)}). Use it as it is, stop it first, "
        "or start another on its own folder and port: sternpost up --home DIR --port N"
    )


def _who_serves(path: Path) -> str:
    return (
        f"another `serve` answers for {str(path.parent)!r} ({_holder(path)}). Each counts limits for "
        "itself, so a second would double them: stop the first, or give this one its own folder (--home)"
    )


def _holder(path: Path) -> str:
    try:
        address = json.loads(path.read_text(encoding="utf-8"))
        return f"process {address['pid']}, {address['url']}"
    except (ValueError, KeyError):
        return "it is just starting"
