"""The endpoints of models and providers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from sternpost.api.asking import principal_of
from sternpost.api.services import the
from sternpost.base.threads import in_thread
from sternpost.capabilities.models.records import ModelPage, ProviderPage
from sternpost.capabilities.models.service import Models

Service = Annotated[Models, Depends(the(Models))]
Limit = Annotated[int, Query(ge=1, le=1000)]

router = APIRouter(prefix="/api", tags=["models"], dependencies=[Depends(principal_of)])


@router.get("/models", summary="List routes and models, the usable ones first")
async def list_models(models: Service, limit: Limit = 100, cursor: str = "") -> ModelPage:
    return await in_thread(models.list_models, cursor=cursor, limit=limit)


@router.get("/providers", summary="List providers, the configured ones first")
async def list_providers(models: Service, limit: Limit = 100, cursor: str = "") -> ProviderPage:
    return models.list_providers(cursor=cursor, limit=limit)
