"""The entry point: finds the group's file, turns errors into exit codes; the commands are in their files."""

import contextlib
import importlib
import json
import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import click
from click.shell_completion import CompletionItem

from sternpost import __version__
from sternpost.base.errors import ConfigurationError, RequestError, ServerNotInstalled, SternpostError
from sternpost.cli.commands import Commands, Exit
from sternpost.cli.extra import NEEDS_SERVER, is_server_installed
from sternpost.cli.groups import group, groups


class LazyGroup(click.Group):
    """Loads the file of a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(groups())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = group(cmd_name)
        if found is None:
            return None
        if found.needs_server and not is_server_installed():
            if ctx.resilient_parsing:  # a shell asks for completions, and wants no sentence
                return None
            raise ServerNotInstalled(f"`sternpost {cmd_name}` {NEEDS_SERVER}")
        return load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        for title, needs_server in (("On the machine of Sternpost", True), ("From anywhere", False)):
            with formatter.section(title):
                formatter.write_dl(
                    [(one.name, one.summary) for one in groups().values() if one.needs_server is needs_server]
                )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [
            CompletionItem(one.name, help=one.summary)
            for one in groups().values()
            if one.name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        with _exit_codes():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: click.Context) -> Any:
        with _exit_codes():
            answer = super().invoke(ctx)
            sys.stdout.flush()
            return answer


@contextmanager
def _exit_codes() -> Generator[None]:
    """End as a shell expects; click ends both with 1, which says here that a result is negative."""
    try:
        yield
    except KeyboardInterrupt:
        raise Exit(130) from None
    except BrokenPipeError:  # whoever reads the pipe has enough: `sternpost trace list | head`
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed
        raise Exit(0) from None


def load(name: str) -> click.Command:
    """Import the file of a command and return it."""
    module = importlib.import_module(f"sternpost.cli.{name.replace('-', '_')}")
    commands: Commands = module.app
    return commands.build(name)


def _print_version(ctx: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
    del parameter
    if is_asked and not ctx.resilient_parsing:
        click.echo(version_text())
        raise Exit


app = LazyGroup(
    "sternpost",
    no_args_is_help=True,
    help="Run large-language-model applications in production.",
    context_settings={"help_option_names": ["-h", "--help"]},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print the version.",
        )
    ],
)


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
        logging.getLogger(__name__).exception("sternpost hit an internal error")
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
