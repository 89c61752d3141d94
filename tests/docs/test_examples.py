"""Every block of the documentation marked `run` runs against a running Sternpost, page by page, in order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, Block, blocks_of, name_of
from tests.support.running import RunningSternpost

_RUNNABLE = {page: [block for block in blocks_of(page) if "run" in block.words] for page in PAGES}


@pytest.fixture
def environment(sternpost_server: RunningSternpost, tmp_path: Path) -> dict[str, str]:
    """What the pages tell the reader to export."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {
        **clean,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "STERNPOST_HOME": str(sternpost_server.home),
        "STERNPOST_BASE_URL": sternpost_server.base_url,
        "STERNPOST_API_KEY": sternpost_server.key,
        "STERNPOST_SPILL_FOLDER": str(tmp_path / "spans"),
        "OPENAI_BASE_URL": f"{sternpost_server.base_url}/v1",
        "OPENAI_API_KEY": sternpost_server.key,
        "ANTHROPIC_BASE_URL": sternpost_server.base_url,
        "ANTHROPIC_API_KEY": sternpost_server.key,
    }


def run(block: Block, folder: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
    done = subprocess.run(
        [*command, block.text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{name_of(block.page)}:{block.line}\n{done.stdout}{done.stderr}"


@pytest.mark.journey
@pytest.mark.parametrize("page", [page for page in PAGES if _RUNNABLE[page]], ids=name_of)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    for block in _RUNNABLE[page]:
        run(block, tmp_path, environment)


def test_only_python_and_bash_are_marked_to_run() -> None:
    languages = {block.language for blocks in _RUNNABLE.values() for block in blocks}

    assert languages == {"python", "bash"}
