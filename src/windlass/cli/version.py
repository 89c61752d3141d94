"""`windlass version`."""

import typer

from windlass import __version__
from windlass.cli.options import Json
from windlass.cli.output import print_json

app = typer.Typer(add_completion=False, help="Print the version.")


@app.command()
def version(*, is_json: Json = False) -> None:
    """Print the version."""
    if is_json:
        print_json({"version": __version__})
    else:
        typer.echo(f"windlass {__version__}")
