"""Settings come from flags, then the environment, then `.env`, then defaults."""

from pathlib import Path

import pytest

from sternpost.assembly.environment import load_settings, process_environment, setting_names
from sternpost.base.errors import ConfigurationError


def test_flags_win_over_the_environment_and_that_over_defaults() -> None:
    environment = {"HOME": "/home/a", "STERNPOST_PORT": "5000", "STERNPOST_DRAIN_S": "1.5"}
    settings = load_settings(environment, port=6000, host=None)
    assert (settings.port, settings.drain_s, settings.host) == (6000, 1.5, "127.0.0.1")
    assert settings.home == Path("/home/a/.sternpost")


@pytest.mark.parametrize("variable", [name for name in setting_names() if name != "STERNPOST_HOME"])
def test_every_setting_can_be_set(variable: str) -> None:
    text = {"STERNPOST_LOG_LEVEL": "debug", "STERNPOST_LOG_FORMAT": "json"}.get(variable, "7")
    settings = load_settings({"HOME": "/h", variable: text})
    assert str(getattr(settings, setting_names()[variable])) in {text, "7.0"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STERNPOST_PORT", "many"),
        ("STERNPOST_PORT", "70000"),
        ("STERNPOST_LOG_LEVEL", "loud"),
        ("STERNPOST_DRAIN_S", ""),
    ],
)
def test_a_value_that_can_not_be_read_names_its_variable(variable: str, value: str) -> None:
    if value == "":
        assert load_settings({"HOME": "/h", variable: value}).drain_s == 20.0  # empty is unset
        return
    with pytest.raises(ConfigurationError, match=variable):
        load_settings({"HOME": "/h", variable: value})


def test_a_dot_env_file_fills_what_the_environment_leaves_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text('# keys\nexport STERNPOST_PORT="4200"\nPATH=/nowhere\nbroken line\n')
    monkeypatch.setenv("PATH", "/somewhere")
    monkeypatch.delenv("STERNPOST_PORT", raising=False)
    environment = process_environment(tmp_path)
    assert (environment["STERNPOST_PORT"], environment["PATH"]) == ("4200", "/somewhere")
