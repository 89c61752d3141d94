"""Settings come from flags, then the environment, then `.env`, then defaults."""

from pathlib import Path
from typing import get_type_hints

import pytest

from sternpost.assembly.environment import (
    load_settings,
    misspelt_settings,
    process_environment,
    setting_names,
)
from sternpost.base.bounds import FilePath, Matching, OneOf, Seconds, Url, Whole
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings, bounds, meanings


def test_flags_win_over_the_environment_and_that_over_defaults() -> None:
    environment = {"HOME": "/home/a", "STERNPOST_PORT": "5000", "STERNPOST_DRAIN_S": "1.5"}
    settings = load_settings(environment, port=6000, host=None)
    assert (settings.port, settings.drain_s, settings.host) == (6000, 1.5, "127.0.0.1")
    assert settings.home == Path("/home/a/.sternpost")


GOOD = {
    "STERNPOST_HOME": "/data",
    "STERNPOST_HOST": "::1",
    "STERNPOST_CONFIG": "/etc/sternpost.yaml",
    "STERNPOST_CLICKHOUSE_URL": "http://db:8123",
    "STERNPOST_TABLES_URL": "postgresql+psycopg://u:p@db/x",
    "STERNPOST_LOG_LEVEL": "debug",
    "STERNPOST_LOG_FORMAT": "json",
    "STERNPOST_CONFIG_WATCH": "on",
    "STERNPOST_GATEWAY_URL": "http://10.0.0.1:4100",
    "STERNPOST_PUBLIC_URL": "https://sternpost.example.org/ai",
}


@pytest.mark.parametrize("variable", setting_names())
def test_every_setting_can_be_set(variable: str) -> None:
    bound = bounds()[setting_names()[variable]]
    least = str(bound.least) if isinstance(bound, Whole | Seconds) else "main"
    text = GOOD.get(variable, least)
    settings = load_settings({"HOME": "/h", variable: text if isinstance(bound, FilePath) else f" {text} "})
    assert str(getattr(settings, setting_names()[variable])) in {text, f"{text}.0"}


@pytest.mark.parametrize("variable", setting_names())
def test_no_setting_takes_what_only_looks_like_a_value(variable: str) -> None:
    bound = bounds()[setting_names()[variable]]
    bad = {
        Whole: ["-1", "1.5", "1e9", "50MB", "nan", "", str(10**19)],
        Seconds: ["-1", "nan", "inf", "-inf", "1e308", "20s"],
        OneOf: ["loud", "INFO"],
        Url: ["javascript:alert(1)", "file:///etc/passwd", "nonsense", "://x", "http://a b"],
        Matching: ["http://host", "a b", "x;y", "a\nb"],
        FilePath: ["a\0b", "  ", "~no-such-user-here/x"],
    }
    for text in bad[type(bound)]:
        if text == "":  # unset, or zero where that is said
            load_settings({"HOME": "/h", variable: text})
            continue
        with pytest.raises(ConfigurationError) as refused:
            load_settings({"HOME": "/h", variable: text})
        assert refused.value.message.startswith(variable)
        assert bound.allowed in refused.value.message
        assert meanings()[setting_names()[variable]] in refused.value.message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STERNPOST_PORT", "many"),
        ("STERNPOST_PORT", "70000"),
        ("STERNPOST_TRACE_RETENTION_DAYS", "-1"),
        ("STERNPOST_TRACE_RETENTION_DAYS", "36501"),
        ("STERNPOST_SESSION_DAYS", "0"),
        ("STERNPOST_ENGINE_MEMORY_BYTES", "0"),
        ("STERNPOST_ENGINE_THREADS", "0"),
        ("STERNPOST_QUERY_TIMEOUT_S", "0"),
        ("STERNPOST_MAX_BODY_BYTES", "0"),
        ("STERNPOST_JOURNAL_SEGMENT_BYTES", "0"),
        ("STERNPOST_PUBLIC_URL", "https://user:word@host"),
        ("STERNPOST_PUBLIC_URL", "https://host/?x=1"),
        ("STERNPOST_PUBLIC_URL", "https://"),
        ("STERNPOST_PUBLIC_URL", "https://host:0"),
        ("STERNPOST_GATEWAY_URL", 'https://host/"onload="x'),
    ],
)
def test_a_value_out_of_bounds_is_refused(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{variable} "):
        load_settings({"HOME": "/h", variable: value})


def test_all_faults_are_told_at_once_and_no_password_with_them() -> None:
    wrong = {
        "HOME": "/h",
        "STERNPOST_TRACE_RETENTION_DAYS": "-1",
        "STERNPOST_DRAIN_S": "inf",
        "STERNPOST_TABLES_URL": "mysql://admin:open-sesame@db/x",
    }
    with pytest.raises(ConfigurationError) as refused:
        load_settings(wrong, port=70000)
    lines = refused.value.message.splitlines()
    assert [line.split()[0] for line in lines] == [
        "STERNPOST_PORT",
        "STERNPOST_TABLES_URL",
        "STERNPOST_DRAIN_S",
        "STERNPOST_TRACE_RETENTION_DAYS",
    ]
    assert "open-sesame" not in refused.value.message


@pytest.mark.parametrize("text", ["", "  ", "0"])
def test_no_retention_or_an_empty_one_keeps_for_ever(text: str) -> None:
    assert load_settings({"HOME": "/h", "STERNPOST_TRACE_RETENTION_DAYS": text}).trace_retention_days == 0


def test_another_empty_setting_is_the_default() -> None:
    assert load_settings({"HOME": "/h", "STERNPOST_DRAIN_S": ""}).drain_s == 20.0


def test_every_field_says_what_it_allows_and_what_it_means() -> None:
    hints = get_type_hints(Settings, include_extras=True)
    assert [name for name in hints if not hasattr(hints[name], "__metadata__")] == []
    assert set(meanings()) == set(bounds())


def test_a_default_is_allowed() -> None:
    defaults = Settings(home=Path("/h"))
    for name, bound in bounds().items():
        if getattr(defaults, name) not in ("", None):
            assert bound.read(str(getattr(defaults, name))) == getattr(defaults, name)


def test_a_setting_that_is_misspelt_is_noticed() -> None:
    environment = {"STERNPOST_TRACE_RETENTION_DAY": "1", "STERNPOST_BASE_URL": "x", "STERNPOST_API_KEY": "y"}
    assert misspelt_settings(environment) == {
        "STERNPOST_TRACE_RETENTION_DAY": "STERNPOST_TRACE_RETENTION_DAYS"
    }


def test_a_dot_env_file_fills_what_the_environment_leaves_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text('# keys\nexport STERNPOST_PORT="4200"\nPATH=/nowhere\nbroken line\n')
    monkeypatch.setenv("PATH", "/somewhere")
    monkeypatch.delenv("STERNPOST_PORT", raising=False)
    environment = process_environment(tmp_path)
    assert (environment["STERNPOST_PORT"], environment["PATH"]) == ("4200", "/somewhere")
