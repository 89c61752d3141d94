"""A real file system of a few megabytes, for tests of a full disk; needs the right to mount one."""

import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(megabytes: int) -> Generator[Path]:
    """Mount a file system of that size for the length of the block; skip the test where that is refused."""
    with tempfile.TemporaryDirectory(prefix="sternpost-disk-") as folder:
        options = f"size={megabytes}m"
        try:
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
            )
        except FileNotFoundError:
            pytest.skip("a full disk can't be made: there is no mount command here")
        if mounted.returncode:
            pytest.skip(f"a full disk can't be made: {mounted.stderr.decode().strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
