"""Starts that must not succeed end with a sentence and exit code 2, and leave nothing running behind."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.engine import EngineProcess
from tests.support.running import run_sternpost

ASK = {"model": "offline/extract-large", "messages": [{"role": "user", "content": "Say something."}]}


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a trace in the store and an empty journal, at rest."""
    home = tmp_path_factory.mktemp("used") / "home"
    with run_sternpost(home) as running:
        _, headers, _ = running.request("POST", "/v1/chat/completions", ASK)
        running.trace(headers["x-sternpost-trace-id"])
    return home


@pytest.fixture
def home(used: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used, tmp_path / "home", symlinks=True))


def refusal(home: Path, command: Sequence[str] = ("up",)) -> str:
    """Start, wait for the end, and return what it said; the exit code must be that of wrong use."""
    program = [sys.executable, "-m", "sternpost.cli.main", *command, "--home", str(home), "--port", "0"]
    done = subprocess.run(
        program, cwd=home, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_tables_that_are_gone_beside_traces_are_a_loss_until_new_ones_are_asked_for(home: Path) -> None:
    for path in home.glob("tables.sqlite*"):
        path.unlink()
    shutil.rmtree(home / "journal")  # the traces in the engine are enough
    said = refusal(home)
    assert "tables.sqlite' is missing, but the data folder has traces" in said
    assert "sternpost up --new-tables" in said
    assert not (home / "tables.sqlite").exists()
    with run_sternpost(home, flags=["--new-tables"]) as running:
        assert running.key


def test_a_trace_store_of_a_newer_version_ends_the_start(home: Path) -> None:
    engine = EngineProcess(home)
    engine.start()
    engine.store().command("INSERT INTO schema_migrations (version, name) VALUES (9999, 'future')")
    engine.stop()
    said = refusal(home)
    assert "the trace store has schema 9999" in said
    assert "worker can't run with these settings and this data" in said
    assert not (home / "processes.json").exists()


def test_a_second_serve_on_the_folder_is_refused(home: Path) -> None:
    with run_sternpost(home) as running:
        said = refusal(home, ["serve"])
        assert "another `serve` answers for" in said
        assert running.base_url in said
        assert running.get("/healthz") == {"status": "alive"}
