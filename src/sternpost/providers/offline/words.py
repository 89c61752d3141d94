"""Words and sentences of plain text and Markdown; not which of them answer a question."""

import re
from collections.abc import Iterator
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)  # kana, Han, Hangul: no spaces between words
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)\s+(?=[\"'(\[`*A-Z0-9])|(?<=[。！？])"
)
_STOP_WORDS = frozenset(
    _WORD.findall(
        """a about all also am an and any are as at be been but by can could did do does doing done for
        from get give had happen happens has have having here how i if in into is it its just let like
        may me mean means might must my no not of on one only or our out over own please s say shall she
        should so some t tell than that the their them then there these they this those to too us use
        used using very was we were what when where which while who whom whose why will with would you
        your yours"""
    )
)


@lru_cache(maxsize=20_000)  # a third of the time of an answer goes into stems
def stem(word: str) -> str:
    """Cut the commonest English endings, so that `prices`, `priced` and `pricing` are one term."""
    if len(word) <= 3 or not word.isascii():
        return word
    if word.endswith(("ies", "ied")):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3:
            is_doubled = root[-1] == root[-2] and root[-1] not in "lsz"
            return root[:-1] if is_doubled else root.removesuffix("e")
    return word.removesuffix("e") if len(word) > 3 else word


def terms(text: str) -> list[str]:
    """Return the stemmed words of a text in order, stop words left out.

    Scripts written without spaces yield overlapping pairs of characters.
    """
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        if _UNSPACED.search(word):
            found.extend(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif word not in _STOP_WORDS:
            found.append(stem(word))
    return found


def sentences(paragraph: str) -> Iterator[str]:
    """Yield the sentences of one paragraph, unchanged."""
    for sentence in _SENTENCE_END.split(paragraph):
        if sentence and sentence.strip():
            yield sentence.strip()
