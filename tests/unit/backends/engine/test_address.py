import stat
from pathlib import Path

import pytest

from sternpost.backends.engine.address import EngineAddress, read_address, remove_address, write_address
from sternpost.base.errors import StoreUnavailable

ADDRESS = EngineAddress("http://127.0.0.1:1234", "sternpost", "s3cret", 42)


def test_an_address_is_read_as_written_and_by_its_owner_alone(tmp_path: Path) -> None:
    write_address(tmp_path, ADDRESS)

    assert read_address(tmp_path) == ADDRESS
    assert stat.S_IMODE((tmp_path / "engine.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["engine.json"]


def test_the_password_is_not_in_the_text_of_an_address() -> None:
    assert "s3cret" not in repr(ADDRESS)


@pytest.mark.parametrize("text", [None, "", "{", "{}"])
def test_no_address_means_no_engine(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "engine.json").write_text(text)

    with pytest.raises(StoreUnavailable, match="not running"):
        read_address(tmp_path)


def test_an_engine_withdraws_its_own_address_and_not_its_successor_s(tmp_path: Path) -> None:
    write_address(tmp_path, ADDRESS)

    remove_address(tmp_path, 41)
    assert read_address(tmp_path) == ADDRESS
    remove_address(tmp_path, 42)
    assert not (tmp_path / "engine.json").exists()
