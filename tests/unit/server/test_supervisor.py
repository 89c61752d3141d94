"""What the supervisor does when a process can't start; processes that die are told in the journeys."""

import asyncio
from pathlib import Path

import pytest

from windlass.base.errors import ConfigurationError
from windlass.server.supervisor import Process, Supervisor


async def test_settings_that_a_needed_process_refuses_end_the_start(tmp_path: Path) -> None:
    refusing = Process("serve", ["serve", "--home", "/dev/null/x"], grace_s=5, is_needed=True)
    waiting = Process("worker", ["version"], grace_s=5)
    supervisor = Supervisor([refusing, waiting], tmp_path / "processes.json", lambda _: None)
    with pytest.raises(ConfigurationError, match="serve can't start"):
        await asyncio.wait_for(supervisor.run(), 20)
    assert refusing.restarts == 0
    assert not (tmp_path / "processes.json").exists()
