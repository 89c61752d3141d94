"""The engine process from start to stop: socket, address file, signals; not the protocol it speaks."""

import asyncio
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn

from sternpost.backends.engine.address import EngineAddress, remove_address, write_address, write_failure
from sternpost.backends.engine.embedded import EmbeddedEngine, EngineRefused, Limits
from sternpost.backends.engine.http import EngineApp
from sternpost.backends.engine.statement import Lane
from sternpost.base.errors import AlreadyRunning, ConfigurationError

logger = logging.getLogger(__name__)

USER = "sternpost"
_THREADS_BY_LANE: dict[Lane, int] = {"read": 8, "write": 4, "control": 1}
_FINISH_S = 10  # for what runs when the stop is asked for
_CLOSE_S = 5.0


def run_engine(
    home: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    password: str = "",
    memory_bytes: int = 2_000_000_000,
    threads: int = 2,
    on_ready: Callable[[EngineAddress], None] | None = None,
) -> None:
    """Serve the engine of a data folder until SIGTERM or SIGINT; run it in a separate process.

    port: 0 takes a free one. password: empty makes a random one, as an argument shows in `ps`.
    The address is in `engine.json` before `on_ready` is called and is withdrawn at the end.
    Raises: AlreadyRunning, ConfigurationError.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stay)
    engine = _open(home, Limits(memory_bytes, threads))
    listener = _listen(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    address = EngineAddress(url, USER, password or secrets.token_urlsafe(32), os.getpid())
    lanes: dict[Lane, ThreadPoolExecutor] = {
        lane: ThreadPoolExecutor(count, thread_name_prefix=f"engine-{lane}")
        for lane, count in _THREADS_BY_LANE.items()
    }
    server = _server(EngineApp(engine, address.user, address.password, lanes))
    write_address(home, address)
    logger.info("the trace engine answers on %s", url)
    if on_ready is not None:
        on_ready(address)
    try:
        asyncio.run(server.serve(sockets=[listener]))
    finally:
        remove_address(home, os.getpid())
        _close(engine, lanes["write"])


def _open(home: Path, limits: Limits) -> EmbeddedEngine:
    try:
        return EmbeddedEngine(home / "engine", limits)
    except AlreadyRunning:  # that one has its address there
        raise
    except ConfigurationError as error:
        write_failure(home, error.message)
        raise


def _stay(number: int, frame: object) -> None:
    """Outlive the signal: uvicorn raises it again when it stops, before the engine is closed."""


def _listen(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port), backlog=256)
        # Inherited by what it accepts. Without it each answer waits 40 ms for a delayed acknowledgement,
        # as asyncio sets it only on sockets made with an explicit protocol number.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise ConfigurationError(
            f"the trace engine can't listen on {host}:{port} ({error.strerror}); choose another port"
        ) from None


class _Server(uvicorn.Server):
    """Ends reads when it is stopped, and waits for writes."""

    def __init__(self, config: uvicorn.Config, engine: EmbeddedEngine) -> None:
        super().__init__(config)
        self._engine = engine

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await asyncio.to_thread(self._engine.cancel_reads)
        except EngineRefused:
            logger.exception("the engine's reads could not be ended")
        await super().shutdown(sockets)


def _server(app: EngineApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=_FINISH_S,
    )
    return _Server(config, app.engine)


def _close(engine: EmbeddedEngine, writes: ThreadPoolExecutor) -> None:
    """Finish writes and close the folder; bounded, as a kill loses nothing either."""
    writes.shutdown(wait=True, cancel_futures=True)
    closing = threading.Thread(target=engine.close, daemon=True)
    closing.start()
    closing.join(_CLOSE_S)
    if closing.is_alive():
        logger.warning("the engine did not close within %.0f s; leaving it", _CLOSE_S)
        os._exit(0)
