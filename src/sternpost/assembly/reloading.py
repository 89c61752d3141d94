"""Turns `sternpost.yaml` into readings that can be put in force; what follows of one is `configuration`'s."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from sternpost.assembly.config_check import Said, examine_loaded
from sternpost.assembly.config_file import LoadedConfig, digest_of, find_config, read_config
from sternpost.assembly.config_secrets import hide_secrets
from sternpost.assembly.environment import process_environment
from sternpost.assembly.in_force import Configuration, InForce, prepare
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings
from sternpost.capabilities.configuration.records import Fault, Reading, Refused
from sternpost.capabilities.configuration.rules import names_in

_LINE: Final = re.compile(r"[^:]*:(\d+): ")


class Readings:
    """Reads the file again: the one that is in force, with the environment and `.env` as they are now."""

    def __init__(
        self,
        settings: Settings,
        in_force: InForce,
        environment: Callable[[], Mapping[str, str]] = process_environment,
    ) -> None:
        self._settings = settings
        self._in_force = in_force
        self._environment = environment

    def current(self) -> Reading:
        """Return what is in force. Raises: ConfigurationError where nothing was read before."""
        return self._reading(self._in_force.current, ())

    def read(self) -> Reading | Refused:
        """Read and check everything the file says, and prepare it; nothing is in force yet."""
        try:
            path = self._find()
            environment = self._environment()
            loaded, misfits = read_config(path, environment)
        except ConfigurationError as error:
            return self._refused([_fault(line) for line in error.message.splitlines()])
        said = examine_loaded(loaded, misfits, environment).said
        if stops := [one for one in said if one.weight == "stop"]:
            return self._refused([Fault(one.line, one.field, one.sentence) for one in stops], loaded)
        try:
            configuration = prepare(loaded, environment)
        except ConfigurationError as error:
            return self._refused([_fault(line) for line in error.message.splitlines()], loaded)
        return self._reading(configuration, said)

    def digest_on_disk(self) -> str | None:
        """Return the hash of the file as it is now; None when it can't be read."""
        path = self._in_force.current.loaded.path
        try:
            return "" if path is None else digest_of(path.read_bytes())
        except OSError:
            return None

    def signature(self) -> tuple[int, ...]:
        """Return what differs once the file is another; cheap. () while there is none."""
        path = self._in_force.current.loaded.path or self._settings.home / "sternpost.yaml"
        try:
            found = path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _find(self) -> Path | None:
        """Raises: ConfigurationError when the file in force is gone: its routes must not vanish with it."""
        before, found = self._in_force.current.loaded.path, find_config(self._settings)
        if before is not None and found != before:
            raise ConfigurationError(
                f"{str(before)!r} is gone; put it back, or start Sternpost anew to go on without it"
            )
        return found

    def _reading(self, configuration: Configuration, said: Sequence[Said]) -> Reading:
        loaded = configuration.loaded
        return Reading(
            path=str(loaded.path.resolve()) if loaded.path else None,
            digest=loaded.digest,
            text=hide_secrets(loaded.text, loaded.root),
            sections=_sections(configuration),
            warnings=_warnings(loaded, said),
            put_in_force=lambda: self._in_force.put(configuration),
        )

    def _refused(self, faults: Sequence[Fault], loaded: LoadedConfig | None = None) -> Refused:
        path = self._in_force.current.loaded.path
        digest = loaded.digest if loaded is not None else self.digest_on_disk() or ""
        return Refused(str(path.resolve()) if path else None, digest, faults)


def _sections(configuration: Configuration) -> Mapping[str, Mapping[str, object]]:
    """Return what is compared; providers as they came out: a variable may change one without the file."""
    document = {**configuration.loaded.document}
    written = names_in(document.pop("providers", None) or {})
    providers = {
        name: provider
        for name, provider in configuration.catalog.providers.items()
        if name in written or not provider.is_known_only
    }
    return {"providers": providers, **{name: names_in(value) for name, value in document.items()}}


def _warnings(loaded: LoadedConfig, said: Sequence[Said]) -> tuple[str, ...]:
    slips = [one.sentence for one in said if one.weight == "fault"]
    unset = [f"${{{name}}} is not set; what needs it is not configured" for name in loaded.unset_variables]
    return (*slips, *unset)


def _fault(sentence: str) -> Fault:
    found = _LINE.match(sentence)
    return Fault(int(found[1]) if found else None, "", sentence)
