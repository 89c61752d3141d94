"""Chooses where traces are kept: the embedded engine of the data folder, or a ClickHouse server by URL."""

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from windlass.backends.engine.address import EngineAddress, read_address
from windlass.backends.trace_store.clickhouse import ClickHouseTraceStore
from windlass.base.errors import ConfigurationError
from windlass.base.settings import Settings
from windlass.contracts.trace_store import TraceStore


def open_trace_store(settings: Settings) -> TraceStore:
    """Make the client; nothing is reached before the first query.

    Raises: ConfigurationError for a URL that can't be read.
    """
    if not settings.clickhouse_url:
        home = settings.home
        return ClickHouseTraceStore(lambda: read_address(home), query_timeout_s=settings.query_timeout_s)
    address, database = _server_address(settings.clickhouse_url)
    return ClickHouseTraceStore(
        address,
        database=database,
        cluster=settings.clickhouse_cluster,
        query_timeout_s=settings.query_timeout_s,
    )


def _server_address(url: str) -> tuple[Callable[[], EngineAddress], str]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            "WINDLASS_CLICKHOUSE_URL must look like https://user:password@host:8443/database"
        )
    port = parts.port or (8443 if parts.scheme == "https" else 8123)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    address = EngineAddress(
        f"{parts.scheme}://{host}:{port}", unquote(parts.username or "default"), unquote(parts.password or "")
    )
    return (lambda: address), parts.path.strip("/") or "windlass"
