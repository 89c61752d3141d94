"""The HTTP face of costs under `/api/cost`."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from starlette.requests import Request

from sternpost.api.asking import Asker, reader
from sternpost.api.services import the
from sternpost.base.reads import ReadGate
from sternpost.capabilities.cost.explanations import CostExplanations
from sternpost.capabilities.cost.records import CostExplanation, ModelPriceList

Service = Annotated[CostExplanations, Depends(the(CostExplanations))]
Reads = Annotated[ReadGate, Depends(the(ReadGate))]

router = APIRouter(prefix="/api/cost", tags=["cost"])


@router.get(
    "/spans/{span_id}",
    response_model=CostExplanation,
    summary="Explain the cost of one span line by line",
)
async def explain_span(
    span_id: str,
    request: Request,
    asker: Asker,
    costs: Service,
    reads: Reads,
    *,
    trace_id: str = Query("", description="The span's trace, if known; makes it faster."),
) -> Response:
    explanation = await reads.run(
        reader(asker),
        lambda: costs.explain_span(asker.project_id, span_id, trace_id),
        request.receive,
    )
    return _json(explanation)


@router.get(
    "/prices", response_model=ModelPriceList, summary="List the unit prices of one model in force now"
)
async def list_prices(
    _: Asker, costs: Service, *, model: str = Query(description="provider/model")
) -> Response:
    return _json(costs.prices_of(model))


def _json(record: object) -> Response:
    return Response(msgspec.json.encode(record), media_type="application/json")
