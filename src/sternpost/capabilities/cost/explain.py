"""Explains the cost of one span from what was recorded with it; reads no store and prices nothing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from sternpost.base.money import NanoUsd, usd_text
from sternpost.capabilities.cost.arithmetic import REQUEST, counts_of
from sternpost.capabilities.cost.records import (
    CacheFacts,
    CostExplanation,
    CostFact,
    CostLine,
    PricedSpan,
    TodayFacts,
)
from sternpost.capabilities.cost.rules import BUCKETS
from sternpost.capabilities.cost.wording import ADVICE, REASONS, STATUSES, STEPS, TITLES
from sternpost.contracts.usage import Cost, CostStatus, Usage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INPUT_BUCKETS = 6
_TOTALS = ("total_tokens", "totalTokenCount", "totalTokens")
_READ = msgspec.json.Decoder(dict[str, object])


def explain(span: PricedSpan, today: Cost, thresholds: Sequence[int], source: str) -> CostExplanation:
    """Write the arithmetic of a recorded cost, why it is so, and what the table of today makes of it.

    today: the same usage at the same time by the table in force. thresholds: of the row's context tiers.
    """
    cost = span.cost
    if cost is None:
        return _without_cost(span)
    lines = _lines(cost, span.usage)
    return CostExplanation(
        **_head(span),
        status=cost.status.value,
        reason=cost.reason,
        cost_usd=None if cost.nanousd is None else usd_text(cost.nanousd),
        cost_nanousd=cost.nanousd,
        lines=lines,
        total=_total(cost, lines),
        facts=[
            fact
            for fact in (
                _status_fact(cost),
                _model_fact(span),
                *_price_facts(span, cost, thresholds, source),
                *_usage_facts(span),
                *_reported_facts(cost, lines),
            )
            if fact
        ],
        cache=_cache(span.usage, cost),
        today=_today(cost, today),
        advice=_advice(span, cost),
    )


def _advice(span: PricedSpan, cost: Cost) -> str:
    if span.is_rollup:
        return "This cost counts only where no span below this one reports tokens of its own."
    return ADVICE.get(cost.reason, "") if cost.status is not CostStatus.COMPUTED else ""


def _head(span: PricedSpan) -> dict[str, str]:
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": span.name,
        "started_at": iso_time(span.started_ns),
        "provider": span.provider,
        "request_model": span.request_model,
        "response_model": span.response_model,
    }


def _without_cost(span: PricedSpan) -> CostExplanation:
    if span.type == "attempt":
        advice = f"An attempt has no cost of its own; see the call: {span.parent_span_id}"
    elif span.is_rollup:
        advice = (
            "This span repeats the tokens of the spans below it; their costs count, and this one has none."
        )
    else:
        advice = "No model was called in this span, so there is nothing to pay."
    return CostExplanation(
        **_head(span),
        status="",
        reason="",
        cost_usd=None,
        cost_nanousd=None,
        lines=[],
        total="no cost",
        facts=[],
        cache=None,
        today=None,
        advice=advice,
    )


def _lines(cost: Cost, usage: Usage | None) -> list[CostLine]:
    """One line for each part of the cost, then for what was used and has no price."""
    counts = _counts(usage)
    factor = cost.basis.get("factor", "")
    lines = [_line(part, counts.get(part, 0), amount, cost, factor) for part, amount in cost.parts.items()]
    left = [part for part, count in counts.items() if count and part not in cost.parts]
    return [*lines, *(_unpriced(part, counts[part], cost) for part in left)]


def _counts(usage: Usage | None) -> dict[str, int]:
    if usage is None:
        return {}
    return {**dict(zip(BUCKETS, counts_of(usage), strict=True)), **usage.units}


def _line(part: str, count: int, nanousd: int, cost: Cost, factor: str) -> CostLine:
    is_token = part in BUCKETS
    count = 1 if part == REQUEST else count
    unit = "token" if is_token else "request" if part == REQUEST else "use"
    rate = _rate(part, count, nanousd, cost, is_token=is_token)
    own_factor = factor if is_token else ""
    money = f"${usd_text(NanoUsd(nanousd))}"
    times = f" x {own_factor}" if own_factor else ""
    per = " per million" if is_token else ""
    text = f"{_title(part)}: {count:,} {unit}{'' if count == 1 else 's'} x ${rate}{per}{times} = {money}"
    return CostLine(
        part=part,
        title=_title(part),
        count=count,
        unit=unit,
        rate_usd=rate,
        factor=own_factor,
        cost_usd=usd_text(NanoUsd(nanousd)),
        cost_nanousd=nanousd,
        text=text if rate is not None else f"{_title(part)} = {money}",
    )


def _rate(part: str, count: int, nanousd: int, cost: Cost, *, is_token: bool) -> str | None:
    """Write the recorded rate; of a span from before they were kept, the one that the amount implies."""
    pico = cost.rates.get(part)
    if pico is not None:
        return decimal_text(Decimal(pico) / 10 ** (6 if is_token else 12))
    if not count:
        return None
    return decimal_text(Decimal(nanousd) / count / 10 ** (3 if is_token else 9))


def decimal_text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _unpriced(part: str, count: int, cost: Cost) -> CostLine:
    unit = "token" if part in BUCKETS else "use"
    is_free = cost.status is CostStatus.FREE or (cost.nanousd is not None and part not in BUCKETS)
    what = "no charge" if is_free else "no price"
    return CostLine(
        part=part,
        title=_title(part),
        count=count,
        unit=unit,
        rate_usd=None,
        factor="",
        cost_usd="0" if is_free else None,
        cost_nanousd=0 if is_free else None,
        text=f"{_title(part)}: {count:,} {unit}{'' if count == 1 else 's'}, {what}",
    )


def _title(part: str) -> str:
    return TITLES.get(part, part)


def _total(cost: Cost, lines: Sequence[CostLine]) -> str:
    if cost.nanousd is None:
        return "total: unknown"
    total = f"total = ${usd_text(cost.nanousd)}"
    if cost.status is CostStatus.PROVIDER_REPORTED and lines:
        ours = sum(line.cost_nanousd or 0 for line in lines)
        return f"{total} as the provider reported; the lines add up to ${usd_text(NanoUsd(ours))}"
    return total


def _status_fact(cost: Cost) -> CostFact:
    why = REASONS.get(cost.reason, cost.reason)
    return CostFact("status", STATUSES[cost.status.value] + (f": {why}" if why else ""))


def _model_fact(span: PricedSpan) -> CostFact:
    asked = span.target or span.request_model
    answered = span.response_model
    text = f"asked for {asked}" if asked else "no name was asked for"
    return CostFact("model", f"{text}, {answered} answered" if answered and answered != asked else text)


def _price_facts(
    span: PricedSpan, cost: Cost, thresholds: Sequence[int], source: str
) -> list[CostFact | None]:
    basis = cost.basis
    if not basis:
        return [_table_fact(span, cost, source)]
    row = CostFact("price row", f"{basis.get('row', '')}, found {STEPS.get(basis.get('step', ''), '')}")
    return [
        row,
        _tier_fact(span.usage, basis, thresholds),
        _service_fact(span.usage, basis),
        _region_fact(basis, cost),
        _table_fact(span, cost, basis.get("source", source)),
    ]


def _tier_fact(usage: Usage | None, basis: Mapping[str, str], thresholds: Sequence[int]) -> CostFact | None:
    given = sum(counts_of(usage)[:_INPUT_BUCKETS]) if usage else 0
    if above := basis.get("above_input_tokens"):
        return CostFact(
            "context tier",
            f"above {int(above):,} input tokens: the request had {given:,}, cached ones included, "
            "so all of it pays the higher price",
        )
    if not thresholds:
        return None
    first = min(thresholds)
    return CostFact("context tier", f"base: {given:,} input tokens do not pass {first:,}")


def _service_fact(usage: Usage | None, basis: Mapping[str, str]) -> CostFact:
    returned = usage.service_tier if usage else ""
    said = f"the provider answered with {returned!r}" if returned else "the provider named none"
    tier = basis.get("tier", "standard")
    if basis.get("is_tier_priced") == "no":
        return CostFact("service tier", f"{said}; the row has no price for {tier!r}, see the status")
    return CostFact("service tier", f"{said}; priced as {tier}")


def _region_fact(basis: Mapping[str, str], cost: Cost) -> CostFact | None:
    region = basis.get("region")
    if not region:
        return None
    if cost.reason == "region_unpriced":
        return CostFact("region", f"{region}: not in the table, priced as listed")
    factor = basis.get("factor")
    return CostFact("region", f"{region}: {factor} of the listed price" if factor else f"{region}: as listed")


def _table_fact(span: PricedSpan, cost: Cost, source: str) -> CostFact:
    version = f", version {cost.price_version}" if cost.price_version else ""
    return CostFact(
        "prices", f"{source}{version}, in force at {iso_time(span.started_ns)}, when the call started"
    )


def _usage_facts(span: PricedSpan) -> list[CostFact]:
    usage = span.usage
    if usage is None:
        return []
    counts = counts_of(usage)
    given, made = sum(counts[:_INPUT_BUCKETS]), sum(counts[_INPUT_BUCKETS:])
    ours = f"{given:,} in + {made:,} out = {given + made:,} tokens"
    total = _provider_total(span.provider_usage)
    if total is None:
        check = "the provider sent no total to check them by" if span.provider_usage else ""
    elif total == given + made and not usage.is_mismatch:
        check = "the provider's own total is the same"
    else:
        check = f"the provider's own total is {total:,}"
    if usage.is_mismatch:
        check = "; ".join(
            part for part in (check, "its counts contradict each other (usage_mismatch)") if part
        )
    return [CostFact("tokens", f"{ours}; {check}" if check else ours)]


def _provider_total(provider_usage: str) -> int | None:
    if not provider_usage:
        return None
    try:
        found: Mapping[str, object] = _READ.decode(provider_usage)
    except msgspec.MsgspecError:
        return None
    return next((value for name in _TOTALS if isinstance(value := found.get(name), int)), None)


def _reported_facts(cost: Cost, lines: Sequence[CostLine]) -> list[CostFact]:
    if cost.status is not CostStatus.PROVIDER_REPORTED or cost.nanousd is None or not cost.parts:
        return []
    ours = sum(line.cost_nanousd or 0 for line in lines)
    gap = ours - cost.nanousd
    share = f" ({Decimal(100 * gap) / cost.nanousd:+.2f} %)" if cost.nanousd else ""
    return [
        CostFact(
            "provider's amount",
            f"${usd_text(cost.nanousd)} counts; our prices give ${usd_text(NanoUsd(ours))}{share}",
        )
    ]


def _cache(usage: Usage | None, cost: Cost) -> CacheFacts | None:
    if usage is None:
        return None
    given = sum(counts_of(usage)[:_INPUT_BUCKETS])
    saved = cost.saved_nanousd
    return CacheFacts(
        read_tokens=usage.in_cache_read,
        written_tokens=usage.in_cache_write_5m + usage.in_cache_write_1h,
        input_tokens=given,
        hit_rate=round(usage.in_cache_read / given, 6) if given else None,
        saved_usd=None if saved is None else usd_text(NanoUsd(saved)),
        saved_nanousd=saved,
    )


def _today(cost: Cost, today: Cost) -> TodayFacts:
    ours = cost.nanousd
    if cost.status is CostStatus.PROVIDER_REPORTED:  # of both, what our prices make of it
        ours = NanoUsd(sum(cost.parts.values())) if cost.parts else None
        today_amount = NanoUsd(sum(today.parts.values())) if today.parts else None
    else:
        today_amount = today.nanousd
    is_same = ours == today_amount
    if is_same and today_amount is None:
        text = f"the price table of today knows no price either: {REASONS.get(today.reason, today.reason)}"
    elif is_same:
        text = "the price table of today gives the same for this call"
    elif today_amount is None:
        text = (
            f"the price table of today has no price for this call: {REASONS.get(today.reason, today.reason)}"
        )
    else:
        text = (
            f"the price table of today (version {today.price_version}) gives ${usd_text(today_amount)} "
            "for this call at its own time; what was recorded stays"
        )
    return TodayFacts(
        price_version=today.price_version,
        cost_usd=None if today_amount is None else usd_text(today_amount),
        cost_nanousd=today_amount,
        is_same=is_same,
        text=text,
    )


def iso_time(at_ns: int) -> str:
    moment = _EPOCH + timedelta(microseconds=at_ns // 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
