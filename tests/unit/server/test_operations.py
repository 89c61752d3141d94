"""Readiness is told at once, whatever the stores do."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from sternpost.assembly.build import House
from sternpost.contracts.journal import JournalState
from sternpost.server.operations import PartState, parts_of


async def test_a_store_that_hangs_is_named_and_does_not_delay_the_answer(tmp_path: Path) -> None:
    release = threading.Event()
    house = SimpleNamespace(
        journal=SimpleNamespace(state=lambda: JournalState(True, "", 0, 7)),
        tables=SimpleNamespace(ping=lambda: False),
        store=SimpleNamespace(trouble=lambda: "" if release.wait(10) else "late"),
        settings=SimpleNamespace(home=tmp_path),
    )
    started_s = time.monotonic()
    parts = await parts_of(cast("House", house))
    elapsed_s = time.monotonic() - started_s
    release.set()
    assert elapsed_s < 6  # the store answers after 10
    assert not parts["trace_store"].is_up
    assert "does not answer" in parts["trace_store"].reason
    assert parts["tables"] == PartState(False, "can't be reached")
    assert parts["journal"].is_up
