"""The bounded pools for blocking work under an event loop, one per purpose; not for work that takes minutes.

What is slow in one pool never delays another: a search of a large store delays neither intake nor sign-in.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Pool:
    """Threads for one purpose; they start with the first work."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.threads = threads
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"sternpost-{name}")

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work off the event loop, in the context of the caller; the rest waits in order."""
        bound = partial(copy_context().run, partial(work, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._executor, bound)


TABLES: Final = Pool("tables", 8)  # keys, sign-in, files and batches
CALLS: Final = Pool("calls", 8)  # credentials of providers, and the translation of long requests
INTAKE: Final = Pool("intake", 4)  # spans on their way to the journal
# The embedded engine reads with 8 threads: what is left of them answers calls and probes.
READS: Final = Pool("reads", 5)  # queries of the trace store; `base.reads` limits each caller
LOOK_UPS: Final = Pool("look-ups", 2)  # queries of the trace store that a call waits for
BLOBS: Final = Pool("blobs", 4)  # media read from and written to the disk
UPLOADS: Final = Pool("uploads", 4)  # files on their way to the disk
PROBES: Final = Pool("probes", 4)  # whether the stores answer, and the ending of queries


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work of no other pool off the event loop; at most 8 run at once."""
    return await TABLES.run(work, *args, **kwargs)
