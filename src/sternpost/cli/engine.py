"""`sternpost engine`: run the embedded trace engine alone (normally started by `up`).

Needs sternpost[server].
"""

from sternpost.assembly import engine as assembly
from sternpost.cli.commands import Commands
from sternpost.cli.options import HeartbeatFd, Home, settings_from
from sternpost.cli.supervised import ends_for_supervisor
from sternpost.server.instance import prepare_home

app = Commands(help="Run the embedded trace engine alone.")


@app.command()
def engine(
    *,
    home: Home = None,
    heartbeat_fd: HeartbeatFd = None,
) -> None:
    """Serve the trace engine of a data folder; `sternpost up` does this for you."""
    settings = settings_from(home)
    prepare_home(settings.home)
    with ends_for_supervisor(is_supervised=heartbeat_fd is not None):
        assembly.run(settings, heartbeat_fd=heartbeat_fd)
