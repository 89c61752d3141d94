"""Commands declared as annotated functions, run by click; not what any of them does.

click alone: each package more would stand in the environment of every application that only wants `trace()`.
"""

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard, TypeVar, Union, get_args, get_origin, get_type_hints

import click

_Function = TypeVar("_Function", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, init=False)
class Option:
    """How a parameter is given by name; without `names`, by its own."""

    names: tuple[str, ...]
    help: str
    min: int | None
    max: int | None
    hidden: bool

    def __init__(
        self,
        *names: str,
        help: str = "",  # noqa: A002  # click's own words, here and in `min`
        min: int | None = None,  # noqa: A002
        max: int | None = None,  # noqa: A002
        hidden: bool = False,
    ) -> None:
        for name, value in (("names", names), ("help", help), ("min", min), ("max", max), ("hidden", hidden)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Argument:
    """How a parameter is given by its place."""

    help: str = ""


class Commands:
    """The commands of one file: a group, or the one command that has the group's name."""

    def __init__(self, *, help: str) -> None:  # noqa: A002
        self._help = help
        self._functions: dict[str, Callable[..., object]] = {}

    def command(self, name: str | None = None) -> Callable[[_Function], _Function]:
        """Add a function as a command, by default under its own name."""

        def add(function: _Function) -> _Function:
            self._functions[name or function.__name__.replace("_", "-")] = function
            return function

        return add

    def build(self, name: str) -> click.Command:
        """Make click's command, once it is asked for."""
        if set(self._functions) == {name}:
            return _command(name, self._functions[name])
        children = {one: _command(one, function) for one, function in self._functions.items()}
        return click.Group(name, commands=children, help=self._help, no_args_is_help=True)


def echo(text: object = "") -> None:
    """Print a line to standard output."""
    click.echo(text)


def confirm(question: str) -> bool:
    """Ask a person yes or no; no unless told."""
    return click.confirm(question)


class Exit(click.exceptions.Exit):
    """Ends the command with an exit code: `raise Exit(1)`."""


class _DescribedArgument(click.Argument):
    """An argument with a help text, which click has from 8.5 on."""

    def __init__(self, name: str, *, help: str, required: bool, default: Any, type: Any) -> None:  # noqa: A002
        given = {} if default is None else {"default": default}
        super().__init__([name], required=required, type=type, **given)
        self.help = help


class _Command(click.Command):
    """A command whose help says what its arguments are, with every click from 8.1 on."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        arguments = [one for one in self.params if isinstance(one, _DescribedArgument)]
        described = [((one.name or "").upper(), one.help or "") for one in arguments]
        if described:
            with formatter.section("Arguments"):
                formatter.write_dl(described)
        self.format_options(ctx, formatter)


def _command(name: str, function: Callable[..., object]) -> click.Command:
    """Make a command of a function; a parameter that is a dataclass stands for an option per field."""
    hints = get_type_hints(function, include_extras=True)
    params: list[click.Parameter] = []
    groups: dict[str, tuple[Callable[..., Any], list[str]]] = {}
    for one in inspect.signature(function).parameters.values():
        kind = hints[one.name]
        if isinstance(kind, type) and is_dataclass(kind):
            inner = get_type_hints(kind, include_extras=True)
            fields = list(inspect.signature(kind).parameters.values())
            params += [_parameter(field, inner[field.name]) for field in fields]
            groups[one.name] = (kind, [field.name for field in fields])
        else:
            params.append(_parameter(one, kind))

    def run(**given: Any) -> object:
        for group, (kind, names) in groups.items():
            given[group] = kind(**{field: given.pop(field) for field in names})
        return function(**given)

    return _Command(name, callback=run, params=params, help=inspect.getdoc(function))


def _parameter(parameter: inspect.Parameter, hint: Any) -> click.Parameter:
    kind, marks = hint, ()
    if get_origin(hint) is Annotated:
        kind, *marks = get_args(hint)
    spec = next((mark for mark in marks if isinstance(mark, Option | Argument)), None)
    is_required = parameter.default is inspect.Parameter.empty
    default = None if is_required else parameter.default
    default = default.value if isinstance(default, StrEnum) else default
    if spec is None:
        spec = Argument() if is_required else Option()
    kind = _without_none(kind)
    if isinstance(spec, Argument):
        return _DescribedArgument(
            parameter.name, help=spec.help, required=is_required, default=default, type=_type(kind, None)
        )
    names = [parameter.name, *(spec.names or ("--" + parameter.name.replace("_", "-"),))]
    given: dict[str, Any] = {"help": spec.help or None, "hidden": spec.hidden, "required": is_required}
    if kind is bool:
        return click.Option(names, is_flag=True, default=bool(default), **given)
    if default is not None:
        given |= {"default": default, "show_default": default != ""}
    is_list = get_origin(kind) is list
    one = get_args(kind)[0] if is_list else kind
    return click.Option(
        names, multiple=is_list, type=_type(one, spec), callback=_reader(one, is_list=is_list), **given
    )


def _reader(kind: Any, *, is_list: bool) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Make what click has read into what the function takes: lists, and members of a StrEnum."""
    make: Any = kind if _is_enum(kind) else None

    def read(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        if is_list:
            return [make(one) if make else one for one in value]
        return value if make is None or value is None else make(value)

    return read


def _is_enum(kind: Any) -> TypeGuard[type[StrEnum]]:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in {Union, types.UnionType}:
        kinds = [one for one in get_args(kind) if one is not type(None)]
        assert len(kinds) == 1, f"a command takes one type, not {kind}"
        return kinds[0]
    return kind


def _type(kind: Any, spec: Option | None) -> Any:
    """Return click's type; one that is not listed here is a mistake in a command, found at its first use."""
    if kind is int and spec is not None and (spec.min is not None or spec.max is not None):
        return click.IntRange(spec.min, spec.max)
    if get_origin(kind) is Literal:
        return click.Choice([str(one) for one in get_args(kind)])
    if _is_enum(kind):
        return click.Choice([one.value for one in kind])
    return {str: click.STRING, int: click.INT, float: click.FLOAT, Path: click.Path(path_type=Path)}[kind]
