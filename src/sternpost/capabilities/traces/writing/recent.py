"""Remembers which content was written a short while ago; forgetting only costs writing it again."""

from collections.abc import Iterable
from typing import TypeAlias

from sternpost.base.ids import ContentHash

ContentKey: TypeAlias = tuple[ContentHash, int]  # the hash, and the start of the day it is kept with


class RecentHashes:
    """The newest keys, in two generations so that forgetting costs nothing per key."""

    def __init__(self, capacity: int = 40_000) -> None:
        self._half = max(capacity // 2, 1)
        self._young: set[ContentKey] = set()
        self._old: set[ContentKey] = set()

    def __contains__(self, key: ContentKey) -> bool:
        return key in self._young or key in self._old

    def add_all(self, keys: Iterable[ContentKey]) -> None:
        self._young.update(keys)
        if len(self._young) > self._half:
            self._old = self._young
            self._young = set()
