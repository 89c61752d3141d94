"""Turns a conversation into a quoted answer; not the JSON around it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sternpost.providers.offline.context import TOOL_SOURCE, Material, Turn, Unit, read_material
from sternpost.providers.offline.ranking import Choice, choose_plain, choose_weighted
from sternpost.providers.offline.tools import Tool, ToolCall, ToolMode, choose_tool

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
    tool_call: ToolCall | None = None


def answer(
    turns: Sequence[Turn], strength: Strength, *, tools: Sequence[Tool] = (), mode: ToolMode = "auto"
) -> Answer:
    """Ask for a tool, quote what answers the last question, or say that it is not known."""
    material = read_material(turns)
    results = _results_of_last_tools(turns)
    if not results and (call := choose_tool(material.question, tools, mode)) is not None:
        return Answer("", (), 0.0, is_known=True, tool_call=call)
    found = _quoted(material, strength)
    if found.is_known or not results:
        return found
    text = "\n".join(result[:_QUOTATION_CHARACTERS] for result in results)
    return Answer(f"{text} [{TOOL_SOURCE}]", (TOOL_SOURCE,), found.share, is_known=True)


def _results_of_last_tools(turns: Sequence[Turn]) -> list[str]:
    """Return what tools answered after the last question."""
    asked = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=-1)
    return [turn.text for turn in turns[asked + 1 :] if turn.role == "tool" and turn.text]


def _quoted(material: Material, strength: Strength) -> Answer:
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
