"""The JavaScript SDKs `openai`, `@anthropic-ai/sdk` and Vercel `ai` work against Sternpost.

The journeys stand in `js/`, one `test(...)` each; Node runs a file once and each is reported as a case here.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import PAGES, Block, blocks_of
from tests.support.fake_provider import FakeProvider
from tests.support.node import node_environment
from tests.support.running import RunningSternpost

# One worker installs the packages and runs the files: two would delete each other's node_modules.
pytestmark = pytest.mark.xdist_group("javascript")

FOLDER = Path(__file__).with_name("js")
FILES = sorted(FOLDER.glob("*.test.mjs"))
CASES = [
    (path.name, name) for path in FILES for name in re.findall(r'^test\("(.+)", ', path.read_text(), re.M)
]
SHOWN = [block for page in PAGES for block in blocks_of(page) if block.language == "js"]


@pytest.fixture(scope="module")
def packages() -> Path:
    """Install what the lockfile names, once: afterwards no network is needed."""
    installed = FOLDER / "node_modules" / ".complete"  # npm's own list is there before its packages are
    lock = FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(command, cwd=FOLDER, env=node_environment(), check=True, timeout=300)
        installed.touch()
    return FOLDER


@pytest.fixture(scope="module")
def outcomes(
    packages: Path, sternpost_server: RunningSternpost, provider: FakeProvider
) -> dict[tuple[str, str], dict[str, Any]]:
    """Run every file one after the other, since they share the fake provider."""
    environment = {
        **node_environment(),
        "STERNPOST_BASE_URL": sternpost_server.base_url,
        "STERNPOST_API_KEY": sternpost_server.key,
        "FAKE_PROVIDER_URL": provider.url,
    }
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path in FILES:
        command = ["node", "--test-reporter=./report.mjs", "--test-timeout=60000", path.name]
        done = subprocess.run(
            command, cwd=packages, env=environment, capture_output=True, text=True, timeout=200, check=False
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"test":')]
        assert lines, f"{path.name} ran no test\n{done.stdout}{done.stderr}"
        found |= {(path.name, line["test"]): line for line in lines}
    return found


@pytest.mark.parametrize(("file", "name"), CASES, ids=lambda word: word.replace(".test.mjs", ""))
def test_journey(outcomes: dict[tuple[str, str], dict[str, Any]], file: str, name: str) -> None:
    outcome = outcomes[file, name]
    assert outcome["passed"], outcome["error"]


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: f"{block.page.name}:{block.line}")
def test_javascript_in_the_documentation_runs(
    packages: Path, sternpost_server: RunningSternpost, block: Block
) -> None:
    script = packages / "node_modules" / f"shown-{block.line}.mjs"  # where its imports are found
    script.write_text(block.text, encoding="utf-8")
    environment = {
        **node_environment(),
        "OPENAI_BASE_URL": f"{sternpost_server.base_url}/v1",
        "OPENAI_API_KEY": sternpost_server.key,
        "ANTHROPIC_BASE_URL": sternpost_server.base_url,
        "ANTHROPIC_API_KEY": sternpost_server.key,
    }
    done = subprocess.run(
        ["node", str(script)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "blue" in done.stdout


def test_no_journey_is_left_out() -> None:
    written = sum(path.read_text().count("\ntest(") for path in FILES)
    assert len(CASES) == len(set(CASES)) == written > 20
