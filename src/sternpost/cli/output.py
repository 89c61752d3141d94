"""How commands print: a table for people, JSON for programs; not what is printed."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence

from sternpost.assembly.environment import process_environment
from sternpost.cli.cells import cell_len, set_cell_size

_RIGHT = (
    "_ms",
    "_tokens",
    "_usd",
    "_count",
    "calls",
    "errors",
    "spans",
    "cost",
    "tokens",
    "duration",
    "in",
    "out",
)
_SHRINKING = frozenset({"name", "input", "title", "span", "error"})  # prose; an id cut short is of no use
_LEAST_WIDTH = 12
_GAP = "  "


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print rows under a header, or one sentence when there are none."""
    if not rows:
        sys.stdout.write(empty + "\n")
        return
    cells = [["-" if cell is None or cell == "" else printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    is_terminal = sys.stdout.isatty()
    if is_terminal:
        _shrink(widths, columns, shutil.get_terminal_size().columns)
    header = _line(columns, columns, widths)
    is_bold = is_terminal and not process_environment().get("NO_COLOR")
    sys.stdout.write(f"\x1b[1m{header}\x1b[0m\n" if is_bold else header + "\n")
    sys.stdout.writelines(_line(row, columns, widths) + "\n" for row in cells)


def printable(text: str) -> str:
    """Take out what would move a terminal's cursor or change its colours: callers wrote these texts."""
    return text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)


def _shrink(widths: list[int], columns: Sequence[str], terminal: int) -> None:
    """Take what is missing from the prose, the last column first; ids and numbers stay whole."""
    missing = sum(widths) + len(_GAP) * (len(widths) - 1) - terminal
    for index in reversed(range(len(widths))):
        if columns[index] in _SHRINKING and missing > 0:
            least = min(widths[index], max(_LEAST_WIDTH, cell_len(columns[index])))
            taken = min(missing, widths[index] - least)
            widths[index] -= taken
            missing -= taken


def _line(cells: Sequence[str], columns: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(
        _fit(cell, width, is_right=column.endswith(_RIGHT))
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ).rstrip()


def _fit(text: str, width: int, *, is_right: bool) -> str:
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - cell_len(text)) + text if is_right else set_cell_size(text, width)


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values in two columns."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        sys.stdout.write(f"{name.ljust(width)}  {printable(str(value))}\n")


def moment(at: object) -> str:
    """Write a time as the API gives it to the second, with its zone: `2026-11-26 03:12:09Z`."""
    text = str(at or "")
    return f"{text[:19].replace('T', ' ')}Z" if text else ""


def dollars(amount: object) -> str:
    """Write a cost to six places; one too small for that is not zero."""
    text = f"{float(str(amount)):.6f}".rstrip("0").rstrip(".")
    return "<$0.000001" if text == "0" and float(str(amount)) else f"${text}"


def note(sentence: str) -> None:
    """Say something that is not the result, on standard error."""
    sys.stderr.write(sentence + "\n")


def ago(seconds: float) -> str:
    """Write a span of time in one unit, e.g. `4 min`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
