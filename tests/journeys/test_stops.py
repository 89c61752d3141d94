"""A stop closes everything in order, so that nothing waits for the next start."""

from pathlib import Path

from sternpost.assembly.local import open_access
from sternpost.base.settings import Settings
from tests.support.running import run_sternpost


def test_a_stop_writes_down_when_keys_were_last_used(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with run_sternpost(home) as server:
        status, _, _ = server.request("GET", "/v1/models")
        assert status == 200
        server.stop()

    with open_access(Settings(home=home)) as access:
        (key,) = access.list_keys().items
    assert key.last_used_ns is not None
