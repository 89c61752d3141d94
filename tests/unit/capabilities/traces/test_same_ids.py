"""Spans that come with the ids of others: no key replaces what another key, or the gateway, wrote."""

from dataclasses import replace

import pytest

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.clock import ManualClock
from sternpost.base.ids import KeyId, ProjectId, SpanId
from sternpost.base.money import NanoUsd
from sternpost.capabilities.cost.span_store import SpanReads
from sternpost.capabilities.traces.service import Traces
from sternpost.capabilities.traces.store import TraceReads
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.capabilities.traces.writing.recent import RecentHashes
from sternpost.capabilities.traces.writing.writes import write_batches
from sternpost.contracts.span import ModelUse, Span, SpanBundle, SpanType
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.usage import Cost, CostStatus, Usage, UsageSource
from tests.unit.capabilities.traces.calls import NOON, SECOND, call

MINE, THEIRS = KeyId("key_mine"), KeyId("key_theirs")


@pytest.fixture
def traces(store: TraceStore, tmp_path) -> Traces:
    journal = SegmentJournal(tmp_path / "journal")
    yield Traces(store, journal, ManualClock(NOON + 3600 * SECOND))
    journal.close()


def write(store: TraceStore, tmp_path, *spans: Span) -> None:
    """Write each on its own, as they come at different times, and let the engine merge them."""
    for one in spans:
        write_batches(store, FolderBlobs(tmp_path / "blobs"), [SpanBundle(spans=(one,))], RecentHashes())
    store.command("OPTIMIZE TABLE spans FINAL")


def forged(real: Span, **changes: object) -> Span:
    """Return what a key sends with the ids and the times of a span that is not its own."""
    fields: dict[str, object] = {
        "type": SpanType.LLM,
        "name": "forged",
        "usage": None,
        "cost": None,
        "gateway": None,
        "scope": "otlp.sternpost.gateway",
        "received_ns": real.received_ns + 10 * SECOND,
        "written_by": THEIRS,
        **changes,
    }
    return replace(real, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("later_ns", [0, 1])  # equal in the sort key or not
async def test_the_gateways_own_spans_are_never_replaced(
    store: TraceStore, traces: Traces, project: ProjectId, tmp_path, later_ns: int
) -> None:
    spans = spans_of_call(call(project), NOON).spans
    root = spans[0]
    impostors = [forged(one, started_ns=one.started_ns + later_ns) for one in spans]
    write(store, tmp_path, *spans, *impostors)

    detail = await traces.get(project, root.trace_id)
    by_id = {one.span_id: one for one in detail.spans}
    assert len(by_id) == len(detail.spans) == 2 * len(spans)
    for one in spans:
        assert (by_id[one.span_id].name, by_id[one.span_id].type) == (one.name, one.type)
    sent_as = sorted(one.attributes["sent_with_span_id"] for one in detail.spans if one.name == "forged")
    assert sent_as == sorted(one.span_id for one in spans)
    priced = SpanReads(store, project).find(root.span_id, root.trace_id, NOON + SECOND)
    assert priced is not None
    assert (priced.name, priced.cost) == (root.name, root.cost)


async def test_no_key_replaces_the_spans_of_another(
    store: TraceStore, traces: Traces, project: ProjectId, tmp_path
) -> None:
    template = spans_of_call(call(project), NOON).spans[0]
    mine = forged(template, name="mine", written_by=MINE, scope="app", received_ns=NOON)
    cheap = forged(mine, name="cheap", scope="app", attributes={})
    write(store, tmp_path, mine, cheap, replace(mine, received_ns=NOON + 60 * SECOND))

    spans = (await traces.get(project, mine.trace_id)).spans
    assert sorted(one.name for one in spans) == ["cheap", "mine"]  # sent again by its own key it is one span
    assert len({one.span_id for one in spans}) == 2
    assert [item.span_count for item in [(await traces.get(project, mine.trace_id)).trace]] == [2]


async def test_a_reported_call_below_a_gateways_span_does_not_hide_it(
    store: TraceStore, traces: Traces, project: ProjectId, tmp_path
) -> None:
    asked = replace(call(project), operation="embeddings")
    root = spans_of_call(asked, NOON, reads_bodies=False).spans[0]
    told = forged(
        root,
        span_id=SpanId("00000000000000aa"),
        parent_span_id=root.span_id,
        usage=Usage(in_fresh=1, source=UsageSource.PROVIDER),
        cost=Cost(CostStatus.FREE, NanoUsd(0)),
    )
    write(store, tmp_path, root, told)
    assert root.cost is not None
    assert root.cost.nanousd
    detail = await traces.get(project, root.trace_id)
    assert detail.trace.cost_usd is not None
    assert float(detail.trace.cost_usd) == root.cost.nanousd / 1e9


async def test_who_made_a_stored_reply_is_the_gateways_word_alone(
    store: TraceStore, project: ProjectId, tmp_path
) -> None:
    root = spans_of_call(call(project), NOON).spans[0]
    real = replace(root, model=ModelUse(provider="openai", response_id="resp_real"))
    lie = forged(root, type=SpanType.GATEWAY, model=ModelUse(provider="openai", response_id="resp_other"))
    write(store, tmp_path, real, lie)
    reads = TraceReads(store, project)
    assert reads.maker_of("resp_real", 0) == ("openai", "key_1")
    assert reads.maker_of("resp_other", 0) is None
