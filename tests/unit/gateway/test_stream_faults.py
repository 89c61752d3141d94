"""What an error inside a stream stands for while nothing has been shown: what the same answer would."""

import json
from typing import Any

import pytest

from sternpost.contracts.call import FallbackCause
from sternpost.contracts.chat import StreamFault
from sternpost.contracts.provider import Provider
from sternpost.dialects.protocols import UpstreamCodec
from sternpost.gateway.stages.failures import CAUSES, from_fault, not_an_answer
from tests.support import event_stream
from tests.unit.dialects.wire import BEDROCK, RESPONSES, events_of

PROVIDER = Provider("lab", "Lab", "openai_chat", "http://lab")


def failed_response(**error: str) -> bytes:
    event = {"type": "response.failed", "response": {"status": "failed", "error": error}}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def error_event(**error: str) -> bytes:
    return b"data: " + json.dumps({"type": "error", "error": error}).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("codec", "stream", "cause", "is_retryable"),
    [
        (RESPONSES, failed_response(code="context_length_exceeded"), "context_too_long", False),
        (RESPONSES, failed_response(code="insufficient_quota"), "rate_limited", False),
        (RESPONSES, failed_response(code="rate_limit_exceeded"), "rate_limited", True),
        (RESPONSES, failed_response(code="content_filter"), "policy", False),
        (RESPONSES, failed_response(code="bio_policy"), "policy", False),
        (RESPONSES, failed_response(code="invalid_prompt"), None, False),
        (RESPONSES, failed_response(code="failed_to_download_image"), None, False),
        (RESPONSES, failed_response(code="server_error"), "down", True),
        (
            RESPONSES,
            error_event(type="invalid_request_error", message="prompt is too long: 9 > 8"),
            "context_too_long",
            False,
        ),
        (
            BEDROCK,
            event_stream.exception("validationException", "Input is too long."),
            "context_too_long",
            False,
        ),
        (BEDROCK, event_stream.exception("serviceQuotaExceededException", "No."), "rate_limited", False),
        (
            BEDROCK,
            event_stream.exception("throttlingException", "Too many tokens, please wait."),
            "rate_limited",
            True,
        ),
    ],
)
def test_an_error_before_content_has_the_cause_of_the_same_answer(
    codec: UpstreamCodec, stream: bytes, cause: FallbackCause | None, is_retryable: bool
) -> None:
    fault = events_of(codec, [stream])[-1]
    assert isinstance(fault, StreamFault)
    failed = from_fault(fault, PROVIDER, is_same_dialect=False)
    assert (CAUSES[failed.kind], failed.is_retryable) == (cause, is_retryable)


def test_a_caller_of_another_dialect_reads_the_code_of_the_class() -> None:
    words: dict[str, Any] = {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}
    fault = events_of(RESPONSES, [error_event(**words)])[-1]
    assert isinstance(fault, StreamFault)
    crossed = from_fault(fault, PROVIDER, is_same_dialect=False).error
    assert getattr(crossed, "wire_code", None) == "context_length_exceeded"


@pytest.mark.parametrize(
    "code", ["context_length_exceeded", "rate_limit_exceeded", "bio_policy", "invalid_prompt", "server_error"]
)
def test_a_whole_response_that_failed_is_what_it_is_in_a_stream(code: str) -> None:
    fault = events_of(RESPONSES, [failed_response(code=code)])[-1]
    assert isinstance(fault, StreamFault)
    body = json.dumps(
        {"object": "response", "status": "failed", "output": [], "error": {"code": code}}
    ).encode()
    streamed = from_fault(fault, PROVIDER, is_same_dialect=True)
    whole = not_an_answer(body, PROVIDER, "it failed", is_same_dialect=True)
    assert (whole.kind, whole.is_retryable) == (streamed.kind, streamed.is_retryable)
    assert vars(whole.error) == vars(streamed.error)
