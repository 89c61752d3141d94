import socket
import time

import pytest

from sternpost.backends.engine.address import EngineAddress
from sternpost.backends.trace_store.clickhouse import ClickHouseTraceStore
from sternpost.base.errors import StoreUnavailable


def test_an_engine_that_takes_connections_and_hangs_is_given_up_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes connections; nobody answers
        address = EngineAddress(f"http://127.0.0.1:{silent.getsockname()[1]}", "default", "")
        store = ClickHouseTraceStore(lambda: address)
        started_s = time.monotonic()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            store.query("SELECT 1")
        store.close()
    assert time.monotonic() - started_s < 30
