"""What was begun and must be finished after a restart; a protocol, the engines are in `backends/pending`."""

from collections.abc import Sequence
from typing import Protocol


class Pending(Protocol):
    """Named pieces of bytes, each on disk when `keep` returns. Blocking; call it through `base.threads`."""

    def keep(self, name: str, content: bytes) -> None:
        """Keep or replace one. Raises: StoreUnavailable when the disk does not take it."""
        ...

    def drop(self, name: str) -> None:
        """Forget one; nothing happens when there is none."""
        ...

    def all(self) -> Sequence[tuple[str, bytes]]:
        """Return what is kept, in no order."""
        ...
