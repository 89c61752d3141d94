"""How commands print: a table for people, JSON for programs; not what is printed."""

import json
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

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


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print rows under a header, or one sentence when there are none."""
    if not rows:
        sys.stdout.write(empty + "\n")
        return
    console = Console(width=None if sys.stdout.isatty() else 160, soft_wrap=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(
            column, justify="right" if column.endswith(_RIGHT) else "left", overflow="ellipsis", no_wrap=True
        )
    for row in rows:
        table.add_row(*("-" if cell is None or cell == "" else str(cell) for cell in row))
    console.print(table)


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values in two columns."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        sys.stdout.write(f"{name.ljust(width)}  {value}\n")


def note(sentence: str) -> None:
    """Say something that is not the result, on standard error."""
    sys.stderr.write(sentence + "\n")


def ago(seconds: float) -> str:
    """Write a span of time in one unit, e.g. `4 min`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
