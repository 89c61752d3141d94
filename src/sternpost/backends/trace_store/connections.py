"""One driver client per thread, following the engine to a new address; not what is asked through it."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver import options
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from sternpost.backends.engine.address import EngineAddress
from sternpost.backends.trace_store.failures import is_out_of_reach
from sternpost.base.errors import ConfigurationError, SternpostError

T = TypeVar("T")

# The driver logs a traceback per lost connection, and values of rows it can't encode; both are raised anyway.
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
# Each insert checks whether its rows are a data frame and loads pandas, numpy and pyarrow (76 MB) to do so.
# Ours are lists. Set in the driver alone, so that other code can import numpy.
for _library in ("pd", "pd_time_test", "np", "arrow", "pl"):
    setattr(options, _library, None)

DEFAULT_DATABASE = "sternpost"
CONNECT_S = 3.0


class Answer(Protocol):
    """What a query gave."""

    @property
    def column_names(self) -> Sequence[str]: ...
    @property
    def result_rows(self) -> Sequence[Sequence[object]]: ...
    @property
    def summary(self) -> Mapping[str, str]: ...


class Inserted(Protocol):
    """What an insert gave."""

    @property
    def written_rows(self) -> int: ...


class Driver(Protocol):
    """The part of clickhouse-connect's client that is used; its own types are incomplete."""

    database: str | None
    timeout: Timeout

    def query(
        self, query: str, parameters: dict[str, object] | None, settings: Mapping[str, object], /
    ) -> Answer: ...
    def command(
        self, cmd: str, parameters: dict[str, object] | None = None, *, use_database: bool = True
    ) -> object: ...
    def insert(
        self,
        table: str,
        data: Sequence[Sequence[object]],
        column_names: Sequence[str],
        *,
        settings: Mapping[str, object],
    ) -> Inserted: ...
    def close(self) -> None: ...


class _Library(Protocol):
    def get_client(self, **settings: object) -> Driver: ...


@dataclass(frozen=True, slots=True)
class _Held:
    address: EngineAddress
    driver: Driver
    pool: PoolManager | None

    def close(self) -> None:
        self.driver.close()
        if self.pool is not None:
            self.pool.clear()


class Connections:
    """Hands each thread its own client. `address` is asked at each use, so that restarts are followed."""

    def __init__(self, address: Callable[[], EngineAddress], database: str) -> None:
        self._address = address
        self._database = database
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[_Held] = []

    def reach(self, work: Callable[[Driver], T], explain: Callable[[Exception], SternpostError]) -> T:
        """Do the work with this thread's client; once more when the engine has moved in the meantime.

        Repeating is safe: reads change nothing, and a row written twice is one row at read.
        Raises: what `explain` makes of the driver's error.
        """
        address = self._address()
        try:
            return work(self._driver(address))
        except (ClickHouseError, HTTPError, OSError) as error:
            if not is_out_of_reach(error):
                raise explain(error) from error
            self._drop()
            moved_to = self._address()
            if moved_to == address:
                raise explain(error) from error
        try:
            return work(self._driver(moved_to))
        except (ClickHouseError, HTTPError, OSError) as error:
            if is_out_of_reach(error):
                self._drop()
            raise explain(error) from error

    def close(self) -> None:
        with self._lock:
            opened, self._open = self._open, []
        self._local = threading.local()
        for held in opened:
            held.close()

    def _driver(self, address: EngineAddress) -> Driver:
        held = cast("_Held | None", getattr(self._local, "held", None))
        if held is not None and held.address == address:
            return held.driver
        self._drop()
        held = _connect(address, self._database)
        self._local.held = held
        with self._lock:
            self._open.append(held)
        return held.driver

    def _drop(self) -> None:
        held = cast("_Held | None", getattr(self._local, "held", None))
        if held is None:
            return
        self._local.held = None
        with self._lock:
            self._open = [other for other in self._open if other is not held]
        held.close()


def server_address(url: str) -> tuple[EngineAddress, str]:
    """Read `http(s)://user:password@host:port/database` into an address and a database.

    Raises: ConfigurationError.
    """
    parts = urlsplit(url)
    try:
        given_port = parts.port
    except ValueError:  # its words would quote what stands there: a password that was not escaped
        given_port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or given_port == 0:
        raise ConfigurationError(
            "STERNPOST_CLICKHOUSE_URL must look like https://user:password@host:8443/database "
            "(write / @ : # of a password as %2F %40 %3A %23)"
        ) from None
    port = given_port or (8443 if parts.scheme == "https" else 8123)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    user, password = unquote(parts.username or "default"), unquote(parts.password or "")
    database = unquote(parts.path.strip("/")) or DEFAULT_DATABASE
    return EngineAddress(f"{parts.scheme}://{host}:{port}", user, password), database


def _connect(address: EngineAddress, database: str) -> _Held:
    parts = urlsplit(address.url)
    is_local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    # Given a pool, the driver does not look for a proxy in the environment: none leads to our own machine.
    pool = PoolManager(maxsize=2) if is_local else None
    driver = cast("_Library", clickhouse_connect).get_client(
        interface=parts.scheme,
        host=parts.hostname,
        port=parts.port,
        username=address.user,
        password=address.password,
        compress=not is_local,
        connect_timeout=int(CONNECT_S),
        send_receive_timeout=int(CONNECT_S),  # of the handshake; each use sets its own (the default is 300)
        query_retries=0,  # `reach` knows when repeating helps
        autogenerate_session_id=False,  # a session runs one query at a time
        pool_mgr=pool,
        dedicated_pool=pool is None,
        client_name="sternpost",
    )
    driver.database = database  # only now: a client must connect before `migrate` has made the database
    return _Held(address, driver, pool)
