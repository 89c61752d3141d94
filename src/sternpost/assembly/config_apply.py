"""Compares files of the configuration without their secrets, and puts one in the place of another."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from sternpost.assembly.config_secrets import hide_secrets
from sternpost.assembly.yaml_text import read_yaml
from sternpost.base.errors import ConfigurationError
from sternpost.base.files import write_file


def shown_text(path: Path) -> str:
    """Return a file without its secrets; "" where there is none. Raises: ConfigurationError for no YAML."""
    if not path.exists():
        return ""
    read = read_yaml(path)
    return hide_secrets(read.text, read.root)


def difference(before: str, after: str, before_name: str, after_name: str) -> Sequence[str]:
    """Return the lines of a unified diff; none where both are the same, or differ in secrets alone."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), before_name, after_name, lineterm=""
    )
    return list(lines)


def replace_config(target: Path, path: Path) -> None:
    """Write one file over another, whole or not at all; mode and owner stay. Raises: ConfigurationError."""
    real = target.resolve()  # a link goes on pointing to it
    try:
        write_file(real, path.read_bytes(), like=real if real.exists() else None)
    except OSError as error:
        raise ConfigurationError(
            f"can't write {str(target)!r}: {error.strerror}; nothing was changed"
        ) from error
