"""`windlass worker`: the worker process alone."""

from typing import Annotated

import typer

from windlass.assembly import worker as assembly
from windlass.cli.options import ConfigPath, Home, settings_from
from windlass.server.instance import prepare_home

app = typer.Typer(help="Run the worker alone.")


@app.command()
def worker(
    *,
    home: Home = None,
    config: ConfigPath = None,
    is_supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Drain the journal into the trace store and run durable jobs; `windlass up` does this for you."""
    settings = settings_from(home, config=config)
    prepare_home(settings.home)
    assembly.run(settings, is_supervised=is_supervised)
