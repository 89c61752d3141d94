"""Everything there is to say about a `sternpost.yaml`, at once and with its lines."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sternpost.assembly.config_file import LoadedConfig, Misfit, read_config
from sternpost.assembly.config_names import Finding, Weight, find_names
from sternpost.base.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is wrong, or may be."""

    line: int | None
    field: str  # e.g. routes.fast.targets.0.model
    weight: Weight
    sentence: str  # with file and line


@dataclass(frozen=True, slots=True)
class Examined:
    path: Path | None  # None: no file was found, which is fine
    said: Sequence[Said]
    unset_variables: Sequence[str] = ()

    def refuse(self) -> None:
        """Raises: ConfigurationError naming everything that stops the start."""
        stops = [one.sentence for one in self.said if one.weight == "stop"]
        if stops:
            raise ConfigurationError("\n".join(stops))


def examine(
    path: Path | None, environment: Mapping[str, str], keys: Collection[str] | None = None
) -> Examined:
    """Read a file as `serve` will, and look up every name in it. keys: names and ids of the API keys.

    Raises: ConfigurationError for a file that can't be read at all.
    """
    loaded, misfits = read_config(path, environment)
    return examine_loaded(loaded, misfits, environment, keys)


def examine_loaded(
    loaded: LoadedConfig,
    misfits: Sequence[Misfit],
    environment: Mapping[str, str],
    keys: Collection[str] | None = None,
) -> Examined:
    """Examine a file that was read already, and what of it does not fit."""
    said = [Said(one.line, _field(one.place), "stop", one.sentence) for one in misfits]
    said += [_said(loaded, one) for one in find_names(loaded, environment, keys)]
    return Examined(loaded.path, sorted(said, key=lambda one: one.line or 0), loaded.unset_variables)


def _said(loaded: LoadedConfig, finding: Finding) -> Said:
    file = loaded.path.name if loaded.path else "sternpost.yaml"
    line, field = loaded.line_of(finding.place), _field(finding.place)
    return Said(line, field, finding.weight, f"{file}:{line}: {field}: {finding.sentence}")


def _field(place: Sequence[int | str]) -> str:
    return ".".join(map(str, place))
