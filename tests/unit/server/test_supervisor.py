"""What the supervisor does when a process can't start; processes that die are told in the journeys."""

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from sternpost.base.errors import ConfigurationError
from sternpost.server.supervisor import Process, Supervisor


async def test_settings_that_a_needed_process_refuses_end_the_start(tmp_path: Path) -> None:
    refusing = Process("serve", ["serve", "--home", "/dev/null/x"], grace_s=5, is_needed=True)
    waiting = Process("worker", ["version"], grace_s=5)
    supervisor = Supervisor([refusing, waiting], tmp_path / "processes.json", lambda _: None)
    with pytest.raises(ConfigurationError, match="serve can't start"):
        await asyncio.wait_for(supervisor.run(), 20)
    assert refusing.restarts == 0
    assert not (tmp_path / "processes.json").exists()


async def test_the_screen_is_shown_once_however_often_serve_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shown: list[Mapping[str, object]] = []
    supervisor = Supervisor([], tmp_path / "state", shown.append)
    read_fd, write_fd = os.pipe()
    os.write(write_fd, b'{"url": "one"}\n{"url": "two"}\n')
    os.close(write_fd)
    await asyncio.wait_for(supervisor._read_announcements(read_fd), 5)
    assert shown == [{"url": "one"}]
    assert "calls are accepted again" in caplog.text
