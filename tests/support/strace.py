"""Whether system calls of a process can be watched here; Linux with strace, and allowed to trace."""

import shutil
import subprocess

import pytest

STRACE = shutil.which("strace") or "strace"


def _can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run([STRACE, "true"], capture_output=True, check=False).returncode == 0


needs_strace = pytest.mark.skipif(not _can_trace(), reason="strace is not installed, or may not trace here")
