"""`sternpost config`: check sternpost.yaml and show what is in force."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

from sternpost.assembly.config_file import find_config, load_config
from sternpost.assembly.config_grammar import ConfigFile
from sternpost.assembly.environment import PREFIX, misspelt_settings, process_environment
from sternpost.assembly.traffic import check_config
from sternpost.base.errors import ConfigurationError
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
    """Say whether the file can be used. Exit code 1 when it can't."""
    environment = process_environment()
    try:
        loaded = load_config(find_config(settings_from(home, config=path or config)), environment)
        catalog = check_config(loaded, environment)
    except ConfigurationError as error:
        if is_json:
            print_json({"is_valid": False, "faults": error.message.splitlines()})
        else:
            note(error.message)
        raise Exit(1) from None
    if is_json:
        print_json(
            {
                "is_valid": True,
                "path": str(loaded.path) if loaded.path else None,
                "unset_variables": loaded.unset_variables,
            }
        )
        return
    for strange, meant in misspelt_settings(environment).items():
        note(f"note: {strange} is no setting; do you mean {meant}?")
    echo(f"{loaded.path}: fine" if loaded.path else "no sternpost.yaml found, which is fine")
    for provider in catalog.providers.values():
        if provider.fault:
            note(f"note: the provider {provider.name!r} is not configured: {provider.fault}")
    for name in loaded.unset_variables:
        note(f"note: ${{{name}}} is not set in the environment; what needs it is not configured")


@app.command()
def schema() -> None:
    """Print the JSON schema of sternpost.yaml."""
    print_json(ConfigFile.model_json_schema())


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
