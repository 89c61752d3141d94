"""The HTTP face of traces under `/api`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from starlette.requests import Request

from sternpost.api.asking import Asker, reader
from sternpost.api.services import the
from sternpost.base.reads import ReadGate
from sternpost.base.threads import READS
from sternpost.capabilities.traces.records import NewScore, Overview, Score, TraceDetail, TracePage
from sternpost.capabilities.traces.service import TraceQuery, Traces
from sternpost.contracts.span_facts import SpanFact

Service = Annotated[Traces, Depends(the(Traces))]
Reads = Annotated[ReadGate, Depends(the(ReadGate))]

_FILTER_HELP = (
    "Fields joined by AND, OR, NOT and parentheses, e.g. `status:error model:gpt-* -user:ada cost>0.01`; "
    "other words are searched in the messages."
)
_SPANS_CURSOR = Query("", description="`spans_cursor` of the previous reply.")
_ENVIRONMENT = Query("", description="Only this environment, e.g. `staging`. Empty: all.")
_TIME_HELP = "ISO 8601, or relative like `now-24h`."

router = APIRouter(prefix="/api", tags=["traces"])


def _query(
    limit: int = Query(50, ge=1, le=200),
    cursor: str = Query("", description="`next_cursor` of the previous page."),
    filter_text: str = Query("", alias="filter", description=_FILTER_HELP),
    since: str = Query("", description=_TIME_HELP),
    until: str = Query("", description=_TIME_HELP),
    *,
    environment: str = _ENVIRONMENT,
) -> TraceQuery:
    return TraceQuery(
        limit=limit, cursor=cursor, filter=filter_text, since=since, until=until, environment=environment
    )


@router.get("/traces", response_model=TracePage, summary="List traces, newest first")
async def list_traces(
    request: Request,
    asker: Asker,
    traces: Service,
    reads: Reads,
    query: Annotated[TraceQuery, Depends(_query)],
) -> Response:
    page = await reads.run(reader(asker), lambda: traces.list(asker.project_id, query), request.receive)
    return _json(page)


@router.get("/traces/facts", summary="List the facts that spans may have, each a field of the filter")
async def list_facts(asker: Asker, traces: Service) -> Sequence[SpanFact]:
    return traces.facts()


@router.get("/traces/{trace_id}", response_model=TraceDetail, summary="Open one trace")
async def get_trace(
    trace_id: str,
    request: Request,
    asker: Asker,
    traces: Service,
    reads: Reads,
    *,
    spans_cursor: str = _SPANS_CURSOR,
) -> Response:

    async def read() -> bytes:
        detail = await traces.get(asker.project_id, trace_id, spans_cursor)
        return await READS.run(_encode_detail, detail)

    body = await reads.run(reader(asker), read, request.receive)
    return Response(body, media_type="application/json")


@router.post(
    "/traces/{trace_id}/scores",
    response_model=Score,
    status_code=201,
    summary="Score a trace or one of its spans",
)
async def add_score(trace_id: str, new: NewScore, asker: Asker, traces: Service) -> Response:
    score = await traces.add_score(asker.project_id, trace_id, new, author=asker.key_name)
    return _json(score, 201)


@dataclass(frozen=True, slots=True)
class _OverviewQuery:
    since: str = Query("", description=f"{_TIME_HELP} Empty: 24 hours ago.")
    until: str = Query("", description=_TIME_HELP)
    step: str = Query("", description="Like `60s`, `5m`, `1h`. Empty: about 120 points.")
    environment: str = _ENVIRONMENT


@router.get("/overview", response_model=Overview, summary="Summarise calls, errors, cost and latency")
async def get_overview(
    request: Request,
    asker: Asker,
    traces: Service,
    reads: Reads,
    query: Annotated[_OverviewQuery, Depends()],
) -> Response:
    figures = await reads.run(
        reader(asker),
        lambda: traces.overview(
            asker.project_id, query.since, query.until, query.step, environment=query.environment
        ),
        request.receive,
    )
    return _json(figures)


def _encode_detail(detail: TraceDetail) -> bytes:
    """Encode span by span: in one go, a huge trace would keep all other threads waiting."""
    spans = [msgspec.Raw(msgspec.json.encode(span)) for span in detail.spans]
    head = {"trace": detail.trace, "spans_cursor": detail.spans_cursor}
    return msgspec.json.encode({**head, "spans": spans, "scores": detail.scores})


def _json(record: object, status: int = 200) -> Response:
    """Encode with msgspec: pydantic takes seconds for a trace of 5,000 spans."""
    return Response(msgspec.json.encode(record), status, media_type="application/json")
