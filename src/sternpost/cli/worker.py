"""`sternpost worker`: run the worker alone (normally started by `up`).

Needs sternpost[server].
"""

from sternpost.assembly import worker as assembly
from sternpost.cli.commands import Commands
from sternpost.cli.options import ConfigPath, HeartbeatFd, Home, Host, Port, settings_from
from sternpost.cli.supervised import ends_for_supervisor
from sternpost.server.instance import prepare_home

app = Commands(help="Run the worker alone.")


@app.command()
def worker(
    *,
    home: Home = None,
    port: Port = None,
    host: Host = None,
    config: ConfigPath = None,
    heartbeat_fd: HeartbeatFd = None,
) -> None:
    """Drain the journal, run durable jobs and batches; `sternpost up` does this for you.

    Host and port say where the gateway answers, which lines of batches go through.
    """
    settings = settings_from(home, port, host, config)
    prepare_home(settings.home)
    with ends_for_supervisor(is_supervised=heartbeat_fd is not None):
        assembly.run(settings, heartbeat_fd=heartbeat_fd)
