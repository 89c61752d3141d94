"""The HTTP face of costs under `/api/cost`; who may call it is decided by the dependency it is given."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from sternpost.base.reads import ReadGate
from sternpost.capabilities.cost.explanations import CostExplanations
from sternpost.capabilities.cost.records import CostExplanation, ModelPriceList
from sternpost.contracts.call import Principal

PrincipalOf: TypeAlias = Callable[[Request], Awaitable[Principal]]


def cost_router(costs: CostExplanations, principal_of: PrincipalOf, reads: ReadGate) -> APIRouter:
    """Build the routes. principal_of: resolves the caller from the request, or raises KeyRefused."""
    router = APIRouter(prefix="/api/cost", tags=["cost"])

    @router.get(
        "/spans/{span_id}",
        response_model=CostExplanation,
        summary="Explain the cost of one span line by line",
    )
    async def explain_span(
        span_id: str,
        request: Request,
        trace_id: str = Query("", description="The span's trace, if known; makes it faster."),
    ) -> Response:
        principal = await principal_of(request)
        explanation = await reads.run(
            f"{principal.project_id}/{principal.key_id or principal.key_name}",
            lambda: costs.explain_span(principal.project_id, span_id, trace_id),
            request.receive,
        )
        return _json(explanation)

    @router.get(
        "/prices", response_model=ModelPriceList, summary="List the unit prices of one model in force now"
    )
    async def list_prices(request: Request, model: str = Query(description="provider/model")) -> Response:
        await principal_of(request)
        return _json(costs.prices_of(model))

    _ = (explain_span, list_prices)  # registered by their decorators
    return router


def _json(record: object) -> Response:
    return Response(msgspec.json.encode(record), media_type="application/json")
