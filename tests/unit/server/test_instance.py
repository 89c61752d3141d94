"""The lock of a data folder; a lock that can't be opened is explained."""

from pathlib import Path

import pytest

from sternpost.base.errors import AlreadyRunning, ConfigurationError
from sternpost.server.instance import (
    LOCK_NAME,
    hold_instance,
    hold_serving,
    prepare_home,
    refuse_second,
    running_address,
)


def test_a_second_instance_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with hold_instance(tmp_path, {"url": "http://one"}):
        assert running_address(tmp_path)["url"] == "http://one"  # type: ignore[index]
        with pytest.raises(AlreadyRunning, match="http://one"), hold_instance(tmp_path, {"url": "two"}):
            pytest.fail("two instances hold one folder")
        with pytest.raises(AlreadyRunning, match="http://one"):
            refuse_second(tmp_path)
    assert running_address(tmp_path) is None
    refuse_second(tmp_path)


def test_a_second_serve_is_refused_beside_up_or_alone(tmp_path: Path) -> None:
    with (
        hold_instance(tmp_path, {"url": "http://one"}),
        hold_serving(tmp_path, "http://one"),
        pytest.raises(AlreadyRunning, match=r"another `serve`.*http://one.*limits"),
        hold_serving(tmp_path, "http://two"),
    ):
        pytest.fail("two processes serve one folder")
    with hold_serving(tmp_path, "http://two"):
        assert running_address(tmp_path) is None


def test_a_lock_of_somebody_else_is_explained(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).mkdir()  # opening it fails, as with the file of another user
    with pytest.raises(ConfigurationError, match="owns the data folder"):
        running_address(tmp_path)
    with pytest.raises(ConfigurationError, match="owns the data folder"), hold_instance(tmp_path, {}):
        pytest.fail("a folder was taken for a lock")


def test_a_lock_that_says_nothing_yet_is_one_that_is_starting(tmp_path: Path) -> None:
    with hold_instance(tmp_path, {}):
        (tmp_path / LOCK_NAME).write_text("")
        assert running_address(tmp_path) == {}
        with pytest.raises(AlreadyRunning, match="just starting"), hold_instance(tmp_path, {}):
            pytest.fail("two instances hold one folder")


def test_a_lock_left_by_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text('{"pid": 1, "url": "http://dead"}')
    assert running_address(tmp_path) is None
    with hold_instance(tmp_path, {"url": "http://new"}):
        assert running_address(tmp_path) is not None


def test_a_data_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)
    for name in ("old", "new"):
        prepare_home(tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700


def test_a_file_in_place_of_the_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="--home"):
        prepare_home(tmp_path / "file")
