"""The web app's pages in a real browser against a real Sternpost; what each page must do is in web/e2e."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chromium import find_chromium
from tests.support.node import node_environment
from tests.support.running import RunningSternpost, run_sternpost

WEB = Path(__file__).resolve().parents[2] / "web"
BUILT = Path(__file__).resolve().parents[2] / "src" / "sternpost" / "_ui" / "index.html"


@pytest.mark.browser
def test_every_page_does_its_job_in_a_browser(tmp_path: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium: install Debian's `chromium`, or set STERNPOST_CHROMIUM")
    assert BUILT.exists(), "the web app is not built; run: make ui"

    with run_sternpost(tmp_path / "home") as running:
        answer = subprocess.run(
            ["npx", "playwright", "test", "--reporter=line"],
            cwd=WEB,
            env={
                **node_environment(),
                "CI": "1",
                "STERNPOST_URL": running.base_url,
                "STERNPOST_SIGN_IN_URL": sign_in_url(running),
                "STERNPOST_KEY": running.key,
                "STERNPOST_CHROMIUM": chromium,
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr[-2000:]
    assert os.linesep.join(answer.stdout.splitlines()[-3:]).count("passed")


def sign_in_url(running: RunningSternpost) -> str:
    command = [sys.executable, "-m", "sternpost.cli.main", "sign-in", "--home", str(running.home), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)[
        "sign_in_url"
    ]
