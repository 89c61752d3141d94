"""Plugs in the explanation of costs; pricing calls is part of the configuration in force."""

from sternpost.assembly.part import Part, Plug, Serving
from sternpost.capabilities.cost.explanations import CostExplanations
from sternpost.contracts.key_scope import KeyScope


def _serve(open_: Serving) -> Part:
    from sternpost.capabilities.cost.routes import router

    costs = CostExplanations(
        open_.store,
        lambda: open_.in_force.current.prices,
        open_.clock,
        query_timeout_s=open_.settings.query_timeout_s,
    )

    return Part("cost", routers=[router], services=[costs])


PLUG = Plug(
    name="cost",
    summary="How the cost of a call was computed, and prices.",
    scopes={("GET", "/api/cost"): frozenset({KeyScope.TRACES_READ})},
    serve=_serve,
)
