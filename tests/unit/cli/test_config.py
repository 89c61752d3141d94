"""`sternpost config check` as a person and as a program reads it."""

import json
from pathlib import Path

import pytest

from sternpost.cli.commands import Exit
from sternpost.cli.config import check

TEXT = (
    "routes:\n  fast: {targets: [{model: opnai/m1}]}\nlimits:\n"
    "  - {scope: route, name: fsat, concurrency: 1}\n"
)


def test_faults_are_a_list_with_file_line_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sternpost.yaml"
    path.write_text(TEXT, encoding="utf-8")
    with pytest.raises(Exit):
        check(path, home=tmp_path / "none", is_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert not answer["is_valid"]
    assert [(one["line"], one["field"]) for one in answer["found"]] == [
        (2, "routes.fast.targets.0.model"),
        (4, "limits.0.name"),
    ]
    assert [one.partition(": ")[0] for one in answer["faults"]] == ["sternpost.yaml:2", "sternpost.yaml:4"]

    with pytest.raises(Exit):
        check(path, home=tmp_path / "none")
    assert capsys.readouterr().err.count("did you mean") == 2


def test_a_note_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sternpost.yaml"
    path.write_text("routes:\n  fast: {targets: [{model: groq/brand-new-model}]}\n", encoding="utf-8")
    check(path, home=tmp_path / "none")
    said = capsys.readouterr()
    assert said.out == f"{path}: fine\n"
    assert "note: sternpost.yaml:2" in said.err
