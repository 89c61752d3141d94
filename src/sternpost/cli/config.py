"""`sternpost config`: check sternpost.yaml and show what is in force.

Needs sternpost[server].
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated

from sternpost.assembly.config_check import Examined, Said, examine
from sternpost.assembly.config_file import find_config
from sternpost.assembly.config_grammar import GRAMMAR
from sternpost.assembly.environment import PREFIX, misspelt_settings, process_environment
from sternpost.assembly.local import open_access
from sternpost.base.errors import ConfigurationError, SternpostError
from sternpost.base.settings import Settings
from sternpost.cli.commands import Argument, Commands, Exit, echo
from sternpost.cli.options import ConfigPath, Home, Json, settings_from
from sternpost.cli.output import note, print_json, print_table

app = Commands(help="Check sternpost.yaml and show what is in force.")

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
    try:
        checked = examine(find_config(settings), environment, _key_names(settings))
    except ConfigurationError as error:
        checked = Examined(None, [Said(None, "", "stop", line) for line in error.message.splitlines()])
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
