"""Every route of a capability knows who asks before it does anything, and its service is there."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from sternpost import capabilities
from sternpost.api.asking import principal_of
from sternpost.api.services import missing, the
from sternpost.capabilities.access.routes import sender_of

FOLDER = Path(capabilities.__path__[0])
SIGN_IN = ("POST", "/api/session")  # whoever signs in is nobody yet


@dataclass
class Notes:
    count: int = 0


def _routes() -> Iterator[APIRoute]:
    for path in sorted(FOLDER.rglob("*routes.py")):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        module = import_module(".".join(("sternpost.capabilities", *parts)))
        routers = [one for one in vars(module).values() if isinstance(one, APIRouter)]
        assert routers, f"{path} has no router of its module"
        yield from (route for router in routers for route in router.routes if isinstance(route, APIRoute))


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


@pytest.mark.parametrize(
    "route", list(_routes()), ids=lambda route: f"{sorted(route.methods)[0]} {route.path}"
)
def test_each_route_knows_who_asks(route: APIRoute) -> None:
    is_known = bool({principal_of, sender_of} & set(_calls(route.dependant)))
    assert is_known is ((sorted(route.methods)[0], route.path) != SIGN_IN)


def test_a_service_that_no_part_brings_is_named() -> None:
    router = APIRouter()

    @router.get("/api/notes")
    async def list_notes(folder: Annotated[Notes, Depends(the(Notes))]) -> int:
        return folder.count

    assert missing([router], []) == {"Notes"}
    assert missing([router], [Notes()]) == set()
