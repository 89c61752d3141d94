"""Searches the traces list, newest first: by what the store has an index for, else window by window."""

from collections.abc import Mapping, Sequence

from sternpost.base.clock import Clock
from sternpost.base.errors import QueryTimedOut
from sternpost.capabilities.traces.filters.candidates import (
    MOST_MESSAGES,
    Candidates,
    batches,
    candidates_of,
    has_words,
)
from sternpost.capabilities.traces.filters.finding import TraceFinder, Window
from sternpost.capabilities.traces.filters.grammar import Filter
from sternpost.capabilities.traces.filters.long_traces import FILTERED_TRACE_NS
from sternpost.capabilities.traces.records import PagePosition, TimeRange, TraceTimes

_FIRST_WINDOW_SPANS = 2000
_WINDOW_GROWTH = 8
_LARGEST_WINDOW_SPANS = 1_024_000  # what grouping by trace takes stays within the engine's memory limit
_LARGEST_WINDOW_OF_WORDS = 128_000  # what the messages of its spans take does too
_WINDOWS_BEFORE_SUMS = 2
_DAY_NS = 86_400_000_000_000
# How far back the list looks at first, in days: a search through all days reads something of each.
_REACHES_DAYS = (2, 32)  # an open end lies a day ahead
_ALL_DAYS = 100_000
_MOST_CANDIDATES = 5000
_FAR_NS = 2**62
_PATIENCE_NS = 3_000_000_000  # then the page says back to when it is complete


