"""The start screen shows the address that others use, not the one that is listened on."""

from pathlib import Path

import pytest

from sternpost.base.settings import Settings
from sternpost.cli.up import announce


def test_behind_a_proxy_or_in_a_container_the_public_address_is_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, host="0.0.0.0", public_url="https://sternpost.example.org/")
    announce(
        {"version": "1", "url": "http://0.0.0.0:4100", "key": "sp-x", "sign_in_url": "https://x/sign-in"},
        settings,
        is_json=False,
    )
    screen = capsys.readouterr().out
    assert "OPENAI_BASE_URL=https://sternpost.example.org/v1 OPENAI_API_KEY=sp-x" in screen
    assert "0.0.0.0" not in screen
