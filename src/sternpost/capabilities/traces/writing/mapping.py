"""Makes spans and content of a call that went through the gateway; foreign telemetry is `ingest`'s."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec

from sternpost.base.errors import SternpostError
from sternpost.capabilities.traces.content import message_content, preview, preview_input, tools_content
from sternpost.capabilities.traces.media.extract import Media
from sternpost.capabilities.traces.writing.cut_body import mend_cut_json, shorter_conversations
from sternpost.contracts.call import AttemptRecord, CallRecord, Dialect
from sternpost.contracts.chat import ChatReply, ChatRequest
from sternpost.contracts.message import Message, OtherPart, Role
from sternpost.contracts.provider import Quirks
from sternpost.contracts.span import (
    Content,
    GatewayFacts,
    ModelUse,
    Span,
    SpanBundle,
    SpanType,
)
from sternpost.dialects.framing.assemble import read_recorded
from sternpost.dialects.openai_chat import embeddings
from sternpost.dialects.openai_responses import decisions
from sternpost.dialects.registry import CODECS, UPSTREAM_CODECS
from sternpost.dialects.usage.raw_usage import raw_usage

SCOPE = "sternpost.gateway"
UNPARSED = "sternpost.unparsed"
PROVIDER_USAGE = "provider_usage"  # the counts as the provider wrote them, for a better mapping later
BODY_CUT = "request_body_cut"  # the warning of the gateway that it kept the beginning only
_PARAMETERS = (
    "temperature",
    "top_p",
    "top_k",
    "max_output_tokens",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "stop",
)
_QUIRKS = Quirks()
_UNREADABLE = (SternpostError, msgspec.MsgspecError, ValueError, KeyError)

logger = logging.getLogger(__name__)


def spans_of_call(call: CallRecord, received_ns: int, *, reads_bodies: bool = True) -> SpanBundle:
    """Make the gateway span of a call, one attempt span per try, and its messages as content.

    Usage and cost are on the gateway span alone, so that no sum counts them twice.
    A body that can't be read is kept raw and flagged; the span is written in any case.
    """
    request = _read_request(call) if reads_bodies else None
    reply = _read_reply(call) if reads_bodies else None
    unparsed = [
        name
        for name, body, parsed in (("request", call.request_body, request), ("reply", call.reply_body, reply))
        if body and parsed is None and reads_bodies
    ]
    inputs = request.messages if request else _raw_messages("user", call.request_body, unparsed, "request")
    outputs = reply.choices if reply else _raw_messages("assistant", call.reply_body, unparsed, "reply")
    media = Media(call.project_id)
    inputs = tuple(media.taken_from(message) for message in inputs)
    outputs = tuple(media.taken_from(message) for message in outputs)
    input_contents = [message_content(call.project_id, message) for message in inputs]
    output_contents = [message_content(call.project_id, message) for message in outputs]
    tools = [tools_content(call.project_id, request.tools)] if request and request.tools else []
    span = _gateway_span(call, request, reply, received_ns)
    span = replace(
        span,
        input_hashes=tuple(content.hash for content in input_contents),
        output_hashes=tuple(content.hash for content in output_contents),
        preview_input=preview_input(inputs) or _asked_path(call),
        preview_output=preview(outputs),
        attributes=_attributes(call, unparsed, tools),
    )
    attempts = tuple(_attempt_span(call, attempt, received_ns) for attempt in call.attempts)
    contents = (*input_contents, *output_contents, *tools)
    return SpanBundle(spans=(span, *attempts), contents=contents, blobs=media.blobs)


def _gateway_span(
    call: CallRecord, request: ChatRequest | None, reply: ChatReply | None, received_ns: int
) -> Span:
    first_ns = None if call.first_token_ns is None else max(call.first_token_ns - call.started_ns, 0)
    return Span(
        project_id=call.project_id,
        trace_id=call.trace_id,
        span_id=call.span_id,
        parent_span_id=call.parent_span_id,
        type=SpanType.EMBEDDING if call.operation == "embeddings" else SpanType.GATEWAY,
        name=f"{call.operation} {call.request_model}".strip(),
        started_ns=call.started_ns,
        ended_ns=call.ended_ns,
        status=call.status,
        operation=call.operation,
        error_type=call.error_type,
        error=call.error,
        trace=replace(call.trace, environment=call.environment or call.trace.environment),
        model=ModelUse(
            provider=call.provider,
            request_model=call.request_model,
            response_model=_response_model(call, reply),
            response_id=reply.id if reply else "",
            parameters=_parameters(request),
            finish_reasons=tuple(choice.finish_reason or "" for choice in reply.choices) if reply else (),
            time_to_first_token_ns=first_ns,
        ),
        usage=call.usage,
        cost=call.cost,
        gateway=GatewayFacts(
            key_id=call.key_id,
            route=call.route,
            target=_target(call.provider, call.target_model),
            attempt_number=len(call.attempts),
            fallback_from=_fallback_from(call),
            http_status=call.http_status,
            overhead_ns=_overhead_ns(call),
        ),
        scope=SCOPE,
        received_ns=received_ns,
    )


def _asked_path(call: CallRecord) -> str:
    """Describe the request to a provider's own path, whose bodies are not kept."""
    method, path = call.attributes.get("http.request.method", ""), call.attributes.get("url.path", "")
    return f"{method} {path}" if call.operation == "pass_through" and path else ""


