"""`sternpost engine`: the embedded trace engine alone."""

from typing import Annotated

from sternpost.assembly import engine as assembly
from sternpost.cli.commands import Commands, Option
from sternpost.cli.options import Home, settings_from
from sternpost.server.instance import prepare_home

app = Commands(help="Run the embedded trace engine alone.")


@app.command()
def engine(
    *, home: Home = None, is_supervised: Annotated[bool, Option("--supervised", hidden=True)] = False
) -> None:
    """Serve the trace engine of a data folder; `sternpost up` does this for you."""
    settings = settings_from(home)
    prepare_home(settings.home)
    assembly.run(settings, is_supervised=is_supervised)
