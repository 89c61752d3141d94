"""A command that is printed runs in another terminal: with the program's path and the folder it is about."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sternpost.cli.own_command import own_command


def test_the_printed_command_runs_where_nothing_of_ours_is_on_path(tmp_path: Path) -> None:
    line = own_command("version", "--json")
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"version" in done.stdout


def test_an_activated_environment_is_not_taken_for_a_path_of_every_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = Path(sys.executable).with_name("sternpost")
    monkeypatch.setenv("PATH", str(ours.parent))
    assert shlex.split(own_command("up")) == [str(ours), "up"]


def test_a_link_on_path_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sternpost").symlink_to(Path(sys.executable).with_name("sternpost"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert own_command("up") == "sternpost up"


def test_the_folder_is_named_unless_it_is_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert shlex.split(own_command("up", home=tmp_path / ".sternpost"))[1:] == ["up"]
    assert shlex.split(own_command("up", home=Path("my data")))[1:] == ["up", "--home", f"{tmp_path}/my data"]
