"""The screen that `sternpost up` prints once it is ready."""

import json
from pathlib import Path

import pytest

from sternpost.base.settings import Settings
from sternpost.cli.up import announce

FACTS = {"url": "http://127.0.0.1:4100", "version": "0"}


@pytest.mark.parametrize(
    ("config", "says"), [("/srv/app/sternpost.yaml", "/srv/app/sternpost.yaml"), (None, "no sternpost.yaml")]
)
def test_the_configuration_in_use_is_named(
    capsys: pytest.CaptureFixture[str], config: str | None, says: str
) -> None:
    announce({**FACTS, "config": config}, Settings(Path("/data")), is_json=False)
    line = next(one for one in capsys.readouterr().out.splitlines() if "Configuration" in one)
    assert says in line

    announce({**FACTS, "config": config}, Settings(Path("/data")), is_json=True)
    assert json.loads(capsys.readouterr().out)["config"] == config


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


@pytest.mark.parametrize(
    ("force", "says"),
    [
        ({}, "no provider key found: set OPENAI_API_KEY"),
        (
            {"providers": ["openai (OPENAI_API_KEY)", "lab"]},
            "Providers         openai (OPENAI_API_KEY), lab\n",
        ),
        ({"providers": [f"p{n}" for n in range(9)]}, "p5 and 3 more"),
        ({"routes": ["fast", "slow"]}, "Routes            fast, slow"),
    ],
)
def test_providers_and_routes_in_force_are_told(
    capsys: pytest.CaptureFixture[str], force: dict[str, list[str]], says: str
) -> None:
    announce({**FACTS, **force}, Settings(Path("/data")), is_json=False)
    assert says in capsys.readouterr().out
