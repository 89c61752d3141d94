"""Chooses which units of a context answer a question, in two strengths; pure and deterministic."""

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from sternpost.providers.offline.context import Material, Unit, units_of
from sternpost.providers.offline.words import terms

# Chosen on the questions of examples/docs_bot: the smallest shares of a question's weight that a
# quotation must hold before it is given instead of "I don't know".
_PLAIN_SHARE = 0.5
_WEIGHTED_SHARE = 0.5

_HEADING_WEIGHT = 0.6
_NEIGHBOUR_WEIGHT = 0.25
_PREVIOUS_QUESTION_WEIGHT = 0.25
_BIGRAM_BONUS = 0.2
_KIND_BONUS = 0.1
_PLACE_BONUS = 0.1  # whoever gathers passages puts the best first
_LEAD_BONUS = 0.3  # a section about the question opens with its answer
_QUANTITY = ("how many", "how much", "how long", "how big", "how fast", "which port", "what port")
_DEFINITION = ("what is", "what are", "what does")
_INSTRUCTION = ("how do i", "how can i", "how to", "which command")
_FOLLOW_SHARE = 0.8  # of the best score, to be quoted beside it


@dataclass(frozen=True, slots=True)
class Choice:
    """The units to quote, in the order of the text; none when the text does not answer."""

    units: tuple[Unit, ...]
    share: float  # of the question's weight that the best unit holds, 0 to 1


@dataclass(frozen=True, slots=True)
class _Question:
    asked: str  # in lower case
    weights: Mapping[str, float]
    pairs: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Scored:
    unit: Unit
    score: float
    share: float


def choose_plain(material: Material) -> Choice:
    """Choose the one unit that shares most words with the question (`extract-small`)."""
    wanted = set(terms(material.question))
    if not wanted:
        return Choice((), 0.0)
    best: Unit | None = None
    best_share = 0.0
    for unit in units_of(material.passages):
        share = len(wanted & set(terms(unit.text))) / len(wanted)
        if share > best_share:
            best, best_share = unit, share
    if best is None or best_share < _PLAIN_SHARE:
        return Choice((), best_share)
    return Choice((best,), best_share)


def choose_weighted(material: Material) -> Choice:
    """Choose up to three units by rare words, pairs of words, headings and neighbours (`extract-large`)."""
    units = list(units_of(material.passages))
    bags = [terms(unit.text) for unit in units]
    question = _read_question(material, [set(bag) for bag in bags])
    if not question.weights or not units:
        return Choice((), 0.0)
    scored: list[_Scored] = []
    for at, unit in enumerate(units):
        is_first = at == 0 or units[at - 1].passage != unit.passage
        scored.append(_score(unit, bags[at], [] if is_first else bags[at - 1], question))
    ranked = sorted(range(len(units)), key=lambda at: (-scored[at].score, at))
    best = scored[ranked[0]]
    if best.share < _WEIGHTED_SHARE:
        return Choice((), best.share)
    chosen = _with_company(ranked, scored, units)
    return Choice(tuple(units[at] for at in sorted(chosen)), best.share)


def _read_question(material: Material, bags: Sequence[Set[str]]) -> _Question:
    """Weigh the question's terms by how rare they are in the context (BM25's inverse frequency)."""
    own = terms(material.question)
    wanted = dict.fromkeys(own, 1.0)
    if len(own) <= 3:  # a short question leans on the one before, a whole one stands alone
        wanted = dict.fromkeys(terms(material.previous_question), _PREVIOUS_QUESTION_WEIGHT) | wanted
    weights: dict[str, float] = {}
    for term, weight in wanted.items():
        holders = sum(term in bag for bag in bags)
        weights[term] = weight * math.log(1 + (len(bags) - holders + 0.5) / (holders + 0.5))
    return _Question(material.question.lower(), weights, frozenset(pairwise(own)))


def _score(unit: Unit, bag: Sequence[str], before: Sequence[str], question: _Question) -> _Scored:
    held = 0.0
    heading = terms(unit.heading)
    for term, weight in question.weights.items():
        if term in bag:
            held += weight
        elif term in heading:
            held += weight * _HEADING_WEIGHT
        elif term in before:
            held += weight * _NEIGHBOUR_WEIGHT
    share = held / sum(question.weights.values())
    length_penalty = 1 / (1 + max(0, len(bag) - 30) / 60)
    score = share * length_penalty + _kind_bonus(unit, question.asked) + _PLACE_BONUS / (1 + unit.passage)
    in_heading = sum(weight for term, weight in question.weights.items() if term in heading)
    score += _LEAD_BONUS * in_heading / sum(question.weights.values()) / (1 + unit.position)
    if question.pairs:
        score += _BIGRAM_BONUS * len(question.pairs & set(pairwise(bag))) / len(question.pairs)
    return _Scored(unit, score, share)


def _kind_bonus(unit: Unit, asked: str) -> float:
    """Prefer what has the form of an answer: a number for "how many", a definition for "what is"."""
    text = unit.text.lower()
    if asked.startswith(_QUANTITY):
        fits = any(letter.isdigit() for letter in text)
    elif asked.startswith(_DEFINITION):
        fits = not unit.is_code and any(verb in text[:80] for verb in (" is ", " are ", " means ", ": "))
    elif asked.startswith(_INSTRUCTION):
        fits = unit.is_code or "`" in text
    elif asked.startswith("why"):
        fits = any(word in text for word in ("because", "so that", "since"))
    else:
        fits = False
    return _KIND_BONUS if fits else 0.0


def _with_company(ranked: Sequence[int], scored: Sequence[_Scored], units: Sequence[Unit]) -> set[int]:
    """Take the best unit and its close rivals, each with what it announces by a colon; at most three."""
    best = ranked[0]
    chosen: set[int] = set()
    for at in ranked:
        if len(chosen) >= 3 or scored[at].score < scored[best].score * _FOLLOW_SHARE:
            break
        if any(units[at].text == units[other].text for other in chosen):
            continue
        chosen.add(at)
        after = at + 1
        is_announced = after < len(units) and units[after].passage == units[at].passage
        if is_announced and units[at].text.endswith(":") and len(chosen) < 3:
            chosen.add(after)
    return chosen
