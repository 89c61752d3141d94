"""The endpoints of models and providers."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from sternpost.base.threads import in_thread
from sternpost.capabilities.models.records import ModelPage, ProviderPage
from sternpost.capabilities.models.service import Models


def models_router(models: Models, who: Callable[[Request], Awaitable[object]]) -> APIRouter:
    """Build the routes. `who` refuses callers who are nobody."""
    router = APIRouter(prefix="/api", tags=["models"], dependencies=[Depends(who)])

    @router.get("/models", summary="List routes and models, the usable ones first")
    async def list_models(limit: Annotated[int, Query(ge=1, le=1000)] = 100, cursor: str = "") -> ModelPage:
        return await in_thread(models.list_models, cursor=cursor, limit=limit)

    @router.get("/providers", summary="List providers, the configured ones first")
    async def list_providers(
        limit: Annotated[int, Query(ge=1, le=1000)] = 100, cursor: str = ""
    ) -> ProviderPage:
        return models.list_providers(cursor=cursor, limit=limit)

    _ = (list_models, list_providers)  # registered by their decorators
    return router
