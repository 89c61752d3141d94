"""Turns a conversation into a quoted answer; not the JSON around it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from windlass.providers.offline.context import Material, Turn, Unit, read_material
from windlass.providers.offline.ranking import Choice, choose_plain, choose_weighted

NO_TEXT = "I don't know: the messages hold no text that I could quote. I am not a language model."
_QUOTATION_CHARACTERS = 1_500  # a longer unit, e.g. a file in a fence, is cut and marked with an ellipsis
NOT_FOUND = "I don't know: the text that I was given does not answer this."


@dataclass(frozen=True, slots=True)
class Strength:
    """One of the two answerers."""

    choose: Callable[[Material], Choice]
    context_tokens: int
    description: str


STRENGTHS: Mapping[str, Strength] = {
    "extract-large": Strength(
        choose_weighted, 200_000, "up to three quotations, ranked by rare words, word pairs and headings"
    ),
    "extract-small": Strength(choose_plain, 32_000, "one quotation, ranked by the number of shared words"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    sources: tuple[str, ...]
    share: float  # of the question's weight that the best quotation holds, 0 to 1
    is_known: bool


def answer(turns: Sequence[Turn], strength: Strength) -> Answer:
    """Quote what answers the last question, or say that it is not known."""
    material = read_material(turns)
    if not any(passage.text for passage in material.passages):
        return Answer(NO_TEXT, (), 0.0, is_known=False)
    choice = strength.choose(material)
    if not choice.units:
        return Answer(NOT_FOUND, (), choice.share, is_known=False)
    sources = tuple(dict.fromkeys(unit.source for unit in choice.units if unit.source))
    return Answer(_quote(choice.units), sources, choice.share, is_known=True)


def _quote(units: Sequence[Unit]) -> str:
    quoted: list[str] = []
    for source, run in groupby(units, key=lambda unit: unit.source):
        text = ""
        for unit in run:
            text += ("\n" if unit.is_code or text.endswith("```") else " ") + _bounded(unit)
        separator = "\n" if text.endswith("```") else " "
        quoted.append(text.strip() + (f"{separator}[{source}]" if source else ""))
    return "\n".join(quoted)


def _bounded(unit: Unit) -> str:
    if len(unit.text) <= _QUOTATION_CHARACTERS:
        return unit.text
    return unit.text[:_QUOTATION_CHARACTERS] + (" ...\n```" if unit.is_code else " ...")
