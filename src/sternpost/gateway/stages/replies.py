"""Status lines, headers and error bodies of replies; not when an error is one."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from sternpost.base.errors import (
    BadRequest,
    CredentialsUnavailable,
    RateLimited,
    SternpostError,
    UpstreamError,
    UpstreamRefused,
)
from sternpost.base.ids import new_span_id
from sternpost.base.money import usd_text
from sternpost.contracts.call import AttemptRecord, Dialect
from sternpost.contracts.message import Json
from sternpost.contracts.usage import Cost
from sternpost.dialects.bedrock.errors import write_error as write_aws_error
from sternpost.dialects.protocols import WireError
from sternpost.dialects.registry import CODECS
from sternpost.gateway.exchange import Headers, OutboundReply
from sternpost.gateway.stages.record import OpenCall
from sternpost.gateway.state.traffic import Plan, PlannedTarget

_JSON = (b"content-type", b"application/json")
STREAM_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_MAX_LISTED = 1500  # clients refuse headers of some 8,000 bytes in all
_AWS_SDK = "amz-sdk-invocation-id"  # every SDK of AWS sends it
_CACHE_OFF = (b"x-sternpost-cache", b"off")


def answer_headers(
    call: OpenCall,
    target: str,
    upstream_request_id: str,
    *,
    cost: Cost | None = None,
    body: bytes | None = None,
) -> Headers:
    """Write the headers of an answer; without a body it is a stream."""
    headers = _own_headers(call, len(call.attempts) + (body is None))
    if body is None:
        headers += STREAM_HEADERS
    else:
        headers += (_JSON, (b"content-length", b"%d" % len(body)))
    headers.append((b"x-sternpost-target", header_value(target)))
    if upstream_request_id:
        headers.append((b"x-upstream-request-id", header_value(upstream_request_id)))
    if cost is not None and cost.nanousd is not None:
        headers.append((b"x-sternpost-cost-usd", usd_text(cost.nanousd).encode()))
    if call.dropped:
        headers.append((b"x-sternpost-dropped", listed(call.dropped)))
    return headers


def passage_headers(call: OpenCall, planned: PlannedTarget, upstream_request_id: str) -> Headers:
    """Write what we add to the headers of a provider's own answer."""
    headers = _own_headers(call, len(call.attempts) + 1)
    headers.append((b"x-sternpost-provider", header_value(planned.provider.name)))
    if planned.target.model:
        headers.append((b"x-sternpost-target", header_value(planned.name)))
    if upstream_request_id:
        headers.append((b"x-upstream-request-id", header_value(upstream_request_id)))
    return headers


def error_reply(call: OpenCall, error: SternpostError) -> OutboundReply:
    """Write an error in the caller's dialect."""
    wire = wire_error(error, call.request_id)
    is_aws = _AWS_SDK in call.request.headers  # they come by the pass-through, which has no dialect
    body = write_aws_error(wire) if is_aws else call.codec.write_error(wire)
    headers = _own_headers(call, len(call.attempts))
    headers += (_JSON, (b"content-length", b"%d" % len(body)), *_retry_headers(error, call.attempts))
    if call.attempts:
        last = call.attempts[-1]
        headers.append((b"x-sternpost-provider", header_value(last.provider)))
        if last.http_status:
            headers.append((b"x-sternpost-upstream-status", b"%d" % last.http_status))
        if last.upstream_request_id:
            headers.append((b"x-upstream-request-id", header_value(last.upstream_request_id)))
    return OutboundReply(wire.status, headers, body)


def bare_error_reply(dialect: Dialect, error: SternpostError) -> OutboundReply:
    """Write an error of a request that is not a chat call."""
    wire = wire_error(error, f"req_{new_span_id()}")
    body = CODECS[dialect].write_error(wire)
    headers: Headers = [
        _JSON,
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", wire.request_id.encode()),
    ]
    return OutboundReply(wire.status, headers, body)


def plan_reply(call: OpenCall, plan: Plan) -> OutboundReply:
    """Say what would have been called."""
    body = msgspec.json.encode(
        {
            "object": "sternpost.plan",
            "model": plan.asked,
            "route": plan.route or None,
            "targets": [
                {
                    "model": planned.name,
                    "provider": planned.provider.name,
                    "dialect": planned.codec.name,
                    "when": planned.target.when,
                }
                for planned in plan.targets
            ],
            "timeouts": plan.limits,
            "hold_ms": round(plan.hold_s * 1000),
        }
    )
    headers = answer_headers(call, plan.targets[0].name, "", body=body)
    return OutboundReply(200, headers, body)


def wire_error(error: SternpostError, request_id: str) -> WireError:
    """Turn an error of ours into what any dialect can write."""
    if isinstance(error, UpstreamRefused):
        return WireError(
            status=error.http_status,
            code=error.wire_code,
            message=error.message,
            error_type=error.error_type,
            param=error.param,
            request_id=request_id,
            details=cast("Mapping[str, Json]", error.details),
        )
    param = error.param if isinstance(error, BadRequest) else None
    return WireError(error.status, error.code, error.message, param=param, request_id=request_id)


def error_type_of(error: SternpostError) -> str:
    """Return the word a record keeps for an error: the provider's own when it was passed on."""
    if isinstance(error, UpstreamRefused):
        return error.wire_code or error.error_type or error.code
    return error.code


def header_value(text: str) -> bytes:
    """Make a header value of text that callers and providers chose: printable ASCII, at most 500 bytes."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    return text[:500].encode("ascii")


def listed(words: Sequence[str]) -> bytes:
    """Make one header value of several words, whole words only; what has no room is counted."""
    kept: list[str] = []
    room = _MAX_LISTED
    for word in words:
        written = header_value(word.replace(",", ";")).decode("ascii")
        room -= len(written) + 1
        if room < 0:
            kept.append(f"and {len(words) - len(kept)} more")
            break
        kept.append(written)
    return ",".join(kept).encode("ascii")


def _own_headers(call: OpenCall, attempt_count: int) -> Headers:
    request_id = call.request_id.encode()
    headers = [
        (b"x-request-id", request_id),
        (b"x-sternpost-trace-id", call.parent.trace_id.encode()),
        (b"x-sternpost-attempts", b"%d" % attempt_count),
        _CACHE_OFF,
    ]
    if name := call.codec.traits.request_id_header:
        headers.append((name, request_id))
    if warnings := call.all_warnings():
        headers.append((b"x-sternpost-warnings", listed(warnings)))
    return headers


def _retry_headers(error: SternpostError, attempts: list[AttemptRecord]) -> Iterable[tuple[bytes, bytes]]:
    if isinstance(error, RateLimited | UpstreamRefused) and error.retry_after_s is not None:
        yield b"retry-after", b"%d" % math.ceil(error.retry_after_s)
        yield b"retry-after-ms", b"%d" % math.ceil(error.retry_after_s * 1000)
    # Retried here already, an SDK's own retries would multiply; and a refused key of ours stays refused.
    if isinstance(error, UpstreamError) and (len(attempts) > 1 or _is_about_our_key(error)):
        yield b"x-should-retry", b"false"


def _is_about_our_key(error: UpstreamError) -> bool:
    return isinstance(error, CredentialsUnavailable) or (
        isinstance(error, UpstreamRefused) and error.wire_code == "provider_key_refused"
    )
