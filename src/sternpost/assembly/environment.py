"""Reads the environment and `.env` once into `Settings`; nobody else reads the environment."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from sternpost.assembly.trust import refuse_foreign
from sternpost.base.bounds import Bound, FilePath, Url, Whole
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings, bounds, meanings

PREFIX = "STERNPOST_"
_SHOWN_CHARACTERS = 60
_NEAR = 0.85  # STERNPOST_BASE_URL of the SDK must not be taken for STERNPOST_TABLES_URL


def setting_names() -> dict[str, str]:
    """Return environment variable -> field of `Settings`, in order."""
    return {PREFIX + field.name.upper(): field.name for field in fields(Settings)}


def process_environment(folder: Path | None = None) -> dict[str, str]:
    """Return the process environment over the lines of `.env` in `folder` (default: the working folder)."""
    return {**_dot_env((folder or Path.cwd()) / ".env"), **os.environ}


def load_settings(environment: Mapping[str, str], **overrides: object) -> Settings:
    """Read settings: overrides (flags) > environment > defaults; None overrides nothing.

    Raises: ConfigurationError, one line for each value that can't be used.
    """
    values: dict[str, object] = {"home": Path(environment.get("HOME", ".")) / ".sternpost"}
    given = {
        name: environment[variable] for variable, name in setting_names().items() if variable in environment
    }
    given |= {name: str(value) for name, value in overrides.items() if value is not None}
    faults: list[str] = []
    for name, bound in bounds().items():
        text = given.get(name, "")
        text = text if isinstance(bound, FilePath) else text.strip()
        if name not in given or (not text and not _means_something_when_empty(bound)):
            continue
        try:
            values[name] = bound.read(text)
        except ValueError as error:
            faults.append(_fault(name, text, bound, str(error)))
    if faults:
        raise ConfigurationError("\n".join(faults))
    return Settings(**values)  # type: ignore[arg-type]  # each value was read by its field's bound


def misspelt_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables that are no setting but nearly named like one -> the setting that may be meant."""
    known = setting_names()
    strange = [name for name in environment if name.startswith(PREFIX) and name not in known]
    near = {name: difflib.get_close_matches(name, known, n=1, cutoff=_NEAR) for name in strange}
    return {name: found[0] for name, found in near.items() if found}


def _means_something_when_empty(bound: Bound) -> bool:
    return isinstance(bound, Whole) and bound.is_zero_when_empty


def _fault(name: str, text: str, bound: Bound, allowed: str) -> str:
    """Say what is wrong; an address is not repeated, as it may contain a password."""
    shown = "can't be used" if isinstance(bound, Url) else f"can't be {_shortened(text)!r}"
    meaning = f" (it is: {meanings()[name]})" if name in meanings() else ""
    return f"{PREFIX}{name.upper()} {shown}; allowed is {allowed}{meaning}"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _dot_env(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    refuse_foreign(path, "make it writable by you alone, or start from another folder")
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and name and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found
