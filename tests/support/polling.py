"""Waiting for a condition with a deadline."""

import asyncio
import time
from collections.abc import Callable


async def until(is_met: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Look every 10 ms until the condition holds. Raises: TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not is_met():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true in time")
        await asyncio.sleep(0.01)
