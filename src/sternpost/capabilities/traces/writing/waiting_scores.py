"""Gives scores that name only the id of a reply the span of that call, also when it comes later.

Writing them down is `writes`'; here they are looked up, for a day after they came.
"""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Final

from sternpost.base.errors import StoreError
from sternpost.capabilities.traces.filters.same_calls import IS_OURS
from sternpost.capabilities.traces.writing.rows import SCORE_COLUMNS, WAITING_SCORE_COLUMNS
from sternpost.contracts.trace_store import TraceStore

WINDOW_HOURS: Final = 24  # how long a score waits; its call may also have been made as long before it
_PAUSE_S = 5.0
_MOST = 1000  # of one project and round
_LATE_EVERY = 12  # scores that have waited for minutes are looked up once a minute
_WINDOW_NS = WINDOW_HOURS * 3_600_000_000_000
_FRESH_NS = 300_000_000_000

logger = logging.getLogger(__name__)


def keep_scores_settled(store: TraceStore, stop: Event) -> None:
    """Look waiting scores up every few seconds, until told to stop."""
    rounds = 0
    while not stop.wait(_PAUSE_S):
        rounds += 1
        try:
            settle_scores(store, is_late_turn=rounds % _LATE_EVERY == 0)
        except StoreError as error:
            logger.info("scores that name a reply wait for the trace store: %s", error.message)


def settle_scores(store: TraceStore, *, is_late_turn: bool = True) -> int:
    """Write scores whose call is known now; return how many. Harmless to repeat.

    is_late_turn: also those that have waited for some minutes. Raises: StoreError.
    """
    waited_ns = _WINDOW_NS if is_late_turn else _FRESH_NS
    answer = store.query(_WAITING, {"waited": waited_ns, "most": _MOST})
    by_project: defaultdict[str, list[Mapping[str, object]]] = defaultdict(list)
    for values in answer.rows:
        row = dict(zip(answer.columns, values, strict=True))
        by_project[str(row["project_id"])].append(row)
    return sum(_settle(store, project_id, waiting) for project_id, waiting in by_project.items())


def _settle(store: TraceStore, project_id: str, waiting: Sequence[Mapping[str, object]]) -> int:
    asked: dict[str, object] = {
        "project": project_id,
        "replies": sorted({str(row["response_id"]) for row in waiting}),
        "low": min(int(str(row["created_ns"])) for row in waiting) - _WINDOW_NS,
    }
    places = {str(reply): (trace, span) for reply, trace, span in store.query(_CALLS, asked).rows}
    found = [(row, *places[str(row["response_id"])]) for row in waiting if row["response_id"] in places]
    scores = [{**row, "trace_id": trace, "span_id": span} for row, trace, span in found]
    store.insert("scores", SCORE_COLUMNS, [[score[name] for name in SCORE_COLUMNS] for score in scores])
    # What was said stands in `scores` now, where a deletion finds it.
    settled = [{**row, "label": "", "explanation": "", "is_settled": 1} for row, _, _ in found]
    store.insert(
        "waiting_scores",
        WAITING_SCORE_COLUMNS,
        [[row[name] for name in WAITING_SCORE_COLUMNS] for row in settled],
    )
    return len(found)


_WAITING = """
SELECT * FROM waiting_scores FINAL
WHERE is_settled = 0 AND received_ns > toUnixTimestamp64Nano(now64(9)) - {waited:Int64}
ORDER BY project_id, received_ns DESC
LIMIT {most:UInt32} BY project_id
LIMIT 10000
"""

# The gateway's span stands for a call that others report as well.
_CALLS = f"""
SELECT response_id, argMax(trace_id, place) AS trace_id, argMax(span_id, place) AS span_id
FROM (
    SELECT response_id, trace_id, span_id, ({IS_OURS}, type = 'llm', started_ns) AS place
    FROM spans
    WHERE project_id = {{project:String}} AND started_ns >= {{low:Int64}}
    AND response_id IN {{replies:Array(String)}}
)
GROUP BY response_id
"""
