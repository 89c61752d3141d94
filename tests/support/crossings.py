"""Runs what crosses capabilities and kills it between any two of its steps; a step is a write to the tables.

A kill is what `kill -9` leaves of a process: its transaction is rolled back, or was committed a moment ago,
and nothing is written after it. Then the same runs again on what is left, to its end.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.contracts.tables import Tables


class Killed(BaseException):
    """The process is no more."""


@dataclass
class KillableTables:
    """Tables of a process that dies at its write number `at`: before it (nothing is kept), or right after."""

    tables: SqlTables
    at: int
    is_after: bool
    killed: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    writes: int = 0
    is_dead: bool = False

    def read(self) -> AbstractContextManager[Connection]:
        self._refuse_dead()
        return self.tables.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._refuse_dead()
        with self.tables.write() as connection:
            self.writes += 1  # here, behind the lock of the only writer
            is_last = self.writes == self.at
            yield connection
            if is_last and not self.is_after:
                self._die()
        if is_last:
            self._die()

    def migrate(self) -> None:
        self.tables.migrate()

    def ping(self) -> bool:
        return not self.is_dead and self.tables.ping()

    def close(self) -> None:
        self.tables.close()

    def _die(self) -> None:
        self.is_dead = True
        self.loop.call_soon_threadsafe(self.killed.set)
        raise Killed

    def _refuse_dead(self) -> None:
        if self.is_dead:
            raise Killed


async def kill_between_steps(
    folder: Path,
    prepare: Callable[[Tables], None],
    cross: Callable[[Tables], Awaitable[None]],
    check: Callable[[Tables], None],
) -> int:
    """Run `cross` with a kill at each of its steps, and again after each; return how many kills there were.

    prepare: makes the state before. cross: works until nothing more is due. check: what must hold at the end.
    """
    start = _tables_in(folder / "start")
    prepare(start)
    start.close()
    kills = 0
    for step in count(1):
        was_killed = False
        for is_after in (False, True):
            home = shutil.copytree(folder / "start", folder / f"{step}-{is_after}")
            was_killed = await _run_killed(home, cross, step, is_after=is_after)
            kills += was_killed
            left = _tables_in(home)
            await cross(left)
            check(left)
            left.close()
        if not was_killed:
            return kills
    raise AssertionError  # `count` has no end


async def _run_killed(
    home: Path, cross: Callable[[Tables], Awaitable[None]], step: int, *, is_after: bool
) -> bool:
    doomed = KillableTables(_tables_in(home), step, is_after)
    doomed.loop.set_exception_handler(_expect_kills)
    work, death = asyncio.ensure_future(cross(doomed)), asyncio.ensure_future(doomed.killed.wait())
    await asyncio.wait((work, death), return_when=asyncio.FIRST_COMPLETED)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if doomed.is_dead:
            task.cancel()  # nothing of a process outlives it
            with suppress(BaseException):
                await task
    death.cancel()
    if not doomed.is_dead:
        await work
    doomed.close()
    return doomed.is_dead


def _expect_kills(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)


def _tables_in(folder: Path) -> SqlTables:
    folder.mkdir(parents=True, exist_ok=True)
    tables = SqlTables(sqlite_url(folder))
    tables.migrate()
    return tables
