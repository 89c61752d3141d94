"""`batches:` of sternpost.yaml; whether a window can be meant is checked in `rules`."""

from dataclasses import dataclass, field
from typing import ClassVar

from sternpost.base.config_section import STRICT, ConfigSection, told


@dataclass(frozen=True, slots=True)
class OffPeakEntry:
    """A window of the day in the wall-clock time of a zone; it may span midnight."""

    __pydantic_config__: ClassVar = STRICT

    from_: str = field(metadata=told('When it opens, e.g. "22:00".', alias="from"))
    until: str = field(metadata=told('When it closes, e.g. "06:00".'))
    timezone: str = field(default="UTC", metadata=told("e.g. Europe/Berlin."))


@dataclass(frozen=True, slots=True)
class BatchesEntry:
    """How lines of batches are run."""

    __pydantic_config__: ClassVar = STRICT

    concurrency: int = field(
        default=8, metadata=told("How many lines of all batches are in flight at once.", ge=1, le=500)
    )
    off_peak: OffPeakEntry | None = field(
        default=None,
        metadata=told("Start lines only in this window; unset: at once. Providers' own batches never wait."),
    )
    use_providers: bool = field(
        default=True,
        metadata=told("Send lines to a provider's own batch API if it has one, at its batch price."),
    )
    poll_s: float = field(
        default=30.0, metadata=told("Seconds between two status checks of a provider's batch.", ge=0.1)
    )
    max_lines: int = field(
        default=50_000, metadata=told("How many lines a batch may have.", ge=1, le=1_000_000)
    )


SECTION = ConfigSection("batches", BatchesEntry, BatchesEntry)
