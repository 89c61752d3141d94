"""Exit codes tell what happened: 2 for wrong use, 4 for a fault of ours, never a traceback that says 1."""

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
