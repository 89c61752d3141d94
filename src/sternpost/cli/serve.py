"""`sternpost serve`: the gateway, the API and the web UI alone."""

from typing import Annotated

from sternpost.assembly.local import make_new_tables
from sternpost.cli.commands import Commands, Option
from sternpost.cli.options import ConfigPath, Home, Host, NewTables, Port, settings_from
from sternpost.server import serve as server
from sternpost.server.instance import prepare_home

app = Commands(help="Run the gateway and the web UI alone.")


@app.command()
def serve(
    *,
    home: Home = None,
    port: Port = None,
    host: Host = None,
    config: ConfigPath = None,
    may_be_lost: NewTables = False,
    is_supervised: Annotated[bool, Option("--supervised", hidden=True)] = False,
    announce_fd: Annotated[int | None, Option("--announce-fd", hidden=True)] = None,
) -> None:
    """Serve calls, the API and the web UI; `sternpost up` does this for you."""
    settings = settings_from(home, port, host, config)
    prepare_home(settings.home)
    if may_be_lost:
        make_new_tables(settings)
    server.run(settings, is_supervised=is_supervised, announce_fd=announce_fd)