def _response_model(call: CallRecord, reply: ChatReply | None) -> str:
    """Return the model the reply names; that of the target where it is passed on, and rarely names one."""
    if call.operation == "pass_through":
        return call.response_model or call.target_model
    return call.response_model or (reply.model if reply else "")


def _attempt_span(call: CallRecord, attempt: AttemptRecord, received_ns: int) -> Span:
    attributes = {"upstream_request_id": attempt.upstream_request_id} if attempt.upstream_request_id else {}
    if attempt.retry_after_s is not None:
        attributes["retry_after_s"] = f"{attempt.retry_after_s:g}"
    return Span(
        project_id=call.project_id,
        trace_id=call.trace_id,
        span_id=attempt.span_id,
        parent_span_id=call.span_id,
        type=SpanType.ATTEMPT,
        name=f"attempt {attempt.number} {_target(attempt.provider, attempt.model)}",
        started_ns=attempt.started_ns,
        ended_ns=attempt.ended_ns,
        status=attempt.status,
        operation=call.operation,
        error_type=attempt.error_type,
        error=attempt.error,
        trace=replace(call.trace, environment=call.environment or call.trace.environment),
        model=ModelUse(provider=attempt.provider, request_model=attempt.model),
        gateway=GatewayFacts(
            key_id=call.key_id,
            route=call.route,
            target=_target(attempt.provider, attempt.model),
            attempt_number=attempt.number,
            http_status=attempt.http_status,
        ),
        attributes=attributes,
        scope=SCOPE,
        received_ns=received_ns,
    )


def _attributes(call: CallRecord, unparsed: Sequence[str], tools: Sequence[Content]) -> dict[str, str]:
    attributes = dict(call.attributes)
    attributes["dialect_in"] = call.dialect_in
    if call.dialect_out:
        attributes["dialect_out"] = call.dialect_out
    if call.is_stream:
        attributes["is_stream"] = "true"
    if call.is_reply_cut:
        attributes["is_reply_cut"] = "true"
    if call.warnings:
        attributes["warnings"] = "\n".join(call.warnings)
    if call.usage is not None and (usage := raw_usage(call.reply_body, is_stream=call.is_stream)):
        attributes[PROVIDER_USAGE] = usage
    if unparsed:
        attributes[UNPARSED] = ",".join(unparsed)
    if tools:
        attributes["tools_hash"] = tools[0].hash
    return attributes


def _read_request(call: CallRecord) -> ChatRequest | None:
    if not call.request_body:
        return None
    try:
        if call.operation == "embeddings":
            return embeddings.read_request(call.request_body)
        if _is_decision(call):
            return decisions.read_request(call.request_body)
        return CODECS[call.dialect_in].read_request(call.request_body)
    except _UNREADABLE as error:
        cut = _read_cut_request(call) if BODY_CUT in call.warnings else None
        if cut is None:
            logger.info("request body of span %s can't be read: %s", call.span_id, type(error).__name__)
        return cut


def _read_cut_request(call: CallRecord) -> ChatRequest | None:
    """Read what was kept of a body that was too large; the model is known, wherever its field stood."""
    mended = mend_cut_json(call.request_body)
    for values in shorter_conversations(mended) if mended is not None else ():
        body = msgspec.json.encode({"model": call.request_model, "max_tokens": 1, **values})
        with suppress(*_UNREADABLE):
            request = CODECS[call.dialect_in].read_request(body)
            return request if "max_tokens" in values else replace(request, max_output_tokens=None)
    return None


def _is_decision(call: CallRecord) -> bool:
    return call.operation == "pass_through" and call.attributes.get("url.path") == decisions.PATH


def _read_reply(call: CallRecord) -> ChatReply | None:
    dialect: Dialect | None = call.dialect_out
    if not call.reply_body or dialect is None:
        return None
    codec = UPSTREAM_CODECS[dialect]
    try:
        if _is_decision(call):
            return decisions.read_reply(call.reply_body)
        return read_recorded(codec, call.reply_body, is_stream=call.is_stream, quirks=_QUIRKS)
    except _UNREADABLE as error:
        logger.info("reply body of span %s can't be read: %s", call.span_id, type(error).__name__)
        return None


def _raw_messages(role: Role, body: bytes, unparsed: Sequence[str], name: str) -> tuple[Message, ...]:
    if name not in unparsed:
        return ()
    return (Message(role, (OtherPart({"raw": body.decode("utf-8", "replace")}),)),)


def _parameters(request: ChatRequest | None) -> str:
    if request is None:
        return ""
    found = {name: value for name in _PARAMETERS if (value := getattr(request, name)) not in (None, ())}
    return msgspec.json.encode(found).decode() if found else ""


def _target(provider: str, model: str) -> str:
    return f"{provider}/{model}" if provider else ""


def _fallback_from(call: CallRecord) -> str:
    answered = _target(call.provider, call.target_model)
    tried = [_target(attempt.provider, attempt.model) for attempt in call.attempts]
    return tried[0] if tried and answered and tried[0] != answered else ""


def _overhead_ns(call: CallRecord) -> int:
    """Return what Sternpost itself took: neither the providers' time nor the waits before a retry."""
    upstream_ns = sum(attempt.ended_ns - attempt.started_ns for attempt in call.attempts)
    return max(call.ended_ns - call.started_ns - upstream_ns - call.waited_ns, 0)
