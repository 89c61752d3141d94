"""The capabilities: one module each, found by looking; a new one is seen without naming it anywhere."""

import re
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from sternpost.assembly.part import Plug, Scopes
from sternpost.contracts.span_facts import Facts, SpanFact

_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@cache
def plugs() -> tuple[Plug, ...]:
    """Return what each module of this folder exports as `PLUG`, sorted by name."""
    found: list[Plug] = []
    for name in sorted(one.name for one in iter_modules(__path__)):
        plug: Plug = import_module(f"{__name__}.{name}").PLUG
        found.append(plug)
    return tuple(found)


@cache
def span_facts() -> Facts:
    """Return the facts that plugs declare, by name.

    Raises: ValueError for a name that is declared twice, or that no filter can hold.
    """
    found: dict[str, SpanFact] = {}
    for fact in [fact for plug in plugs() for fact in plug.facts]:
        if not _FACT_NAME.fullmatch(fact.name):
            raise ValueError(f"{fact.name!r} can't name a fact: use a-z, 0-9 and underscores")
        if fact.name in found:
            raise ValueError(f"the fact {fact.name!r} is declared twice; choose another name for one of them")
        found[fact.name] = fact
    return found


def needed_scopes(method: str, path: str) -> Scopes | None:
    """Return what a key needs for a request to the API, to files and to batches; None: it is not for keys.

    A row stands for its path and all below, with a "/" at its end for those below alone; the nearest wins.
    """
    method = "GET" if method == "HEAD" else method
    ends = [at for at in range(len(path) - 1, 0, -1) if path[at] == "/"]
    for place in [path, *(path[:end] for at in ends for end in (at + 1, at))]:
        for row in ((method, place), ("*", place)):
            if row in _rows():
                return _rows()[row]
    return None


@cache
def _rows() -> dict[tuple[str, str], Scopes]:
    of_parts = {row: scopes for plug in plugs() for row, scopes in plug.scopes.items()}
    return {("GET", "/api/status"): frozenset(), **of_parts}  # of the server itself: any key may see it
