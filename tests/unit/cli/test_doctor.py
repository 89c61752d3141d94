"""What the doctor says of providers that can't be used or reached."""

import json
from pathlib import Path

import pytest

from sternpost.cli.commands import Exit
from sternpost.cli.doctor import Finding, doctor, examine
from sternpost.cli.options import settings_from
from sternpost.server.instance import STATE_NAME, hold_instance

CONFIG = """
providers:
  gone: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: "x"}
  unset: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: "${NO_SUCH_VARIABLE}"}
"""


def findings(folder: Path) -> dict[str, Finding]:
    config = folder / "sternpost.yaml"
    config.write_text(CONFIG)
    settings = settings_from(folder / "home", None, config=config)
    return {one.check: one for one in examine(settings, is_offline=False)}


def test_an_unreachable_host_is_named_with_its_port_and_the_reason(tmp_path: Path) -> None:
    found = findings(tmp_path)["gone"]
    assert (found.verdict, found.says) == ("bad", "can't reach 127.0.0.1:9: connection refused")


def test_a_provider_that_waits_for_a_variable_is_told(tmp_path: Path) -> None:
    found = findings(tmp_path)["unset"]
    assert (found.verdict, found.repair) == ("note", "set NO_SUCH_VARIABLE, then restart")


def test_processes_that_were_started_again_are_named(tmp_path: Path) -> None:
    findings(tmp_path)  # makes the folder
    home = tmp_path / "home"
    worker = {"name": "worker", "restarts": 3, "hangs": 1}
    serve = {"name": "serve", "restarts": 0, "hangs": 0}
    (home / STATE_NAME).write_text(json.dumps({"processes": [worker, serve]}))
    assert "worker" not in findings(tmp_path)  # of a Sternpost that runs no more
    with hold_instance(home, {"url": "http://127.0.0.1:9"}):
        found = findings(tmp_path)
    assert "started again 3 times since `sternpost up`, 1 of them because it hung" in found["worker"].says
    assert "serve" not in found


def test_tables_that_are_lost_are_a_finding(tmp_path: Path) -> None:
    assert "tables" not in findings(tmp_path)
    (tmp_path / "home" / "journal" / "w-1-1").mkdir(parents=True)
    assert "tables.sqlite' is missing" in findings(tmp_path)["tables"].says
    assert not (tmp_path / "home" / "tables.sqlite").exists()


def test_settings_that_can_not_be_used_are_findings_all_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STERNPOST_TRACE_RETENTION_DAYS", "-1")
    monkeypatch.setenv("STERNPOST_DRAIN_S", "nan")
    with pytest.raises(Exit) as ended:
        doctor(home=None, port=None, config=None, is_offline=True, is_json=True)
    told = json.loads(capsys.readouterr().out)
    assert ended.value.exit_code == 1
    assert [one["verdict"] for one in told["findings"]] == ["bad", "bad"]
    assert "STERNPOST_DRAIN_S can't be 'nan'" in told["findings"][0]["says"]
    assert "STERNPOST_TRACE_RETENTION_DAYS can't be '-1'" in told["findings"][1]["says"]
