"""Files that are whole or not there, and the order in which they reach the disk."""

import os
from pathlib import Path

import pytest

from sternpost.base.files import make_folder, write_file


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is brought to the disk and renamed, in order; the calls are still made."""
    seen: list[str] = []
    sync, rename = os.fsync, os.rename

    def name_of(handle: int) -> str:
        return Path(f"/proc/self/fd/{handle}").readlink().name

    def fsync(handle: int) -> None:
        seen.append(f"sync {name_of(handle)}")
        sync(handle)

    def replace(path: Path, target: Path) -> Path:
        seen.append(f"rename {path.name} to {target.name}")
        rename(path, target)
        return target

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    return seen


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="file names of handles are read from /proc")
def test_the_content_is_on_the_disk_before_its_name_and_the_name_before_the_answer(
    tmp_path: Path, steps: list[str]
) -> None:
    write_file(tmp_path / "a", b"one")
    assert steps == ["sync a.new", "rename a.new to a", f"sync {tmp_path.name}"]
    assert (tmp_path / "a").read_bytes() == b"one"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="file names of handles are read from /proc")
def test_each_new_folder_is_on_the_disk_in_the_one_that_holds_it(tmp_path: Path, steps: list[str]) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert steps == [f"sync {tmp_path.name}", "sync a"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "a", b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_file(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
