"""Readiness is told at once, whatever the stores do."""

import threading
import time

from sternpost.assembly.part import PartState, Probe
from sternpost.server.operations import states_of


async def test_a_store_that_hangs_is_named_and_does_not_delay_the_answer() -> None:
    release = threading.Event()
    probes = [
        Probe("journal", lambda: PartState(True)),
        Probe("tables", lambda: PartState(False, "can't be reached")),
        Probe("trace_store", lambda: PartState(release.wait(10))),
    ]
    started_s = time.monotonic()
    parts = await states_of(probes)
    elapsed_s = time.monotonic() - started_s
    release.set()
    assert elapsed_s < 6  # the store answers after 10
    assert not parts["trace_store"].is_up
    assert "does not answer" in parts["trace_store"].reason
    assert parts["tables"] == PartState(False, "can't be reached")
    assert parts["journal"].is_up
