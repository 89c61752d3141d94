"""Exit codes tell what happened: 2 for wrong use, 4 for a fault of ours, never a traceback that says 1."""

import subprocess
import sys

import pytest

from sternpost.base.errors import BadRequest, NotFound, SternpostError, StoreUnavailable
from sternpost.cli import main as cli


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (BadRequest("x"), 2),
        (NotFound("x"), 2),
        (StoreUnavailable("x"), 4),
        (SternpostError("x"), 4),
        (ValueError("x"), 4),
        (BrokenPipeError(), 0),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_leads_to_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int
) -> None:
    def app(**_: object) -> None:
        raise raised

    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(sys, "argv", ["sternpost", "version"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code


@pytest.mark.parametrize("arguments", [["--help"], ["config", "show"]])
def test_a_reader_who_has_enough_is_no_failure(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "sternpost.cli.main", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")
