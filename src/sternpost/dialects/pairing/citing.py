"""Which text of a reply a citation belongs to, for dialects that keep them beside each; no wire form."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sternpost.contracts.chat import Citation


def share_out(texts: Sequence[str], citations: Iterable[Citation]) -> list[list[Citation]]:
    """Return the citations of each text, their places counted from its beginning.

    One without a place belongs to the last text.
    """
    shares: list[list[Citation]] = [[] for _ in texts]
    if not texts:
        return shares
    for citation in citations:
        index, offset = _owner(texts, citation.start)
        shares[index].append(shifted(citation, -offset))
    return shares


def _owner(texts: Sequence[str], start: int | None) -> tuple[int, int]:
    offset = 0
    for index, text in enumerate(texts):
        is_last = index == len(texts) - 1
        if is_last or (start is not None and start < offset + len(text)):
            return index, offset
        offset += len(text)
    return 0, 0


def shifted(citation: Citation, by: int) -> Citation:
    """Move the places of a citation."""
    if not by or (citation.start is None and citation.end is None):
        return citation
    start = None if citation.start is None else max(0, citation.start + by)
    end = None if citation.end is None else max(0, citation.end + by)
    return replace(citation, start=start, end=end)
