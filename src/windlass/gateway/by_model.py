"""The story of a call to one more of OpenAI's paths: the model says to which provider it is passed on."""

from dataclasses import replace
from typing import Final

from windlass.base.errors import BadRequest
from windlass.contracts.call import Dialect
from windlass.dialects.registry import CODECS
from windlass.gateway.edge import settle
from windlass.gateway.exchange import InboundCall, Onward, OutboundReply
from windlass.gateway.pass_through import begin, pass_to
from windlass.gateway.rig import Rig
from windlass.gateway.stages import pin, record, route
from windlass.gateway.stages.model_in_body import read_named
from windlass.gateway.stages.record import OpenCall
from windlass.gateway.traffic import Plan, PlannedTarget

_COMPACT: Final = "/v1/responses/compact"
_RERANK: Final = "/v1/rerank"
PATHS: Final = frozenset(
    {
        _COMPACT,
        _RERANK,
        "/v1/audio/speech",
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
        "/v1/completions",
        "/v1/images/edits",
        "/v1/images/generations",
        "/v1/images/variations",
        "/v1/moderations",
    }
)
_OPENAI: Final = frozenset[Dialect]({"openai_chat", "openai_responses"})


async def handle_by_model(request: InboundCall, asked: Onward, rig: Rig) -> OutboundReply:
    """Pass one request on. asked: its path is ours, `/v1/...`; no provider is named yet.

    Errors of ours are in OpenAI's shape, the provider's come as they are. It is tried once, at the first
    target of a route that has the path.
    """
    return await settle(record.open_call(request, rig), lambda call: _pass_on(call, asked))


async def _pass_on(call: OpenCall, asked: Onward) -> OutboundReply:
    principal = begin(call, asked)
    named = read_named(asked.body, call.request.headers.get("content-type", ""))
    spoken: Dialect | None = "openai_responses" if asked.path == _COMPACT else None
    plan = route.choose(named.model, principal, call.rig.traffic(), spoken=spoken)
    if asked.path == _COMPACT:
        codec = CODECS["openai_responses"]
        plan = await pin.narrow(plan, codec.read_head(asked.body), codec, principal, call.rig)
    chosen = _first_able(plan, asked.path)
    onward = replace(
        asked,
        provider=chosen.provider.name,
        path=asked.path.removeprefix("/v1"),
        body=named.renamed(chosen.target.model),
    )
    return await pass_to(call, onward, replace(plan, targets=(chosen,)), chosen.target.model)


def _first_able(plan: Plan, path: str) -> PlannedTarget:
    found = next((planned for planned in plan.targets if _has(planned, path)), None)
    if found is None:
        first = plan.targets[0]
        raise BadRequest(
            f"{first.name!r} is at a provider whose API has no {path.removeprefix('/v1')!r};"
            f" its own paths are at /v1/providers/{first.provider.name}/...",
            param="model",
        )
    return found


def _has(planned: PlannedTarget, path: str) -> bool:
    """Whether the API of a provider could have a path; whether this host has it, only the host knows."""
    if path == _COMPACT:
        return planned.codec.name == "openai_responses"
    return planned.provider.dialect in _OPENAI or (path == _RERANK and planned.provider.dialect == "cohere")
