"""The doctor on providers that sign: it says what it could check, and never that a key was refused."""

from pathlib import Path

import pytest

from sternpost.cli.doctor import Finding, examine
from sternpost.cli.options import settings_from
from tests.support.fake_provider import FakeProvider

ENTRY = 'providers:\n  bedrock: {{base_url: "{url}", region: eu-central-1{more}}}\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path / "sternpost.yaml"


def finding(config: Path) -> Finding:
    settings = settings_from(config.parent / "home", None, config=config)
    return next(one for one in examine(settings, is_offline=False) if one.check == "bedrock")


def test_found_credentials_and_a_host_that_answers_are_well(
    config: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDSTERNPOST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-sternpost")
    config.write_text(ENTRY.format(url=provider.url, more=""))
    found = finding(config)
    assert found.verdict == "ok"
    assert "credentials were found, and not tried on a model" in found.says


def test_missing_credentials_are_named_before_any_call(config: Path, provider: FakeProvider) -> None:
    config.write_text(ENTRY.format(url=provider.url, more=""))
    found = finding(config)
    assert found.verdict == "bad"
    assert "no AWS credentials were found" in found.says


def test_a_bedrock_api_key_is_not_called_refused(config: Path, provider: FakeProvider) -> None:
    config.write_text(ENTRY.format(url=provider.url, more=", api_key: some-key"))
    found = finding(config)
    assert found.verdict == "ok"
    assert "its key was not tried" in found.says
