"""The options that most commands share, and the settings they lead to."""

from pathlib import Path
from typing import Annotated, TypeAlias

from sternpost.assembly.environment import load_settings, process_environment
from sternpost.base.settings import Settings
from sternpost.cli.commands import Option

Json: TypeAlias = Annotated[bool, Option("--json", help="Print JSON.")]
Home: TypeAlias = Annotated[
    Path | None, Option("--home", help="The data folder (STERNPOST_HOME, default ~/.sternpost).")
]
Port: TypeAlias = Annotated[
    int | None, Option("--port", help="The public port (STERNPOST_PORT, default 4100).")
]
Host: TypeAlias = Annotated[
    str | None, Option("--host", help="The address to listen on (STERNPOST_HOST, default 127.0.0.1).")
]
ConfigPath: TypeAlias = Annotated[
    Path | None,
    Option("--config", help="The configuration file (STERNPOST_CONFIG, default ./sternpost.yaml)."),
]
NewTables: TypeAlias = Annotated[
    bool,
    Option(
        "--new-tables",
        help="If the tables are lost, start with new ones and keep the old traces.",
    ),
]
Environment: TypeAlias = Annotated[
    str | None, Option("--environment", help="Only this environment, e.g. staging; all unless given.")
]
HeartbeatFd: TypeAlias = Annotated[int | None, Option("--heartbeat-fd", hidden=True)]


def settings_from(
    home: Path | None = None,
    port: int | None = None,
    host: str | None = None,
    config: Path | None = None,
) -> Settings:
    """Read the environment under the flags. Raises: ConfigurationError."""
    return load_settings(process_environment(), home=home, port=port, host=host, config=config)
