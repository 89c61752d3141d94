"""A command is an annotated function: its parameters become arguments and options of click."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import click
import pytest
from click.testing import CliRunner, Result

from sternpost.cli.commands import Argument, Commands, Exit, Option, echo


class Service(StrEnum):
    EXPRESS = "express:today"
    USUAL = "usual"


app = Commands(help="Look after parcels.")


@app.command("list")
def list_parcels(
    *,
    limit: Annotated[int, Option(min=1, max=9)] = 5,
    place: Annotated[Path | None, Option("--in", help="Where they lie.")] = None,
    tag: Annotated[list[str] | None, Option(help="May be repeated.")] = None,
    size: Annotated[Literal["small", "large"], Option()] = "small",
    is_json: Annotated[bool, Option("--json")] = False,
    is_inner: Annotated[bool, Option("--inner", hidden=True)] = False,
) -> None:
    """List parcels.

    The newest first.
    """
    echo(repr((limit, place, tag, size, is_json, is_inner)))


@app.command()
def price(
    *,
    service: Annotated[Service, Option()] = Service.USUAL,
    also: Annotated[list[Service] | None, Option()] = None,
) -> None:
    """Say what it costs."""
    echo(repr((service, also)))


@app.command()
def send_back(
    parcel: Annotated[str, Argument(help="Its number.")], *, reason: Annotated[str, Option()]
) -> None:
    """Send a parcel back."""
    echo(f"{parcel}: {reason}")
    raise Exit(3)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app.build("parcel"), list(arguments))


def test_options_have_the_types_and_defaults_of_the_function() -> None:
    assert run("list").output == "(5, None, [], 'small', False, False)\n"
    given = ("--limit", "2", "--in", "/x", "--tag", "a", "--tag", "b", "--size", "large", "--json", "--inner")
    expected = (2, Path("/x"), ["a", "b"], "large", True, True)
    assert run("list", *given).output == f"{expected!r}\n"


def test_members_of_an_enum_are_given_by_their_values() -> None:
    assert run("price").output == f"{(Service.USUAL, [])!r}\n"
    given = run("price", "--service", "express:today", "--also", "usual")
    assert given.output == f"{(Service.EXPRESS, [Service.USUAL])!r}\n"


def test_an_argument_stands_in_its_place_and_an_exit_code_is_kept() -> None:
    sent = run("send-back", "p-7", "--reason", "torn")
    assert (sent.output, sent.exit_code) == ("p-7: torn\n", 3)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list", "--limit", "10"), "1<=x<=9"),
        (("list", "--size", "huge"), "'small', 'large'"),
        (("send-back", "--reason", "torn"), "Missing argument 'PARCEL'"),
        (("send-back", "p-7"), "Missing option '--reason'"),
        (("list", "--in-place"), "No such option"),
    ],
)
def test_wrong_use_is_said_and_ends_with_2(arguments: tuple[str, ...], says: str) -> None:
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert says in refused.output


def test_help_describes_arguments_and_options_and_keeps_hidden_ones() -> None:
    shown = run("list", "--help").output
    assert "The newest first." in shown
    assert "Where they lie." in shown
    assert "--inner" not in shown
    assert "Its number." in run("send-back", "--help").output


def test_a_command_named_as_its_file_is_the_file_s_own() -> None:
    alone = Commands(help="x")
    alone.command()(list_parcels)
    assert isinstance(alone.build("list-parcels"), click.Command)
    assert not isinstance(alone.build("list-parcels"), click.Group)
    assert isinstance(alone.build("parcel"), click.Group)
