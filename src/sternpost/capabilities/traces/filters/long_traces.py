"""SQL that finds the traces of a window which continue long after it; checking them is `finding`'s."""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from typing import Final

# How long after its window a trace may go on and still be judged together with the others.
FILTERED_TRACE_NS: Final = 3_600_000_000_000
# Of one window. The newest ones: what would be beyond them is judged by its first hour.
MOST_LONG_TRACES: Final = 1000

# Looked up by the ids of the window alone, on the days since: costs grow with the window, not the store.
LONG_TRACES: Final = f"""
SELECT trace_id, min(first_started_ns) AS first_ns, max(last_started_ns) AS last_ns
FROM trace_times
WHERE project_id = {{project:String}}
AND day >= toYYYYMMDD(fromUnixTimestamp64Nano({{low:Int64}}, 'UTC'))
AND trace_id IN (
    SELECT trace_id FROM spans
    WHERE project_id = {{project:String}} AND started_ns >= {{low:Int64}} AND started_ns < {{high:Int64}}
)
GROUP BY trace_id
HAVING first_ns >= {{low:Int64}} AND last_ns >= {{high:Int64}} + {FILTERED_TRACE_NS}
ORDER BY first_ns DESC
LIMIT {MOST_LONG_TRACES}
"""
