"""How many cells of a terminal a text takes; not where tables cut it."""

import unicodedata

_NO_CELL = frozenset({"Mn", "Me", "Cf"})  # marks set over the character before, joiners, variation selectors
_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_SELECTOR = "\ufe0f"


def cell_len(text: str) -> int:
    """Count cells by East Asian Width (UAX 11); an emoji joined to another takes no more than the first."""
    return len(text) if text.isascii() else sum(cells for _, cells in _characters(text))


def set_cell_size(text: str, total: int) -> str:
    """Cut a text to `total` cells, or fill it up with spaces; half a wide character becomes a space."""
    taken, kept = 0, 0
    for character, cells in _characters(text):
        if taken + cells > total:
            break
        taken, kept = taken + cells, kept + len(character)
    return text[:kept] + " " * (total - taken)


def _characters(text: str) -> list[tuple[str, int]]:
    """Split a text into what is drawn as one, with the cells of each."""
    found: list[tuple[str, int]] = []
    for one in text:
        previous = found[-1] if found else None
        if previous is not None and (previous[0].endswith(_ZERO_WIDTH_JOINER) or _cells(one) == 0):
            cells = 2 if one == _EMOJI_SELECTOR else previous[1]
            found[-1] = (previous[0] + one, cells)
        else:
            found.append((one, _cells(one)))
    return found


def _cells(character: str) -> int:
    if unicodedata.category(character) in _NO_CELL:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
