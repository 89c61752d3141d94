"""The JSON of the configuration on the management API; secrets are left out before it gets here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sternpost.base.clock import utc_text
from sternpost.capabilities.configuration.records import ConfigurationState, Outcome, Problem


@dataclass(frozen=True, slots=True)
class FaultView:
    """`place` is a field such as `routes.fast.targets.0.model`; empty for the file as a whole."""

    line: int | None
    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Why the file was not taken over at its last reading; the configuration before it stays in force."""

    at: str
    file: str | None
    hash: str
    faults: Sequence[FaultView]


@dataclass(frozen=True, slots=True)
class ConfigurationView:
    """What is in force. `hash` is the beginning of the file's SHA-256, "" without a file.

    `hash_on_disk` differs when the file was changed and not reloaded; null: it can't be read.
    `applied_hash` was applied last, anywhere. `processes`: the hash in force in each of this machine.
    """

    file: str | None
    hash: str
    hash_on_disk: str | None
    applied_hash: str | None
    loaded_at: str
    loaded_by: str
    text: str
    problem: ProblemView | None
    processes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReloadView:
    """`added`, `changed` and `removed` are names such as `routes.fast`."""

    is_applied: bool
    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]
    warnings: Sequence[str]
    configuration: ConfigurationView


def configuration_view(
    state: ConfigurationState, on_disk: str | None, processes: Mapping[str, str]
) -> ConfigurationView:
    reading = state.reading
    return ConfigurationView(
        file=reading.path,
        hash=reading.digest,
        hash_on_disk=on_disk,
        applied_hash=state.applied_digest,
        loaded_at=utc_text(state.loaded_ns),
        loaded_by=state.by.name or state.by.id,
        text=reading.text,
        problem=None if state.problem is None else _problem_view(state.problem),
        processes=processes,
    )


def reload_view(outcome: Outcome, configuration: ConfigurationView) -> ReloadView:
    changes = outcome.changes
    return ReloadView(
        outcome.is_applied,
        changes.added,
        changes.changed,
        changes.removed,
        outcome.warnings,
        configuration,
    )


def _problem_view(problem: Problem) -> ProblemView:
    faults = [FaultView(fault.line, fault.place, fault.sentence) for fault in problem.faults]
    return ProblemView(utc_text(problem.at_ns), problem.path, problem.digest, faults)
