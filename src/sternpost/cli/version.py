"""`sternpost version`: print the version."""

from sternpost import __version__
from sternpost.cli.commands import Commands, echo
from sternpost.cli.options import Json
from sternpost.cli.output import print_json

app = Commands(help="Print the version.")


@app.command()
def version(*, is_json: Json = False) -> None:
    """Print the version."""
    if is_json:
        print_json({"version": __version__})
    else:
        echo(f"sternpost {__version__}")
