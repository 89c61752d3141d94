"""The lock of a data folder; a lock that can't be opened is explained."""

from pathlib import Path

import pytest

from windlass.base.errors import AlreadyRunning, ConfigurationError
from windlass.server.instance import LOCK_NAME, hold_instance, running_address


def test_a_second_instance_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with hold_instance(tmp_path, {"url": "http://one"}):
        assert running_address(tmp_path)["url"] == "http://one"  # type: ignore[index]
        with pytest.raises(AlreadyRunning, match="http://one"), hold_instance(tmp_path, {"url": "two"}):
            pytest.fail("two instances hold one folder")
    assert running_address(tmp_path) is None


def test_a_lock_of_somebody_else_is_explained(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).mkdir()  # opening it fails, as with the file of another user
    with pytest.raises(ConfigurationError, match="owns the data folder"):
        running_address(tmp_path)
    with pytest.raises(ConfigurationError, match="owns the data folder"), hold_instance(tmp_path, {}):
        pytest.fail("a folder was taken for a lock")
