"""What the supervisor does when a process can't start; processes that die are told in the journeys."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from sternpost.assembly.tables import open_tables
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings
from sternpost.server.instance import hold_serving
from sternpost.server.supervisor import Process, Supervisor
from tests.support.running import wait_until


async def test_settings_that_a_needed_process_refuses_end_the_start(tmp_path: Path) -> None:
    refusing = Process("serve", ["serve", "--home", "/dev/null/x"], grace_s=5)
    waiting = Process("worker", ["version"], grace_s=5)
    supervisor = Supervisor([refusing, waiting], tmp_path / "processes.json", lambda _: None)
    with pytest.raises(ConfigurationError, match="serve can't run"):
        await asyncio.wait_for(supervisor.run(), 20)
    assert refusing.restarts == 0
    assert not (tmp_path / "processes.json").exists()


async def test_data_of_a_newer_version_ends_everything_whichever_process_finds_it(tmp_path: Path) -> None:
    tables = open_tables(Settings(home=tmp_path))
    with tables.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    tables.close()
    worker = Process("worker", ["worker", "--home", str(tmp_path)], grace_s=5, has_run_well=True)
    supervisor = Supervisor([worker], tmp_path / "processes.json", lambda _: None)
    with pytest.raises(ConfigurationError, match="worker can't run with these settings and this data"):
        await asyncio.wait_for(supervisor.run(), 30)
    assert worker.restarts == 0


@pytest.mark.parametrize("is_spare", [True, False])
async def test_what_calls_can_do_without_is_tried_again_once_it_has_run_well(
    tmp_path: Path, is_spare: bool
) -> None:
    refusing = Process("engine", ["version", "--no-such-option"], 5, is_spare=is_spare, has_run_well=True)
    supervisor = Supervisor([refusing], tmp_path / "processes.json", lambda _: None)
    running = asyncio.create_task(supervisor.run())
    await asyncio.to_thread(
        wait_until, lambda: refusing.restarts == 2 or running.done(), what="the next starts, or the end"
    )
    assert running.done() is not is_spare
    supervisor._stop.set()
    with contextlib.suppress(ConfigurationError):
        await asyncio.wait_for(running, 20)


async def test_a_place_that_is_taken_is_tried_again_until_it_is_free(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["serve", "--home", str(tmp_path), "--port", "0", "--heartbeat-fd", "{heartbeat_fd}"]
    serve = Process("serve", arguments, grace_s=10)
    supervisor = Supervisor([serve], tmp_path / "processes.json", lambda _: None)
    with hold_serving(tmp_path, "http://old"):
        running = asyncio.create_task(supervisor.run())
        await asyncio.to_thread(wait_until, lambda: serve.restarts == 2, what="the next starts")
    await asyncio.to_thread(wait_until, lambda: serve.pulse and serve.pulse.is_begun, what="a sign of life")
    supervisor._stop.set()
    await asyncio.wait_for(running, 20)
    assert "another `serve` answers for" in capfd.readouterr().err


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
