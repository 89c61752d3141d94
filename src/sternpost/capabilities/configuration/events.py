"""The events of the configuration: what was applied or refused, and by whom; names and places, no values."""

from typing import Final

from sternpost.capabilities.configuration.records import Changes, Problem, Reading
from sternpost.capabilities.configuration.rules import places_of
from sternpost.contracts.event_log import Actor, NewEvent
from sternpost.contracts.events import ConfigurationApplied, ConfigurationRefused

START: Final = Actor("system", "start", "start")
SIGNAL: Final = Actor("system", "signal", "SIGHUP")
WATCH: Final = Actor("system", "watch", "watched file")
SUBJECT: Final = "configuration"


def applied(before: str | None, reading: Reading, changes: Changes, actor: Actor) -> NewEvent:
    """before: the hash that was in force; None: nothing was ever applied."""
    body = ConfigurationApplied(
        before={"hash": before},
        after={"hash": reading.digest, "file": reading.path},
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
    )
    return NewEvent(body, SUBJECT, actor)


def refused(in_force: str, problem: Problem, actor: Actor) -> NewEvent:
    body = ConfigurationRefused(
        in_force=in_force, refused=problem.digest, file=problem.path or "", faults=places_of(problem)
    )
    return NewEvent(body, SUBJECT, actor)
