"""Plugs in the list of models and providers."""

from sternpost.assembly.list_prices import ListPrices
from sternpost.assembly.part import Part, Plug, Serving
from sternpost.capabilities.models.service import Models, Offered
from sternpost.contracts.key_scope import KeyScope


def _serve(open_: Serving) -> Part:
    from sternpost.capabilities.models.routes import router

    def offered() -> Offered:
        traffic = open_.in_force.current.traffic
        return Offered(traffic.catalog, traffic.routes)

    models = Models(offered, ListPrices(open_.in_force.price, open_.clock).of)
    return Part("models", routers=[router], services=[models])


_READS = frozenset({KeyScope.CALLS})

PLUG = Plug(
    name="models",
    summary="Models, routes and providers that callers can use.",
    scopes={("GET", "/api/models"): _READS, ("GET", "/api/providers"): _READS},
    serve=_serve,
)
