"""Tables keep ids whole at any width, and print nothing that would steer a terminal."""

import os

import pytest

from sternpost.cli.cells import cell_len, set_cell_size
from sternpost.cli.output import dollars, moment, print_table

ID = "32310676b497a13731022c9af7fbae3a"


def test_a_piped_table_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("trace", "name"), [(ID, "n" * 300)], empty="none")
    assert capsys.readouterr().out.splitlines()[1] == f"{ID}  {'n' * 300}"


def test_a_narrow_terminal_shortens_prose_and_no_id(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(("trace", "name", "cost", "input"), [(ID, "name " * 9, "$0", "日本 " * 20)], empty="none")
    header, row = capsys.readouterr().out.splitlines()
    assert header.startswith("trace ")
    assert row.startswith(ID)
    assert row.endswith("…")
    assert "$0" in row


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("plain", 5),
        ("日本", 4),
        ("e\u0301", 1),  # an accent set over the letter
        ("👩\u200d🚀", 2),  # an astronaut: two emoji joined to one
        ("❤\ufe0f", 2),  # a heart, asked for as an emoji
    ],
)
def test_a_text_takes_the_cells_a_terminal_draws(text: str, cells: int) -> None:
    assert cell_len(text) == cells
    assert cell_len(set_cell_size(text, 3)) == 3


def test_texts_of_callers_can_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("input",), [("a\x1b[2Jb\nc\u202e",)], empty="none")
    assert capsys.readouterr().out.splitlines()[1] == "a [2Jb c"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0"),
        ("0.00000038", "<$0.000001"),
        ("0.0004125", "$0.000412"),
        ("100", "$100"),
        ("0.10", "$0.1"),
    ],
)
def test_a_cost_too_small_to_show_is_not_zero(amount: str, shown: str) -> None:
    assert dollars(amount) == shown


def test_a_time_names_its_zone() -> None:
    assert moment("2026-11-26T03:12:09.220504Z") == "2026-11-26 03:12:09Z"
    assert moment(None) == ""
