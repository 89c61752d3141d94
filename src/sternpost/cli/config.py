"""`sternpost config`: check sternpost.yaml, put it in force, and show what is.

Needs sternpost[server].
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from sternpost.assembly.config_apply import difference, replace_config, shown_text
from sternpost.assembly.config_check import Examined, Said, examine
from sternpost.assembly.config_file import NAME, find_config
from sternpost.assembly.config_grammar import GRAMMAR
from sternpost.assembly.environment import PREFIX, misspelt_settings, process_environment
from sternpost.assembly.local import open_access
from sternpost.base.errors import ConfigurationError, SternpostError
from sternpost.base.settings import Settings
from sternpost.cli.client import ApiClient, connect
from sternpost.cli.commands import Argument, Commands, Exit, Option, confirm, echo
from sternpost.cli.options import ConfigPath, Home, Json, settings_from
from sternpost.cli.output import note, print_json, print_table
from sternpost.server.instance import running_address

app = Commands(help="Check sternpost.yaml, put it in force, and show what is.")

_SECRET_WORDS = ("KEY", "URL", "PASSWORD", "TOKEN")


@app.command()
def check(
    path: Annotated[Path | None, Argument(help="The file; default: the one Sternpost would use.")] = None,
    *,
    home: Home = None,
    config: ConfigPath = None,
    is_json: Json = False,
) -> None:
    """Find every fault of the file, and what it names that does not exist. Exit code 1 for any."""
    environment = process_environment()
    settings = settings_from(home, config=path or config)
    checked = _examine(lambda: find_config(settings), settings, environment)
    faults = [one for one in checked.said if one.weight != "note"]
    notes = [one for one in checked.said if one.weight == "note"]
    if is_json:
        print_json(
            {
                "is_valid": not faults,
                "path": str(checked.path) if checked.path else None,
                "faults": [one.sentence for one in faults],
                "notes": [one.sentence for one in notes],
                "found": [asdict(one) for one in checked.said],
                "unset_variables": checked.unset_variables,
            }
        )
    else:
        _print_examined(checked, [*faults, *notes], environment, is_valid=not faults)
    if faults:
        raise Exit(1)


@app.command()
def apply(
    path: Annotated[
        Path | None, Argument(help="Takes the place of the file in force; default: that file.")
    ] = None,
    *,
    is_sure: Annotated[bool, Option("--yes", help="Replace the file without asking.")] = False,
    home: Home = None,
    config: ConfigPath = None,
    is_json: Json = False,
) -> None:
    """Check the file, and let the running Sternpost go over to it; no call is dropped.

    With FILE, its text replaces the file in force, after the difference was shown. Exit code 1 when it has
    faults: then nothing is changed.
    """
    environment, settings = process_environment(), settings_from(home, config=config)
    running = _running(settings)
    target = _target(running, settings)
    checked = _examine(lambda: path or target, settings, environment)
    faults = [one for one in checked.said if one.weight != "note"]
    if faults:
        _print_examined(checked, faults, environment, is_valid=False)
        raise Exit(1)
    if path is not None:
        _refuse_elsewhere(running, settings)
        _replace(target, path, is_sure=is_sure, is_shown=not is_json)
    if running is None:
        _say_later(target, is_json=is_json)
        return
    done = running.client.post("/api/config/reload")
    if is_json:
        print_json(done)
    else:
        _print_reload(done)
    if not done["is_applied"]:
        raise Exit(1)


@app.command()
def diff(
    path: Annotated[Path | None, Argument(help="The file to compare; default: the file on the disk.")] = None,
    *,
    home: Home = None,
    config: ConfigPath = None,
) -> None:
    """Show what `config apply` would change, without secrets. Exit code 1 when there is a difference."""
    settings = settings_from(home, config=config)
    running = _running(settings)
    target = _target(running, settings)
    before = running.text if running is not None else shown_text(target)
    lines = difference(before, shown_text(path or target), str(target), str(path or target))
    for line in lines:
        echo(line)
    if lines:
        raise Exit(1)


@app.command()
def export(*, home: Home = None, config: ConfigPath = None, is_json: Json = False) -> None:
    """Print the configuration in force: of the running Sternpost, else of the file. Secrets are hidden."""
    settings = settings_from(home, config=config)
    running = _running(settings)
    if is_json:
        print_json(running.facts if running is not None else {"text": shown_text(_target(None, settings))})
        return
    echo((running.text if running is not None else shown_text(_target(None, settings))).rstrip("\n"))


@dataclass(frozen=True, slots=True)
class _Running:
    """A Sternpost that answers, and what it says is in force."""

    client: ApiClient
    facts: dict[str, object]

    @property
    def text(self) -> str:
        return str(self.facts["text"])


def _running(settings: Settings) -> _Running | None:
    """Ask the running Sternpost; None where none runs on this folder."""
    if running_address(settings.home) is None and "STERNPOST_BASE_URL" not in process_environment():
        return None
    client = connect(settings)
    return _Running(client, client.get("/api/config"))


def _target(running: _Running | None, settings: Settings) -> Path:
    """Return the file in force; where there is none, that of the data folder, which is found at a start."""
    named = running.facts["file"] if running is not None else find_config(settings)
    return Path(str(named)) if named else settings.home / NAME


def _examine(find: Callable[[], Path | None], settings: Settings, environment: Mapping[str, str]) -> Examined:
    try:
        return examine(find(), environment, _key_names(settings))
    except ConfigurationError as error:
        return Examined(None, [Said(None, "", "stop", line) for line in error.message.splitlines()])


def _refuse_elsewhere(running: _Running | None, settings: Settings) -> None:
    """Raises: ConfigurationError: a path of another machine is not written to on this one."""
    if running is not None and running_address(settings.home) is None:
        raise ConfigurationError(
            "STERNPOST_BASE_URL leads to a Sternpost of another folder; put the file there and run"
            " `sternpost config apply` without FILE"
        )


def _replace(target: Path, path: Path, *, is_sure: bool, is_shown: bool) -> None:
    """Show the difference, ask, and write. Raises: Exit when the answer is no."""
    if is_shown:
        for line in difference(shown_text(target), shown_text(path), str(target), str(path)):
            echo(line)
    if not is_sure:
        if not sys.stdin.isatty():
            raise ConfigurationError(f"{str(target)!r} would be replaced; add --yes to do so without asking")
        if not confirm(f"Replace {target}?"):
            raise Exit(1)
    replace_config(target, path)


def _say_later(target: Path, *, is_json: bool) -> None:
    if is_json:
        print_json({"is_applied": False, "file": str(target)})
    else:
        echo(f"{target}: fine; Sternpost does not run, and reads it at its next start")


def _print_reload(done: Mapping[str, Any]) -> None:
    for warning in done["warnings"]:
        note(f"warning: {warning}")
    in_force = done["configuration"]
    if not done["is_applied"]:
        for fault in in_force["problem"]["faults"]:
            note(str(fault["sentence"]))
        note("the configuration of before stays in force")
        return
    for word in ("added", "changed", "removed"):
        for name in done[word]:
            echo(f"{word:8} {name}")
    echo(f"in force: {in_force['file'] or 'no file'}, hash {in_force['hash'] or 'none'}")


def _print_examined(
    checked: Examined, said: Sequence[Said], environment: Mapping[str, str], *, is_valid: bool
) -> None:
    for strange, meant in misspelt_settings(environment).items():
        note(f"note: {strange} is not a setting; did you mean {meant}?")
    if is_valid:
        echo(f"{checked.path}: fine" if checked.path else "no sternpost.yaml found, which is fine")
    for one in said:
        note(f"note: {one.sentence}" if one.weight == "note" else one.sentence)
    for name in checked.unset_variables:
        note(f"note: ${{{name}}} is not set in the environment; what needs it is not configured")


def _key_names(settings: Settings) -> set[str] | None:
    """Return the names and ids of the API keys of the data folder; None where there is none yet."""
    try:
        with open_access(settings) as access:
            return {name for key in access.store.all_keys() for name in (key.name, key.key_id)}
    except (SternpostError, OSError):
        return None


@app.command()
def schema() -> None:
    """Print the JSON schema of sternpost.yaml."""
    print_json(GRAMMAR.model_json_schema())


@app.command()
def show(*, home: Home = None, is_json: Json = False) -> None:
    """Show every setting, its value and where it came from; secrets are masked."""
    environment = process_environment()
    settings = settings_from(home)
    rows: list[tuple[str, str, str]] = []
    for field in fields(settings):
        variable = PREFIX + field.name.upper()
        held = getattr(settings, field.name)
        value = "" if held is None else str(held)
        is_secret = any(word in variable for word in _SECRET_WORDS) and "@" in value
        source = "environment" if environment.get(variable) else "default"
        if field.name == "home" and home is not None:
            source = "flag"
        rows.append((variable, "***" if is_secret else value, source))
    if is_json:
        print_json([{"name": name, "value": value, "source": source} for name, value, source in rows])
    else:
        print_table(("setting", "value", "from"), rows, empty="no settings")
