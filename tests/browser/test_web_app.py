"""The web app's pages in a real browser against a real Windlass; what each page must do is in web/e2e."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chromium import find_chromium
from tests.support.node import node_environment
from tests.support.running import RunningWindlass, run_windlass

WEB = Path(__file__).resolve().parents[2] / "web"
BUILT = Path(__file__).resolve().parents[2] / "src" / "windlass" / "_ui" / "index.html"


@pytest.mark.browser
def test_every_page_does_its_job_in_a_browser(tmp_path: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium: install Debian's `chromium`, or set WINDLASS_CHROMIUM")
    assert BUILT.exists(), "the web app is not built; run: make ui"

    with run_windlass(tmp_path / "home") as running:
        answer = subprocess.run(
            ["npx", "playwright", "test", "--reporter=line"],
            cwd=WEB,
            env={
                **node_environment(),
                "CI": "1",
                "WINDLASS_URL": running.base_url,
                "WINDLASS_SIGN_IN_URL": sign_in_url(running),
                "WINDLASS_KEY": running.key,
                "WINDLASS_CHROMIUM": chromium,
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr[-2000:]
    assert os.linesep.join(answer.stdout.splitlines()[-3:]).count("passed")


def sign_in_url(running: RunningWindlass) -> str:
    command = [sys.executable, "-m", "windlass.cli.main", "sign-in", "--home", str(running.home), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)[
        "sign_in_url"
    ]
