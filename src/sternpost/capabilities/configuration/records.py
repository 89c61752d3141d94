"""The nouns of the configuration in force; what a file may say is the grammar's matter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sternpost.contracts.event_log import Actor


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that keeps a file from being used; `sentence` begins with its file and line."""

    line: int | None
    place: str  # e.g. routes.fast.targets.0.model; "" for the file as a whole
    sentence: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A reading that can't be used. `digest` is "" when the file could not be read."""

    path: str | None
    digest: str
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that can be used, prepared as a whole; nothing of it is in force before `put_in_force`.

    sections: what is compared with the reading before, by section and name. It holds secrets and is never
    shown. text: the file without its secrets.
    """

    path: str | None  # None: there is no file, which is fine
    digest: str  # of the file's bytes; "" without a file
    text: str
    sections: Mapping[str, Mapping[str, object]] = field(repr=False)
    warnings: Sequence[str]
    put_in_force: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Changes:
    """Names such as `routes.fast`, sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the file was not taken over; the configuration before it stays in force."""

    at_ns: int
    path: str | None
    digest: str
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class ConfigurationState:
    """What is in force in this process. `applied_digest`: what the event log says was applied last."""

    reading: Reading
    loaded_ns: int
    by: Actor
    problem: Problem | None = None
    applied_digest: str | None = None

    @property
    def is_as_applied(self) -> bool:
        """Whether this process uses the file that was applied last, by whichever process."""
        return self.applied_digest is None or self.applied_digest == self.reading.digest


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reload did: took a file over, perhaps with no change in it, or refused it."""

    state: ConfigurationState
    changes: Changes
    is_applied: bool
    warnings: Sequence[str] = ()
