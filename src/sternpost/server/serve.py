"""Runs the serving process: opens the app, serves it with uvicorn, drains on SIGTERM."""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from typing import NoReturn

import uvicorn

from sternpost import __version__
from sternpost.assembly.build import App, open_app
from sternpost.assembly.environment import process_environment
from sternpost.assembly.heartbeat import Heart
from sternpost.assembly.in_force import in_force
from sternpost.assembly.local import sign_in_url
from sternpost.assembly.logs import configure_logs
from sternpost.assembly.parent import end_with_parent
from sternpost.base.collection import leave_out_of_collection
from sternpost.base.settings import Settings
from sternpost.base.threads import in_thread
from sternpost.capabilities.configuration.events import SIGNAL
from sternpost.server.app import SternpostApp
from sternpost.server.bounds import Bounds, Door, connections_for, raise_file_limit
from sternpost.server.front import protocol_for
from sternpost.server.metrics import GatewayMetrics

logger = logging.getLogger(__name__)

_LAST_WORDS_S = 1.0  # for the errors of open calls to be written
_TICKS_PER_S = 10  # of uvicorn's main loop
_FORM_BYTES = 1_000_000  # around a file
_KEEP_ALIVE = [
    (getattr(socket, name), value)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
    if hasattr(socket, name)  # not on every system
]


def run(settings: Settings, *, announce_fd: int | None, heartbeat_fd: int | None) -> None:
    """Serve until SIGTERM; open calls are finished first, for at most `drain_s` seconds.

    announce_fd: where one JSON line is written once calls are accepted.
    heartbeat_fd: where a supervisor looks for signs of life; None: there is none. Raises: ConfigurationError.
    """
    configure_logs(settings, "serve")
    if heartbeat_fd is not None:
        end_with_parent()
    # uvicorn raises the signal that it served until once more: by default that would end the process before
    # all is closed, with the intake process and the journal still open.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, announce_fd, Heart(heartbeat_fd)))


async def _serve(settings: Settings, announce_fd: int | None, heart: Heart) -> None:
    heart.beat_from_loop()
    environment = process_environment()
    metrics = GatewayMetrics()
    base_url = f"http://{settings.host}:{settings.port}"
    async with open_app(settings, environment, in_force(settings, environment), metrics) as app:
        asgi = SternpostApp(app, metrics, base_url=base_url)
        _reload_on_hangup(app)
        server = _Server(asgi, settings, lambda: _announce(app, base_url, announce_fd))
        await server.serve()


def _reload_on_hangup(app: App) -> None:
    """Read the configuration again on SIGHUP, which a supervisor keeps back until now."""
    loop, reloads = asyncio.get_running_loop(), set[asyncio.Task[object]]()

    def reload() -> None:
        task = loop.create_task(in_thread(app.open.configuration.reload, SIGNAL))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


class _Server(uvicorn.Server):
    """uvicorn, that says when calls are accepted, and ends open calls in their dialect, not by a cut."""

    def __init__(self, app: SternpostApp, settings: Settings, on_ready: Callable[[], None]) -> None:
        most = connections_for(raise_file_limit(), settings.max_connections)
        unwanted_bytes = max(settings.max_body_bytes, settings.max_file_bytes)
        self._door = Door(Bounds(connections=most, drain_bytes=unwanted_bytes + _FORM_BYTES))
        super().__init__(_server_config(app, settings, self._door))
        self._app = app
        self._patience_s = max(0.0, settings.drain_s - _LAST_WORDS_S)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._notice_lost_callers()
            leave_out_of_collection()
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        timer = asyncio.get_running_loop().call_later(self._patience_s, self._interrupt)
        await super().shutdown(sockets)
        timer.cancel()

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_PER_S == 0:
            self._door.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def _notice_lost_callers(self) -> None:
        """Let the system ask callers whose machine or network is gone; their sockets inherit this."""
        for server in self.servers:
            for listener in server.sockets:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for option, value in _KEEP_ALIVE:
                    listener.setsockopt(socket.IPPROTO_TCP, option, value)

    def _interrupt(self) -> None:
        if count := self._app.interrupt_calls():
            logger.warning("%d calls were still open after %.0f s and were ended", count, self._patience_s)


def _server_config(app: SternpostApp, settings: Settings, door: Door) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol_for(door),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        headers=[("x-content-type-options", "nosniff")],
        timeout_graceful_shutdown=max(1, round(settings.drain_s)),
    )


def _announce(app: App, base_url: str, announce_fd: int | None) -> None:
    facts: dict[str, object] = {"url": base_url, "version": __version__, "pid": os.getpid()}
    if (first := app.open.access.first_start) is not None:
        facts["key"] = first.key.key
        facts["sign_in_url"] = sign_in_url(app.open.settings, base_url, first.link.token)
    if announce_fd is None:
        logger.info("calls are accepted at %s", base_url)
        return
    _write_line(announce_fd, facts)


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def _write_line(announce_fd: int, facts: Mapping[str, object]) -> None:
    with os.fdopen(announce_fd, "w", closefd=False) as pipe:
        pipe.write(json.dumps(facts) + "\n")


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """uvloop where it exists (not on Windows)."""
    try:
        import uvloop  # noqa: PLC0415  # an optional extra of the platform
    except ImportError:
        return None
    return uvloop.Loop
