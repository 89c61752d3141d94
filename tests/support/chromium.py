"""Finds a Chromium, installs Debian's where that is allowed, else says so in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium: STERNPOST_CHROMIUM, else one on PATH."""
    named = os.environ.get("STERNPOST_CHROMIUM")
    if named and Path(named).exists():
        return named
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def install_chromium() -> str | None:
    """Install Debian's package when running as root on a Debian; None when that can't be done."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    print("installing Debian's chromium for the browser tests ...", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        answer = subprocess.run(command, env=quiet, capture_output=True, check=False)
        if answer.returncode != 0:
            return None
    return find_chromium()


if __name__ == "__main__":
    if find_chromium() is None and install_chromium() is None:
        print(
            "no Chromium found and none could be installed: the browser tests will not run", file=sys.stderr
        )
