"""The list of models a key may use, in the shape the caller's SDK reads."""

from typing import Final

import msgspec

from sternpost.base.errors import RequestError
from sternpost.contracts.call import Dialect, Principal
from sternpost.contracts.message import Json
from sternpost.gateway.stages import route
from sternpost.gateway.state.traffic import Traffic

# Routes and catalogue entries have no birthday; SDKs demand one.
_CREATED_S: Final = 0
_CREATED_AT: Final = "1970-01-01T00:00:00Z"


def list_models(principal: Principal, traffic: Traffic, dialect: Dialect) -> bytes:
    """Write the routes and models that the key may use."""
    entries = [_entry(name, owner, dialect, traffic) for name, owner in allowed_models(principal, traffic)]
    if dialect == "anthropic":
        first, last = (entries[0]["id"], entries[-1]["id"]) if entries else (None, None)
        return msgspec.json.encode({"data": entries, "has_more": False, "first_id": first, "last_id": last})
    return msgspec.json.encode({"object": "list", "data": entries})


def show_model(name: str, principal: Principal, traffic: Traffic, dialect: Dialect) -> bytes:
    """Write one entry. Raises: ModelUnknown, also for a model the key may not use."""
    allowed = allowed_models(principal, traffic)
    for known, owner in allowed:
        if known == name:
            return msgspec.json.encode(_entry(known, owner, dialect, traffic))
    raise route.unknown(name, [known for known, _ in allowed])


def allowed_models(principal: Principal, traffic: Traffic) -> list[tuple[str, str]]:
    """Return (name, owner) of each route, then of each known model of a configured provider."""
    providers = traffic.catalog.providers
    names = [(name, "sternpost") for name in traffic.routes]
    names += [
        (name, facts.provider)
        for name, facts in traffic.catalog.models.items()
        if not providers[facts.provider].is_known_only
    ]
    return [(name, owner) for name, owner in names if _may_use(name, principal, traffic)]


def _may_use(name: str, principal: Principal, traffic: Traffic) -> bool:
    try:
        route.plan_for(name, principal, traffic)
    except RequestError:
        return False
    return True


def _entry(name: str, owner: str, dialect: Dialect, traffic: Traffic) -> dict[str, Json]:
    """`shutdown_date` stands where OpenAI has it: there, when it was announced."""
    if dialect == "anthropic":
        return {"type": "model", "id": name, "display_name": name, "created_at": _CREATED_AT}
    entry: dict[str, Json] = {"id": name, "object": "model", "created": _CREATED_S, "owned_by": owner}
    facts = traffic.catalog.models.get(name)
    if facts is not None and facts.retires_on is not None:
        entry["shutdown_date"] = facts.retires_on.isoformat()
    return entry
