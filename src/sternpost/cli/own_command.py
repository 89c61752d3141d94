"""How a command of ours is written so that it can be pasted in another terminal; not what it does."""

import shlex
import shutil
import sys
from pathlib import Path

from sternpost.assembly.environment import process_environment


def own_command(*words: str, home: Path | None = None) -> str:
    """Write a command line; `home` is named unless it is where the command looks by itself.

    The program stands with its whole path where a new terminal would not find it.
    """
    environment = process_environment()
    is_usual = home is None or home == Path(environment.get("HOME", ".")) / ".sternpost"
    folder = [] if home is None or is_usual else ["--home", str(home.absolute())]
    return shlex.join([_program(environment.get("PATH", "")), *words, *folder])


def _program(search: str) -> str:
    """Return `sternpost`, or its path: an activated environment is on PATH in this terminal alone."""
    ours = Path(sys.executable).with_name("sternpost")
    found = Path(shutil.which("sternpost", path=search) or ours)
    is_everywhere = found.parent != ours.parent and found.resolve() == ours.resolve()
    return "sternpost" if is_everywhere else str(ours if ours.exists() else found)
