"""The flow of a call to another OpenAI path: its model decides the target; its response is not parsed."""

import asyncio
from dataclasses import replace
from typing import Final

from sternpost.base.errors import BadRequest, UpstreamTimedOut
from sternpost.contracts.call import Dialect
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest
from sternpost.dialects.openai_responses.decisions import PATH as DECISIONS
from sternpost.gateway.exchange import InboundCall, OutboundReply, PassThroughRequest
from sternpost.gateway.flows.pass_through import answer, begin_pass_through, head_naming, request_of
from sternpost.gateway.flows.run_call import answer_plan, is_dry_run, run_call
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.stages import admit, named_models, record, route
from sternpost.gateway.stages.attempt import Attempt, first_of, send, time_limit_s
from sternpost.gateway.stages.model_in_body import NamedBody, read_named
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.stages.restrict_to_origin import restrict_to_origin
from sternpost.gateway.state.traffic import Plan, PlannedTarget

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
        DECISIONS,
        "/v1/images/edits",
        "/v1/images/generations",
        "/v1/images/variations",
        "/v1/moderations",
    }
)


def dialect_of(path: str) -> Dialect:
    """Return in which dialect a path of ours is asked."""
    return "openai_responses" if path == _COMPACT else "openai_chat"


async def handle_openai_passthrough(
    request: InboundCall, asked: PassThroughRequest, services: GatewayServices
) -> OutboundReply:
    """Serve one call. asked: its path is ours, `/v1/...`; no provider is named yet.

    It is retried and falls back as a chat does, until an answer begins; that passes as it comes.
    Errors are in OpenAI's shape.
    """
    return await run_call(record.open_call(request, services), lambda call: _serve(call, asked))


async def _serve(call: OpenCall, asked: PassThroughRequest) -> OutboundReply:
    begin_pass_through(call, asked, KeyScope.CALLS)
    named = read_named(asked.body, call.request.headers.get("content-type", ""))
    call.head = head_naming(named.model)
    spoken = call.codec.name if asked.path == _COMPACT else None
    plan = route.plan_for(named.model, call.owner, call.services.traffic(), spoken=spoken)
    named_models.check(named.fields, call.owner, plan)
    if asked.path == _COMPACT:
        plan = await restrict_to_origin(call, call.codec.read_head(asked.body), plan)
    plan = call.plan = _able(plan, asked.path)
    admit.reserve(call, plan)
    if is_dry_run(call):
        return await answer_plan(call, plan)
    call.notes["request_bytes"] = str(len(asked.body))
    is_read = asked.path == DECISIONS  # text in, numbers out: kept for the trace, as a chat is
    if is_read:
        call.request = replace(call.request, body=asked.body)
    attempt, reply = await first_of(
        call, plan, lambda attempt, left_s: _attempt_once(attempt, asked, named, plan, left_s)
    )
    return answer(attempt, reply, method=asked.method, plan=plan, is_kept=is_read)


async def _attempt_once(
    attempt: Attempt, asked: PassThroughRequest, named: NamedBody, plan: Plan, left_s: float
) -> tuple[Attempt, UpstreamReply]:
    """Ask once, for what may be a stream: the caller's SDK waits for its status line, not for its end."""
    planned = attempt.planned
    body = named.renamed(planned.target.model)
    path = route.prefix_at(planned.provider, planned.target.model) + asked.path.removeprefix("/v1")
    request = request_of(attempt, replace(asked, provider=planned.provider.name, path=path, body=body), plan)
    total_s = time_limit_s(attempt.call, plan, left_s, is_stream=True)
    limited = replace(request, total_s=total_s, headers=_headers(request, named))
    answer_s = min(total_s, left_s)
    try:
        async with asyncio.timeout(answer_s):
            return attempt, await send(attempt, limited)
    except TimeoutError as error:
        raise UpstreamTimedOut(f"the provider sent nothing for {round(answer_s, 1):g} s") from error


def _headers(request: UpstreamRequest, named: NamedBody) -> dict[str, str]:
    """Say of the body what it was read as, whatever the caller said."""
    kept = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    return {**kept, "content-type": named.content_type}


def _able(plan: Plan, path: str) -> Plan:
    """Leave the targets that could have a path. Raises: BadRequest when there are none."""
    targets = tuple(planned for planned in plan.targets if _has(planned, path))
    if not targets:
        first = plan.targets[0]
        raise BadRequest(
            f"{first.name!r} is at a provider whose API has no {path.removeprefix('/v1')!r};"
            f" its own paths are at /v1/providers/{first.provider.name}/...",
            param="model",
        )
    return replace(plan, targets=targets)


def _has(planned: PlannedTarget, path: str) -> bool:
    """Whether the API of a provider could have a path; whether this host has it, only the host knows."""
    if path == _COMPACT:
        return planned.codec.traits.stores_responses
    traits = planned.codec.traits
    return traits.is_openai or (path == _RERANK and traits.has_rerank)
