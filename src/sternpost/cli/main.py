"""The entry point: finds the group's file, turns errors into exit codes; the commands are in their files."""

import importlib
import json
import logging
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from sternpost import __version__
from sternpost.base.errors import ConfigurationError, RequestError, SternpostError

# Loaded when used: `up` and `engine` must not pay for the server's imports in time and memory.
GROUPS = {
    "up": "Start Sternpost: gateway, engine and worker, and restart what dies.",
    "demo": "Start Sternpost with a small application running through it.",
    "sign-in": "Print a one-time link that signs you in to the web UI.",
    "doctor": "Check ports, disk, permissions, clock, provider keys and reach.",
    "key": "Make, list and revoke API keys.",
    "config": "Check sternpost.yaml and show what is in force.",
    "trace": "List, show and follow traces.",
    "cost": "Explain what a call cost, and show prices.",
    "batch": "Submit, list, show and cancel batches.",
    "model": "List the models and routes that callers can use.",
    "provider": "List the providers and whether they are configured.",
    "serve": "Run the gateway and the web UI alone (normally started by `up`).",
    "engine": "Run the embedded trace engine alone (normally started by `up`).",
    "worker": "Run the worker alone (normally started by `up`).",
    "version": "Print the version.",
}


class LazyGroup(TyperGroup):
    """Loads the file of a command when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # click's signature
        return list(GROUPS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in GROUPS:
            return None
        if ctx.resilient_parsing or set(sys.argv[1:2]) & {"--help", "-h"} or len(sys.argv) < 2:
            return TyperCommand(cmd_name, help=GROUPS[cmd_name])
        module = importlib.import_module(f"sternpost.cli.{cmd_name.replace('-', '_')}")
        command = get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Run large-language-model applications in production.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(version_text())
        raise typer.Exit


@app.callback()
def root(
    *,
    is_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Run large-language-model applications in production."""


def main() -> None:
    """Run the command of `sys.argv` and end the process with its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app(prog_name="sternpost", standalone_mode=True)
    except SternpostError as error:
        sys.exit(report(error, is_json="--json" in sys.argv))
    except BrokenPipeError:
        sys.exit(0)  # the reader of a pipe closed it: `sternpost trace list | head`
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # the edge of the process: a fault of ours is 4, never 1, a negative result
        logging.getLogger(__name__).exception("sternpost failed for a reason of its own")
        sys.exit(4)


def report(error: SternpostError, *, is_json: bool) -> int:
    """Print an error where the caller reads it, and return the exit code."""
    if is_json:
        sys.stdout.write(json.dumps({"error": {"code": error.code, "message": error.message}}) + "\n")
    else:
        sys.stderr.write(f"sternpost: {error.message}\n")
    if isinstance(error, ConfigurationError | RequestError):
        return 2
    return 4


def version_text() -> str:
    return f"sternpost {__version__}"


if __name__ == "__main__":
    main()
