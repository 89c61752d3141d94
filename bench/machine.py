"""What the machine says of a process: CPU time and memory, read from Linux's /proc."""

import os
import platform
import timeit
from pathlib import Path

YARDSTICK_US = 53.0  # what `yardstick_us` says of our machines in a fast stretch; in a slow one it is 100
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return user and system time of a process, all threads, to a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def describe() -> dict[str, object]:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "python": platform.python_version(),
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "yardstick_us": {"usual": YARDSTICK_US, "seen": yardstick_us()},
    }


def yardstick_us() -> float:
    """Time a fixed loop: how fast the machine is just now, which doubles and halves within minutes."""
    loop = timeit.Timer("sum(number * number for number in range(1000))")
    return round(min(loop.repeat(5, 40)) / 40 * 1e6, 1)
