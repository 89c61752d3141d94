"""Settings come from flags, then the environment, then `.env`, then defaults."""

from pathlib import Path

import pytest

from windlass.assembly.environment import load_settings, process_environment, setting_names
from windlass.base.errors import ConfigurationError


def test_flags_win_over_the_environment_and_that_over_defaults() -> None:
    environment = {"HOME": "/home/a", "WINDLASS_PORT": "5000", "WINDLASS_DRAIN_S": "1.5"}
    settings = load_settings(environment, port=6000, host=None)
    assert (settings.port, settings.drain_s, settings.host) == (6000, 1.5, "127.0.0.1")
    assert settings.home == Path("/home/a/.windlass")


@pytest.mark.parametrize("variable", [name for name in setting_names() if name != "WINDLASS_HOME"])
def test_every_setting_can_be_set(variable: str) -> None:
    text = {"WINDLASS_LOG_LEVEL": "debug", "WINDLASS_LOG_FORMAT": "json"}.get(variable, "7")
    settings = load_settings({"HOME": "/h", variable: text})
    assert str(getattr(settings, setting_names()[variable])) in {text, "7.0"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WINDLASS_PORT", "many"),
        ("WINDLASS_PORT", "70000"),
        ("WINDLASS_LOG_LEVEL", "loud"),
        ("WINDLASS_DRAIN_S", ""),
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
    (tmp_path / ".env").write_text('# keys\nexport WINDLASS_PORT="4200"\nPATH=/nowhere\nbroken line\n')
    monkeypatch.setenv("PATH", "/somewhere")
    monkeypatch.delenv("WINDLASS_PORT", raising=False)
    environment = process_environment(tmp_path)
    assert (environment["WINDLASS_PORT"], environment["PATH"]) == ("4200", "/somewhere")
