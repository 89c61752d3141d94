"""Chooses where traces are kept: the embedded engine of the data folder, or a ClickHouse server by URL."""

from sternpost.backends.engine.address import read_address
from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from sternpost.backends.trace_store.connections import server_address
from sternpost.base.settings import Settings
from sternpost.contracts.trace_store import TraceStore


def open_trace_store(settings: Settings) -> TraceStore:
    """Make the client; nothing is reached before the first query.

    Raises: ConfigurationError for a URL that can't be read.
    """
    if not settings.clickhouse_url:
        home = settings.home
        return ClickHouseTraceStore(lambda: read_address(home), query_timeout_s=settings.query_timeout_s)
    address, database = server_address(settings.clickhouse_url)
    return ClickHouseTraceStore(
        lambda: address,
        database=database,
        cluster=settings.clickhouse_cluster,
        query_timeout_s=settings.query_timeout_s,
    )
