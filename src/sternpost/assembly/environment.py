"""Reads the environment and `.env` once into `Settings`; nobody else reads the environment."""

import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings

PREFIX = "STERNPOST_"

_READERS: Mapping[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "Path": lambda text: Path(text).expanduser(),
    "Path | None": lambda text: Path(text).expanduser() if text else None,
}


def setting_names() -> dict[str, str]:
    """Return environment variable -> field of `Settings`, in order."""
    return {PREFIX + field.name.upper(): field.name for field in fields(Settings)}


def process_environment(folder: Path | None = None) -> dict[str, str]:
    """Return the process environment over the lines of `.env` in `folder` (default: the working folder)."""
    return {**_dot_env((folder or Path.cwd()) / ".env"), **os.environ}


def load_settings(environment: Mapping[str, str], **overrides: object) -> Settings:
    """Read settings: overrides (flags) > environment > defaults; None overrides nothing.

    Raises: ConfigurationError naming the variable whose value can't be read.
    """
    values: dict[str, object] = {"home": Path(environment.get("HOME", ".")) / ".sternpost"}
    types = {field.name: str(field.type) for field in fields(Settings)}
    types = {name: text.removeprefix("<class '").removesuffix("'>") for name, text in types.items()}
    for variable, name in setting_names().items():
        text = environment.get(variable)
        if text is None or text == "":
            continue
        kind = types[name].split(".")[-1] if "|" not in types[name] else "Path | None"
        try:
            values[name] = _READERS[kind](text)
        except ValueError as error:
            raise ConfigurationError(f"{variable} must be of type {kind}, not {text!r}") from error
    values.update({name: value for name, value in overrides.items() if value is not None})
    settings = Settings(**values)  # type: ignore[arg-type]  # each value was read by its field's type
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        raise ConfigurationError(f"STERNPOST_PORT must be from 0 to 65535, not {settings.port}")
    if settings.log_level not in {"debug", "info", "warning", "error"}:
        raise ConfigurationError("STERNPOST_LOG_LEVEL must be debug, info, warning or error")
    if settings.log_format not in {"text", "json"}:
        raise ConfigurationError("STERNPOST_LOG_FORMAT must be text or json")


def _dot_env(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and name and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found
