"""What SIGHUP means: a request to reload, or that the terminal which `up` was started in is gone."""

import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hangup:
    """How the process stood to its terminal at its start."""

    has_terminal: bool
    outlives_it: bool  # nohup

    @classmethod
    def at_start(cls) -> "Hangup":
        return cls(_has_terminal(), signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)

    def is_terminal_gone(self) -> bool:
        """Say whether a signal that came now is the terminal's last one."""
        return self.has_terminal and not self.outlives_it and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
