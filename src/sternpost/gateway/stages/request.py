"""Writes the request for a target: the caller's bytes edited, or translated to another dialect."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sternpost.base.collection import collection_paused
from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import AutoCache, ChatRequest
from sternpost.dialects import auto_cache
from sternpost.dialects.anthropic import attribution, vertex
from sternpost.dialects.errors import refused_fields
from sternpost.dialects.json_text.raw_object import join_object
from sternpost.dialects.protocols import Omission, RequestHead, WrittenRequest
from sternpost.dialects.thinking.unread_thinking import without_thoughts
from sternpost.gateway.stages.failures import unsupported
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.state.traffic import Plan, PlannedTarget

_PLACED = "prompt_cache.placed"  # attribute of the span
# What only makes a call cheaper: without it the answer is the same.
_SAVINGS = frozenset({"cache_control", "prompt_cache_key", "prompt_cache_retention", attribution.LEFT_OUT})

# What the target is told in another way, and loses nothing by it.
_TOLD_OTHERWISE: Final = re.compile(r"\((?:shortened|[\w ]*(?:read|sent) as [\w. ]+)\)\Z")
_BETAS: Final = "anthropic-beta"

_LARGE_BYTES = 256_000  # about 10,000 objects, from where the collector makes itself felt


def write_body(call: OpenCall, head: RequestHead, planned: PlannedTarget, plan: Plan) -> WrittenRequest:
    """Write the body for a target: an edit of the caller's bytes, or a translation.

    Raises: BadRequest for a body that can't be read; AttemptFailed for content that the target's dialect
    cannot express, and for anything dropped when the route forbids it.
    """
    written = _written(call, head, planned, _auto_cache(call, plan))
    if head.omitted:
        written = _without(written, head.omitted)
    elif planned.provider.quirks.is_vertex and _BETAS in call.request.headers:
        refused = vertex.split_betas(_words(call.request.headers[_BETAS]))[1]
        written = replace(written, dropped=(*written.dropped, *(f"{_BETAS} {beta[:64]}" for beta in refused)))
    call.dropped, call.sent_body = written.dropped, written.body
    if written.auto_cached:
        call.notes[_PLACED] = ",".join(written.auto_cached)
    else:
        call.notes.pop(_PLACED, None)  # of an earlier attempt
    if plan.unsupported == "refuse":
        _refuse_loss(written.dropped, planned)
    return written


def _without(written: WrittenRequest, omitted: tuple[Omission, ...]) -> WrittenRequest:
    """Leave out what the target has refused, and name it."""
    body = refused_fields.without(written.body, omitted)
    return replace(
        written, body=body or written.body, dropped=(*written.dropped, *refused_fields.told(omitted))
    )


def _refuse_loss(dropped: tuple[str, ...], planned: PlannedTarget) -> None:
    lost = [name for name in dropped if name not in _SAVINGS and not _TOLD_OTHERWISE.search(name)]
    if lost:
        error = BadRequest(
            f"{planned.name!r} does not support: {', '.join(lost)}; leave it out, or let the route drop it"
            " (`unsupported: drop`)",
            param=lost[0].partition(" ")[0],
        )
        raise unsupported(error)


def _auto_cache(call: OpenCall, plan: Plan) -> AutoCache | None:
    """Say how the provider is to cache, by what does not change from call to call of one session."""
    if plan.cache_ttl is None or call.principal is None:
        return None
    shared = (call.principal.project_id, plan.route, call.attributes.session_id)
    return AutoCache(plan.cache_ttl, "sp-" + hashlib.sha256("\0".join(shared).encode()).hexdigest()[:24])


def _written(
    call: OpenCall, head: RequestHead, planned: PlannedTarget, auto: AutoCache | None
) -> WrittenRequest:
    quirks, facts = planned.provider.quirks, planned.facts
    if planned.codec is call.codec:
        marked = replace(head, auto_cache=auto) if auto else head
        return call.codec.edit(marked, model=planned.target.model, quirks=quirks, facts=facts)
    try:
        if len(call.request.body) <= _LARGE_BYTES:
            return _translated(call, head, planned, auto)
        with collection_paused():
            return _translated(call, head, planned, auto)
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error


def _translated(
    call: OpenCall, head: RequestHead, planned: PlannedTarget, auto: AutoCache | None
) -> WrittenRequest:
    quirks, facts = planned.provider.quirks, planned.facts
    if call.chat is None:
        call.chat = _read_chat(call, head)
    chat = replace(call.chat, model=planned.target.model)
    if head.is_thoughtless:
        chat = without_thoughts(chat)
    if planned.codec.traits.signs_tool_calls and call.principal is not None:
        project_id = call.principal.project_id
        chat = replace(chat, messages=call.services.signatures.restore(project_id, chat.messages))
    placed: tuple[str, ...] = ()
    if auto is not None:
        chat, placed = auto_cache.add_to(chat, auto, planned.codec.name, quirks, facts)
    try:
        written = planned.codec.write_request(chat, quirks=quirks, facts=facts)
    except BadRequest as error:
        raise unsupported(error) from error
    lost = ("thinking",) if head.is_thoughtless else ()
    return replace(written, dropped=written.dropped + lost, auto_cached=placed) if placed or lost else written


def _read_chat(call: OpenCall, head: RequestHead) -> ChatRequest:
    """Read the whole request, without the line that only Anthropic reads."""
    body, left_out = call.request.body, ()
    if (
        call.codec.name == "anthropic"
        and (rest := attribution.without(head.fields.get("system"))) is not None
    ):
        fields = {name: raw for name, raw in head.fields.items() if rest or name != "system"}
        body = join_object({**fields, "system": rest} if rest else fields)
        left_out = (attribution.LEFT_OUT,)
    chat = call.codec.read_request(body)
    return replace(chat, betas=_betas(call), unread=(*chat.unread, *left_out))


def _betas(call: OpenCall) -> tuple[str, ...]:
    """Return the betas of an Anthropic caller, which another dialect may have to write elsewhere."""
    return _words(call.request.headers.get(_BETAS, "")) if call.codec.traits.has_betas else ()


def _words(listed: str) -> tuple[str, ...]:
    """Return each word of a header that is a list, once."""
    return tuple(dict.fromkeys(word for item in listed.split(",") if (word := item.strip())))


def betas_in(call: OpenCall) -> tuple[str, ...]:
    """Return the betas of Anthropic's that the caller asks for."""
    return _words(call.request.headers.get(_BETAS, ""))


def headers_for(
    call: OpenCall, planned: PlannedTarget, omitted: tuple[Omission, ...] = ()
) -> Mapping[str, str]:
    """Return the target's headers and those of the caller that may pass. omitted: what it has refused."""
    asked = call.request.headers
    passing = {name: asked[name] for name in planned.codec.forwarded_headers if name in asked}
    if _BETAS in passing and not _set_betas(passing, planned, {omission.beta for omission in omitted}):
        del passing[_BETAS]
    return {**planned.headers, **passing} if passing else planned.headers


def _set_betas(passing: dict[str, str], planned: PlannedTarget, refused: set[str]) -> bool:
    """Write the betas that the target takes; false when there are none."""
    betas = _words(passing[_BETAS])
    if planned.provider.quirks.is_vertex:
        betas = vertex.split_betas(betas)[0]
    if refused:
        betas = () if refused_fields.ALL_BETAS in refused else tuple(b for b in betas if b not in refused)
    passing[_BETAS] = ",".join(betas)
    return bool(betas)