class Search:
    """Walks back through time until enough traces are found, or it took long.

    `times` then holds when the traces that were found started and ended, and of some more; `stopped_at` the
    position to continue from, if there may be more.
    """

    def __init__(
        self,
        finder: TraceFinder,
        bounds: TimeRange,
        *,
        tree: "Filter | None",
        position: PagePosition | None,
        clock: Clock,
    ) -> None:
        self._finder = finder
        self._since_ns = bounds.since_ns
        self._tree = tree
        self._largest = _LARGEST_WINDOW_SPANS
        if tree is not None and has_words(tree):
            self._largest = _LARGEST_WINDOW_OF_WORDS
        self._clock = clock
        self._deadline_ns = clock.monotonic_ns() + _PATIENCE_NS
        high_ns = bounds.until_ns if position is None else min(position.started_ns + 1, bounds.until_ns)
        self._high_ns = high_ns  # everything from here on is searched
        self._position = position or PagePosition(high_ns, "")
        self._found: list[PagePosition] = []
        self._wanted = 0
        self._has_moved = False
        self._is_exact = False
        self.times: dict[str, TimeRange] = {}
        self.stopped_at: PagePosition | None = None

    def run(self, count: int) -> list[PagePosition]:
        """Raises: QueryTimedOut when not even the newest traces could be searched."""
        self._wanted = count
        first_ns = self._high_ns
        try:
            self._walk()
        except QueryTimedOut:
            if self._high_ns == first_ns:
                raise
        if len(self._found) < count and self._high_ns > self._since_ns:
            self.stopped_at = PagePosition(self._high_ns, "0" * 32)
        return self._found

    def _walk(self) -> None:
        candidates = None if self._tree is None else candidates_of(self._tree)
        self._is_exact = candidates is not None and candidates.is_exact
        if candidates is None:
            self._by_windows(self._since_ns)
        elif candidates.words:
            self._by_words(candidates)
        else:
            if candidates.is_costly:  # what many traces match is found among the newest
                self._by_windows(self._since_ns, _WINDOWS_BEFORE_SUMS)
            self._by_candidates(candidates, self._since_ns)

    def _goes_on(self, low_ns: int) -> bool:
        return len(self._found) < self._wanted and low_ns < self._high_ns and not self._is_late()

    def _is_late(self) -> bool:
        # Each page gets a little further, however slow the store is.
        return self._has_moved and self._clock.monotonic_ns() > self._deadline_ns

    def _searched(self, low_ns: int, *, is_work: bool = True) -> None:
        self._has_moved |= is_work
        self._high_ns = low_ns
        self._position = PagePosition(low_ns, "")

    def _by_words(self, candidates: Candidates) -> None:
        """Look rare words up by their messages; a day with many of them is searched by windows of spans."""
        count = self._finder.message_count(candidates, TimeRange(self._since_ns, _FAR_NS))
        if not count:
            self._searched(self._since_ns)
            return
        if count <= MOST_MESSAGES:
            self._by_candidates(candidates, self._since_ns)
            return
        days = 1
        while self._goes_on(self._since_ns):
            start_ns = self._high_ns - days * _DAY_NS
            low_ns = max(self._since_ns, start_ns + -start_ns % _DAY_NS)
            stretch = TimeRange(low_ns, self._high_ns + FILTERED_TRACE_NS)
            if self._finder.message_count(candidates, stretch) <= MOST_MESSAGES:
                self._by_candidates(candidates, low_ns, stretch.until_ns)
                days *= 2
            else:
                self._by_windows(low_ns)
                days = max(days // 2, 1)

    def _by_candidates(self, candidates: Candidates, low_ns: int, until_ns: int = _FAR_NS) -> None:
        while self._goes_on(low_ns):
            hits = self._finder.hits(candidates, TimeRange(low_ns, until_ns), _MOST_CANDIDATES)
            is_all = len(hits) <= _MOST_CANDIDATES
            if not is_all and until_ns == _FAR_NS:
                until_ns = self._high_ns + FILTERED_TRACE_NS
                continue
            reached_ns = low_ns if is_all else hits[-1][1]
            self._judge(self._reachable(hits), reached_ns)
            until_ns = self._high_ns + FILTERED_TRACE_NS
            if not is_all and hits[-1][1] >= self._high_ns:  # more of them than that within one hour
                self._by_windows(max(low_ns, self._high_ns - FILTERED_TRACE_NS))

    def _reachable(self, hits: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Leave out hits of traces that are listed already; a long trace counts as hit where it began."""
        behind = self._high_ns + FILTERED_TRACE_NS
        late = [trace_id for trace_id, at_ns in hits if at_ns >= behind]
        times = self._finder.times_of(late) if late else {}
        long = [
            (trace_id, time.since_ns) for trace_id, time in times.items() if time.since_ns < self._high_ns
        ]
        near = [hit for hit in hits if hit[1] < behind]
        return sorted((*near, *long), key=lambda hit: (hit[1], hit[0]), reverse=True)

    def _judge(self, hits: Sequence[tuple[str, int]], low_ns: int) -> None:
        """Judge traces by their hits in order; one is found once no later hit can be of a newer one."""
        pending: list[PagePosition] = []
        done = 0
        for batch in batches(hits, self._wanted):
            if not self._goes_on(low_ns):
                return
            done += len(batch)
            times = self._finder.times_of([trace_id for trace_id, _ in batch])
            inside = {
                trace_id: time
                for trace_id, time in times.items()
                if self._since_ns <= time.since_ns and (time.since_ns, trace_id) < _pair(self._position)
            }
            matching = self._matching(inside)
            self.times |= {trace_id: inside[trace_id] for trace_id in matching}
            pending += [PagePosition(inside[trace_id].since_ns, trace_id) for trace_id in matching]
            reached_ns = max(hits[done][1] + 1, low_ns) if done < len(hits) else low_ns
            self._found += sorted(
                (one for one in pending if one.started_ns >= reached_ns), key=_pair, reverse=True
            )
            pending = [one for one in pending if one.started_ns < reached_ns]
            if reached_ns < self._high_ns:
                self._searched(reached_ns)
        if not hits and self._goes_on(low_ns):
            self._searched(low_ns)

    def _matching(self, times: Mapping[str, TimeRange]) -> set[str]:
        if self._tree is None or not times or self._is_exact:
            return set(times)
        return self._finder.matching(self._tree, times)

    def _by_windows(self, low_ns: int, most: int = _ALL_DAYS) -> None:
        """Check all traces, in windows with more and more spans."""
        size, reaches = _FIRST_WINDOW_SPANS, iter(_REACHES_DAYS)
        reach_ns = next(reaches) * _DAY_NS
        while self._goes_on(low_ns) and most:
            most -= 1
            from_ns = max(low_ns, self._high_ns - reach_ns)
            count = self._wanted - len(self._found)
            window, seen = self._open(TimeRange(from_ns, self._high_ns), size, count)
            if window.span_count:
                self._found += self._search_window(window, seen, count)
            if window.span_count < size:
                reach_ns = next(reaches, _ALL_DAYS) * _DAY_NS
            else:
                size = min(size * _WINDOW_GROWTH, self._largest)
            self._searched(window.low_ns, is_work=window.span_count > 0)

    def _open(self, bounds: TimeRange, size: int, wanted: int) -> tuple[Window, list[PagePosition]]:
        """Find the next window and the first traces in it."""
        if self._tree is None:
            return self._finder.newest_traces(bounds, self._position, size, wanted)
        window = self._finder.window_before(bounds, size)
        if not window.span_count:
            return window, []
        return window, self._finder.traces_in(window, self._position, self._tree, wanted)

    def _search_window(self, window: Window, seen: Sequence[PagePosition], count: int) -> list[PagePosition]:
        found: list[PagePosition] = []
        wanted = count
        while seen:
            self.times |= (times := self._finder.times_of([position.trace_id for position in seen]))
            # A trace that began before the window is listed where it began.
            found += [p for p in seen if p.trace_id in times and _begins_in(window, times[p.trace_id])]
            if len(seen) < wanted or len(found) >= count:
                break
            wanted = count - len(found)
            seen = self._finder.traces_in(window, seen[-1], self._tree, wanted)
        return found


def _begins_in(window: Window, time: TraceTimes) -> bool:
    return window.low_ns <= time.began_ns < window.high_ns


def _pair(position: PagePosition) -> tuple[int, str]:
    return position.started_ns, position.trace_id
