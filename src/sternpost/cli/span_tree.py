"""The order in which the spans of a trace are read: each below the one it stands inside, siblings by time."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

SpanFields: TypeAlias = dict[str, Any]
_DEEPEST = 30  # levels that are indented


def in_tree_order(spans: Sequence[SpanFields]) -> list[tuple[int, SpanFields]]:
    """Return every span once, with its depth. A span whose parent is not here is a root.

    Spans that stand inside each other in a circle come last, as nothing leads to them.
    """
    here = {span["span_id"] for span in spans}
    children: defaultdict[str, list[SpanFields]] = defaultdict(list)
    for span in _by_start(spans):
        parent = span["parent_span_id"]
        children[parent if parent in here else ""].append(span)
    found: list[tuple[int, SpanFields]] = []
    seen: set[str] = set()
    starts = [(0, span) for span in children[""]] + [(0, span) for span in _by_start(spans)]
    waiting = starts[::-1]
    while waiting:
        depth, span = waiting.pop()
        if span["span_id"] in seen:
            continue
        seen.add(span["span_id"])
        found.append((min(depth, _DEEPEST), span))
        waiting += [(depth + 1, child) for child in reversed(children[span["span_id"]])]
    return found


def _by_start(spans: Iterable[SpanFields]) -> list[SpanFields]:
    return sorted(spans, key=lambda span: str(span["started_at"]))
