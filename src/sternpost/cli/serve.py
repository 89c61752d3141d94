"""`sternpost serve`: run the gateway and the web UI alone (normally started by `up`).

Needs sternpost[server].
"""

from typing import Annotated

from sternpost.assembly.local import make_new_tables
from sternpost.cli.commands import Commands, Option
from sternpost.cli.options import ConfigPath, HeartbeatFd, Home, Host, NewTables, Port, settings_from
from sternpost.cli.supervised import ends_for_supervisor
from sternpost.server import serve as server
from sternpost.server.instance import hold_serving, prepare_home

app = Commands(help="Run the gateway and the web UI alone.")


@app.command()
def serve(
    *,
    home: Home = None,
    port: Port = None,
    host: Host = None,
    config: ConfigPath = None,
    may_be_lost: NewTables = False,
    announce_fd: Annotated[int | None, Option("--announce-fd", hidden=True)] = None,
    heartbeat_fd: HeartbeatFd = None,
) -> None:
    """Serve calls, the API and the web UI; `sternpost up` does this for you."""
    settings = settings_from(home, port, host, config)
    prepare_home(settings.home)
    with (
        ends_for_supervisor(is_supervised=heartbeat_fd is not None),
        hold_serving(settings.home, f"http://{settings.host}:{settings.port}"),
    ):
        if may_be_lost:
            make_new_tables(settings)
        server.run(settings, announce_fd=announce_fd, heartbeat_fd=heartbeat_fd)
