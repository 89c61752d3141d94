"""SQL for when a trace begins and ends, whatever single clocks say; `clocks` says which are wrong."""

from typing import Final

from sternpost.capabilities.traces.clocks import CLOCKS_NS, LATE_NS

_NONE: Final = 2**63 - 1
IS_ROOT: Final = "(parent_span_id = '' AND NOT is_time_skewed)"
_STRAIGHT_NS: Final = f"min(if(is_time_skewed, {_NONE}, started_ns))"


def root_starts(minimum: str = "min") -> str:
    return f"{minimum}(if({IS_ROOT}, started_ns, {_NONE}))"


def root_ends(maximum: str = "max") -> str:
    return f"{maximum}(if({IS_ROOT}, ended_ns, 0))"


def _first_known(root_ns: str, straight_ns: str, any_ns: str) -> str:
    return f"multiIf({root_ns} < {_NONE}, {root_ns}, {straight_ns} < {_NONE}, {straight_ns}, {any_ns})"


# Of the spans of a trace: its root's start, else that of its first span with times that can be right.
BEGAN_NS: Final = _first_known(root_starts(), _STRAIGHT_NS, "min(started_ns)")
# The same of rows of `trace_times`.
BEGAN_OF_TIMES: Final = _first_known(
    "min(root_started_ns)", "min(straight_started_ns)", "min(first_started_ns)"
)


def is_inside(root_started_ns: str, root_ended_ns: str) -> str:
    """Return the condition on spans that stand for a bound of their trace."""
    return (
        f"(NOT is_time_skewed AND ({root_started_ns} = {_NONE} OR "
        f"started_ns >= {root_started_ns} - {CLOCKS_NS} AND started_ns <= {root_ended_ns} + {LATE_NS}))"
    )


# How long a trace lasts, of a group of its spans. An upper bound of it stands in `trace_times`.
_LAST_NS: Final = (
    "arrayMax(one -> if("
    f"NOT one.3 AND ({root_starts()} = {_NONE} OR one.1 >= {root_starts()} - {CLOCKS_NS} "
    f"AND one.1 <= {root_ends()} + {LATE_NS}), one.2, toInt64(0)), "
    "groupArray((started_ns, ended_ns, is_time_skewed)))"
)
LASTED_NS: Final = f"(if({_LAST_NS} > 0, {_LAST_NS}, max(ended_ns)) - {BEGAN_NS})"
