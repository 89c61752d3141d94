"""How a route reaches its service: by type, from the app that it runs in.

A capability's part brings its services; `Annotated[Traces, Depends(the(Traces))]` asks for one. What no part
brings is a fault of assembly, found by `missing` when the app is built.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from sternpost.api.asking import Identify

T = TypeVar("T")


class _The:
    """The dependency on one service; equal for equal types, so that FastAPI asks once for a request."""

    def __init__(self, kind: type[object]) -> None:
        self.kind = kind

    def __call__(self, request: Request) -> object:
        return cast("Mapping[type[object], object]", request.app.state.services)[self.kind]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _The) and other.kind is self.kind

    def __hash__(self) -> int:
        return hash(self.kind)


def the(kind: type[T]) -> Callable[[Request], T]:
    """Depend on the service of a type."""
    return cast("Callable[[Request], T]", _The(kind))


def connect(app: FastAPI, services: Iterable[object], identify: Identify) -> None:
    """Give an app the services that its routes ask for, each by its type, and who knows senders."""
    app.state.services = {type(one): one for one in services}
    app.state.identify = identify


def missing(routers: Iterable[APIRouter], services: Iterable[object]) -> set[str]:
    """Return the names of services that a route asks for and nobody brings."""
    brought = {type(one) for one in services}
    asked = {
        kind
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for kind in _asked(route.dependant)
    }
    return {kind.__name__ for kind in asked - brought}


def _asked(dependant: Dependant) -> Iterable[type[object]]:
    if isinstance(dependant.call, _The):
        yield dependant.call.kind
    for inner in dependant.dependencies:
        yield from _asked(inner)
