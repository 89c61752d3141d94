"""How a process under a supervisor ends when its place is taken; the supervisor decides what follows."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from sternpost.base.errors import AlreadyRunning
from sternpost.cli.commands import Exit
from sternpost.server.supervisor import PLACE_TAKEN


@contextmanager
def ends_for_supervisor(*, is_supervised: bool) -> Generator[None]:
    """Tell the supervisor by an exit code that another process holds the place, which may end soon.

    So it is tried again, where other settings that can't be used end everything: after `kill -9` of `up` its
    processes need some seconds to go.
    """
    try:
        yield
    except AlreadyRunning as error:
        if not is_supervised:
            raise
        sys.stderr.write(f"sternpost: {error.message}\n")
        raise Exit(PLACE_TAKEN) from None
