"""Chooses the journal: segment files in the data folder, written by `serve` and read by `worker`."""

from sternpost.backends.journal.reader import SegmentReader
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.backends.journal.space import JournalLimits
from sternpost.base.settings import Settings

_FOLDER = "journal"


def open_journal(settings: Settings) -> SegmentJournal:
    """Start a separate writer; call it after any fork, as it starts threads."""
    limits = JournalLimits(
        segment_bytes=settings.journal_segment_bytes,
        max_bytes=settings.journal_max_bytes,
        min_free_bytes=settings.journal_min_free_bytes,
    )
    return SegmentJournal(settings.home / _FOLDER, limits)


def open_reader(settings: Settings) -> SegmentReader:
    """Take the one place of a reader. Raises: AlreadyRunning."""
    return SegmentReader(settings.home / _FOLDER)
