"""Lets the drain's flushes and the deletion of traces take turns; neither the writing nor the deleting.

A flush writes messages before the spans that refer to them, and leaves out messages that were written a short
while ago. A deletion that looked for what nothing refers to in the middle of that would take a message away
from a span that is on its way. So it deletes between two flushes, and notes what they wrote while it looked.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from threading import Condition

_LOOK_S = 0.2

IsOver = Callable[[], bool]


class FlushTurns:
    """One per drain. Safe for the drain's thread and one thread that deletes."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._is_flushing = False
        self._is_paused = False
        self._must_forget = False
        self._noted: set[str] | None = None
        self._is_erase_asked = False

    # The drain's side.

    def begin(self) -> bool:
        """Wait for the turn of a flush; say whether what was written before has to be written again."""
        with self._changed:
            while self._is_paused:
                self._changed.wait(_LOOK_S)
            self._is_flushing = True
            must_forget, self._must_forget = self._must_forget, False
            return must_forget

    def end(self) -> None:
        with self._changed:
            self._is_flushing = False
            self._changed.notify_all()

    def note(self, hashes: Callable[[], Iterable[str]]) -> None:
        """Remember what is about to be referred to, while a deletion is looking."""
        if self._noted is not None:
            self._noted.update(hashes())

    def caught_up(self, erase: Callable[[], None]) -> None:
        """Tell that all of the journal is stored, and erase it if a deletion waits for that."""
        if self._is_erase_asked:
            erase()
            with self._changed:
                self._is_erase_asked = False
                self._changed.notify_all()

    # The deletion's side.

    @contextmanager
    def paused(self, is_over: IsOver) -> Generator[bool]:
        """Hold flushes back; False when it is over before. Flushes after it write again what they meet."""
        with self._changed:
            self._is_paused = True
            while self._is_flushing and not is_over():
                self._changed.wait(_LOOK_S)
            is_held = not self._is_flushing
        try:
            yield is_held
        finally:
            with self._changed:
                self._is_paused = False
                self._must_forget = True
                self._changed.notify_all()

    @contextmanager
    def noting(self, is_over: IsOver) -> Generator[set[str]]:
        """Note what flushes refer to; those before the block are done when it begins."""
        noted: set[str] = set()
        with self.paused(is_over):
            self._noted = noted
        try:
            yield noted
        finally:
            self._noted = None

    def wait_until_erased(self, is_over: IsOver) -> bool:
        """Wait until the drain has stored and erased what the journal holds; False when it is over before."""
        with self._changed:
            self._is_erase_asked = True
            while self._is_erase_asked and not is_over():
                self._changed.wait(_LOOK_S)
            return not self._is_erase_asked
