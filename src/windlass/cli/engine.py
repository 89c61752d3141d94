"""`windlass engine`: the embedded trace engine alone."""

from typing import Annotated

import typer

from windlass.assembly import engine as assembly
from windlass.cli.options import Home, settings_from
from windlass.server.instance import prepare_home

app = typer.Typer(add_completion=False, help="Run the embedded trace engine alone.")


@app.command()
def engine(
    *, home: Home = None, is_supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False
) -> None:
    """Serve the trace engine of a data folder; `windlass up` does this for you."""
    settings = settings_from(home)
    prepare_home(settings.home)
    assembly.run(settings, is_supervised=is_supervised)
