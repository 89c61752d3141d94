"""How a cost came about: from spans in a real store, at the rates recorded with them."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.base.clock import ManualClock
from sternpost.base.errors import BadRequest, NotFound
from sternpost.base.ids import ProjectId, new_id
from sternpost.base.money import NanoUsd
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.capabilities.cost.explanations import CostExplanations
from sternpost.capabilities.cost.records import CostExplanation
from sternpost.capabilities.cost.service import PriceBook, open_price_book
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.capabilities.traces.writing.recent import RecentHashes
from sternpost.capabilities.traces.writing.writes import write_batches
from sternpost.contracts.call import CallRecord
from sternpost.contracts.trace_store import TraceStore
from sternpost.contracts.usage import Cost, CostStatus, Usage
from tests.support.engine import running_trace_store
from tests.unit.capabilities.traces.calls import NOON, call

BOOK = open_price_book()


CLOCK = ManualClock(NOON)


@pytest.fixture(scope="module")
def store() -> Iterator[TraceStore]:
    with running_trace_store() as running:
        yield running


@pytest.fixture
def project() -> ProjectId:
    return ProjectId(new_id("prj"))


def priced(project: ProjectId, usage: Usage | None, *, book: PriceBook = BOOK, **changes: Any) -> CallRecord:
    """A call as the gateway records it, priced by the book."""
    model = str(changes.setdefault("response_model", "claude-sonnet-4-5"))
    provider = str(changes.setdefault("provider", "anthropic"))
    cost = book.price(
        provider=provider, model=model, fallback_model=model, usage=usage, started_ns=NOON,
        processing=changes.pop("processing", ""),
    )  # fmt: skip
    return call(project, usage=usage, cost=changes.pop("cost", cost), target_model=model, **changes)


async def explained(store: TraceStore, record: CallRecord, book: PriceBook = BOOK) -> CostExplanation:
    with tempfile.TemporaryDirectory() as folder:
        write_batches(store, FolderBlobs(Path(folder)), [spans_of_call(record, NOON)], RecentHashes())
    return await CostExplanations(store, lambda: book, CLOCK).explain_span(record.project_id, record.span_id)


def fact(found: CostExplanation, name: str) -> str:
    return next(one.text for one in found.facts if one.name == name)


async def test_every_line_is_shown_and_the_lines_add_up(store: TraceStore, project: ProjectId) -> None:
    usage = Usage(1200, 800, in_cache_write_1h=100, out_text=300, units={"web_search": 2, "web_fetch": 1})
    found = await explained(store, priced(project, usage))
    assert [line.text for line in found.lines] == [
        "fresh input: 1,200 tokens x $3 per million = $0.0036",
        "input read from the cache: 800 tokens x $0.3 per million = $0.00024",
        "input written to the cache for an hour: 100 tokens x $6 per million = $0.0006",
        "output: 300 tokens x $15 per million = $0.0045",
        "web searches: 2 uses x $0.01 = $0.02",
        "web pages fetched: 1 use, no charge",
    ]
    assert found.total == "total = $0.02894"
    assert sum(line.cost_nanousd or 0 for line in found.lines) == found.cost_nanousd
    assert found.today is not None
    assert found.today.is_same
    # 800 x (3 - 0.30) saved, 100 x (6 - 3) paid more
    assert found.cache is not None
    assert (found.cache.saved_nanousd, found.cache.hit_rate) == (2_160_000 - 300_000, 0.380952)


async def test_long_context_says_which_tier_and_why(store: TraceStore, project: ProjectId) -> None:
    usage = Usage(in_fresh=150_000, in_cache_read=50_001)
    record = priced(project, usage, provider="google", response_model="gemini-2.5-pro")
    found = await explained(store, record)
    assert fact(found, "context tier") == (
        "above 200,000 input tokens: the request had 200,001, cached ones included, "
        "so all of it pays the higher price"
    )


async def test_short_context_says_what_it_stayed_below(store: TraceStore, project: ProjectId) -> None:
    record = priced(project, Usage(in_fresh=10), provider="google", response_model="gemini-2.5-pro")
    assert fact(await explained(store, record), "context tier") == (
        "base: 10 input tokens do not pass 200,000"
    )


async def test_factor_of_a_region_stands_in_the_line(store: TraceStore, project: ProjectId) -> None:
    usage = Usage(in_fresh=1000, region="us")
    found = await explained(store, priced(project, usage, response_model="claude-opus-4-8"))
    assert found.lines[0].text == "fresh input: 1,000 tokens x $5 per million x 11/10 = $0.0055"
    assert fact(found, "region") == "us: 11/10 of the listed price"
    assert found.today is not None
    assert found.today.is_same


async def test_batch_is_explained_and_priced_again_as_a_batch(store: TraceStore, project: ProjectId) -> None:
    record = priced(project, Usage(in_fresh=1000, service_tier="standard"), processing="batch")
    found = await explained(store, record)
    assert found.cost_nanousd == 1_500_000  # half of $3 per million
    assert fact(found, "service tier") == "the provider answered with 'standard'; priced as batch"
    assert found.today is not None
    assert found.today.is_same


async def test_changed_table_is_said_and_the_record_stays(store: TraceStore, project: ProjectId) -> None:
    new_book = open_price_book([PriceEntry("anthropic/claude-sonnet-4-5", Decimal(1), Decimal(1))])
    found = await explained(store, priced(project, Usage(in_fresh=1000)), new_book)
    assert found.cost_nanousd == 3_000_000
    assert found.lines[0].rate_usd == "3"
    assert found.today is not None
    assert (found.today.is_same, found.today.cost_nanousd) == (False, 1_000_000)


async def test_price_of_a_later_day_changes_nothing_for_an_earlier_call(
    store: TraceStore, project: ProjectId
) -> None:
    later = PriceEntry("anthropic/claude-sonnet-4-5", Decimal(1), Decimal(1), from_date=date(2026, 11, 21))
    found = await explained(store, priced(project, Usage(in_fresh=1000)), open_price_book([later]))
    assert found.today is not None
    assert found.today.is_same


async def test_unknown_cost_shows_what_has_no_price_and_what_to_do(
    store: TraceStore, project: ProjectId
) -> None:
    found = await explained(store, priced(project, Usage(in_fresh=10, out_text=2), response_model="m9"))
    assert (found.status, found.cost_usd, found.total) == ("unknown", None, "total: unknown")
    assert [line.text for line in found.lines] == [
        "fresh input: 10 tokens, no price", "output: 2 tokens, no price",
    ]  # fmt: skip
    assert "`prices:`" in found.advice


async def test_reported_money_stands_beside_our_own_sum(store: TraceStore, project: ProjectId) -> None:
    usage = Usage(in_fresh=1000, reported_nanousd=NanoUsd(3_300_000))
    found = await explained(store, priced(project, usage))
    assert found.total == "total = $0.0033 as the provider reported; the lines add up to $0.003"
    assert fact(found, "provider's amount") == "$0.0033 counts; our prices give $0.003 (-9.09 %)"


async def test_counts_that_contradict_the_providers_total_are_flagged(
    store: TraceStore, project: ProjectId
) -> None:
    usage = Usage(in_fresh=12, out_text=5, is_mismatch=True)
    body = call(project).reply_body.replace(b'"total_tokens": 17', b'"total_tokens": 1017')
    found = await explained(store, priced(project, usage, reply_body=body))
    assert fact(found, "tokens") == (
        "12 in + 5 out = 17 tokens; the provider's own total is 1,017; "
        "its counts contradict each other (usage_mismatch)"
    )
    assert found.status == "estimated"


async def test_span_from_before_rates_were_kept_shows_the_rate_its_amount_implies(
    store: TraceStore, project: ProjectId
) -> None:
    old = Cost(CostStatus.COMPUTED, NanoUsd(3_000_000), {"in_fresh": 3_000_000}, "v0")
    found = await explained(store, priced(project, Usage(in_fresh=1000), cost=old))
    assert found.lines[0].text == "fresh input: 1,000 tokens x $3 per million = $0.003"
    assert found.cache is not None
    assert found.cache.saved_usd is None


async def test_attempt_points_to_the_call_that_carries_its_cost(
    store: TraceStore, project: ProjectId
) -> None:
    record = priced(project, Usage(in_fresh=1000))
    await explained(store, record)
    costs = CostExplanations(store, lambda: BOOK, CLOCK)
    found = await costs.explain_span(project, record.attempts[0].span_id, record.trace_id)
    assert (found.status, found.lines) == ("", [])
    assert record.span_id in found.advice


async def test_span_of_a_deployment_is_priced_again_by_the_row_it_was_priced_by(
    store: TraceStore, project: ProjectId
) -> None:
    record = replace(priced(project, Usage(in_fresh=1000)), target_model="our-claude", response_model="our")
    found = await explained(store, record)
    assert found.today is not None
    assert found.today.is_same


async def test_old_span_is_found_by_its_id_alone(store: TraceStore, project: ProjectId) -> None:
    started_ns = NOON - 100 * 86_400_000_000_000
    record = priced(project, Usage(in_fresh=1000), started_ns=started_ns)
    assert (await explained(store, record)).span_id == record.span_id


@pytest.mark.parametrize("span_id", ["zz", "0123456789ABCDEF", "'; DROP TABLE spans"])
async def test_what_is_no_span_id_is_refused(store: TraceStore, project: ProjectId, span_id: str) -> None:
    with pytest.raises(BadRequest, match="16 hex digits"):
        await CostExplanations(store, lambda: BOOK, CLOCK).explain_span(project, span_id)


async def test_span_of_another_project_is_not_found(store: TraceStore, project: ProjectId) -> None:
    record = priced(project, Usage(in_fresh=1000))
    await explained(store, record)
    with pytest.raises(NotFound):
        await CostExplanations(store, lambda: BOOK, CLOCK).explain_span(ProjectId("other"), record.span_id)


def test_prices_of_a_model_list_its_tiers_and_variants(store: TraceStore) -> None:
    costs = CostExplanations(store, lambda: BOOK, CLOCK)
    found = costs.prices_of("google/gemini-2.5-pro")
    by_condition = {one.condition: one.rates_usd for one in found.rates}
    assert by_condition["standard"]["in_fresh"] == "1.25"
    assert by_condition["standard, above 200,000 input tokens"]["in_fresh"] == "2.5"
    assert by_condition["batch"]["in_fresh"] == "0.625"


def test_prices_of_an_unknown_model_say_what_to_do(store: TraceStore) -> None:
    with pytest.raises(NotFound, match="prices:"):
        CostExplanations(store, lambda: BOOK, CLOCK).prices_of("lab/m1")
