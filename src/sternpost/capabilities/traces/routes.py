"""The HTTP face of traces under `/api`; who may call it is decided by the dependency it is given."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from sternpost.base.reads import ReadGate
from sternpost.base.threads import READS
from sternpost.capabilities.traces.records import NewScore, Overview, Score, TraceDetail, TracePage
from sternpost.capabilities.traces.service import TraceQuery, Traces
from sternpost.contracts.call import Principal

PrincipalOf: TypeAlias = Callable[[Request], Awaitable[Principal]]

_FILTER_HELP = (
    "Fields joined by AND, OR, NOT and parentheses, e.g. `status:error model:gpt-* -user:ada cost>0.01`; "
    "other words are searched in the messages."
)
_SPANS_CURSOR = Query("", description="`spans_cursor` of the previous reply.")
_TIME_HELP = "ISO 8601, or relative like `now-24h`."


def traces_router(traces: Traces, principal_of: PrincipalOf, reads: ReadGate) -> APIRouter:
    """Build the routes. principal_of: resolves the caller from the request, or raises KeyRefused."""
    router = APIRouter(prefix="/api", tags=["traces"])

    @router.get("/traces", response_model=TracePage, summary="List traces, newest first")
    async def list_traces(
        request: Request,
        limit: int = Query(50, ge=1, le=200),
        cursor: str = Query("", description="`next_cursor` of the previous page."),
        filter_text: str = Query("", alias="filter", description=_FILTER_HELP),
        since: str = Query("", description=_TIME_HELP),
        until: str = Query("", description=_TIME_HELP),
    ) -> Response:
        principal = await principal_of(request)
        query = TraceQuery(limit=limit, cursor=cursor, filter=filter_text, since=since, until=until)
        project_id = principal.project_id
        page = await reads.run(_reader(principal), lambda: traces.list(project_id, query), request.receive)
        return _json(page)

    @router.get("/traces/{trace_id}", response_model=TraceDetail, summary="Open one trace")
    async def get_trace(trace_id: str, request: Request, spans_cursor: str = _SPANS_CURSOR) -> Response:
        principal = await principal_of(request)

        async def read() -> bytes:
            detail = await traces.get(principal.project_id, trace_id, spans_cursor)
            return await READS.run(_encode_detail, detail)

        body = await reads.run(_reader(principal), read, request.receive)
        return Response(body, media_type="application/json")

    @router.post(
        "/traces/{trace_id}/scores",
        response_model=Score,
        status_code=201,
        summary="Score a trace or one of its spans",
    )
    async def add_score(trace_id: str, new: NewScore, request: Request) -> Response:
        principal = await principal_of(request)
        score = await traces.add_score(principal.project_id, trace_id, new, author=principal.key_name)
        return _json(score, 201)

    @router.get("/overview", response_model=Overview, summary="Summarise calls, errors, cost and latency")
    async def get_overview(
        request: Request,
        since: str = Query("", description=f"{_TIME_HELP} Empty: 24 hours ago."),
        until: str = Query("", description=_TIME_HELP),
        step: str = Query("", description="Like `60s`, `5m`, `1h`. Empty: about 120 points."),
    ) -> Response:
        principal = await principal_of(request)
        figures = await reads.run(
            _reader(principal),
            lambda: traces.overview(principal.project_id, since, until, step),
            request.receive,
        )
        return _json(figures)

    _ = (list_traces, get_trace, add_score, get_overview)  # registered by their decorators
    return router


def _reader(principal: Principal) -> str:
    """Name whose share of reads is used: a key's, or that of who is signed in."""
    return f"{principal.project_id}/{principal.key_id or principal.key_name}"


def _encode_detail(detail: TraceDetail) -> bytes:
    """Encode span by span: in one go, a huge trace would keep all other threads waiting."""
    spans = [msgspec.Raw(msgspec.json.encode(span)) for span in detail.spans]
    head = {"trace": detail.trace, "spans_cursor": detail.spans_cursor}
    return msgspec.json.encode({**head, "spans": spans, "scores": detail.scores})


def _json(record: object, status: int = 200) -> Response:
    """Encode with msgspec: pydantic takes seconds for a trace of 5,000 spans."""
    return Response(msgspec.json.encode(record), status, media_type="application/json")
