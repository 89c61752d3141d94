"""`sternpost worker`: the worker process alone."""

from typing import Annotated

from sternpost.assembly import worker as assembly
from sternpost.cli.commands import Commands, Option
from sternpost.cli.options import ConfigPath, Home, Host, Port, settings_from
from sternpost.server.instance import prepare_home

app = Commands(help="Run the worker alone.")


@app.command()
def worker(
    *,
    home: Home = None,
    port: Port = None,
    host: Host = None,
    config: ConfigPath = None,
    is_supervised: Annotated[bool, Option("--supervised", hidden=True)] = False,
) -> None:
    """Drain the journal, run durable jobs and batches; `sternpost up` does this for you.

    Host and port say where the gateway answers, which lines of batches go through.
    """
    settings = settings_from(home, port, host, config)
    prepare_home(settings.home)
    assembly.run(settings, is_supervised=is_supervised)
