"""Bedrock's whole replies, usage and errors."""

import json
from typing import Any

import pytest

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import Citation
from sternpost.contracts.message import ReasoningPart, TextPart, ToolCallPart
from sternpost.contracts.provider import STANDARD
from sternpost.contracts.usage import Usage
from sternpost.dialects.bedrock.usage import read_usage
from tests.unit.dialects.wire import BEDROCK, fixture

ROUTER = {"promptRouter": {"invokedModelId": "arn:aws:bedrock:us-east-1::foundation-model/a.b"}}


def reply_of(**changes: Any) -> bytes:
    return json.dumps(json.loads(fixture("bedrock_reply.json")) | changes).encode()


def test_every_block_of_a_reply_is_read() -> None:
    reply = BEDROCK.read_reply(reply_of())
    assert reply.choices[0].parts == (
        ReasoningPart("Two cities.", signature="EqQBCgIYAhIM=="),
        ReasoningPart(encrypted_content="c2VhbGVk"),
        TextPart("I look it up."),
        TextPart("It rains in Paris."),
        ToolCallPart("weather", '{"city":"Zürich"}', "tooluse_a1"),
    )
    assert reply.choices[0].finish_reason == "tool"
    assert reply.citations == (Citation("Weather", cited_text="Rain in Paris", document="0"),)
    assert reply.usage == BEDROCK.summarise(reply_of(), STANDARD).usage


def test_a_prompt_router_says_which_model_answered() -> None:
    assert BEDROCK.summarise(reply_of(trace=ROUTER), STANDARD).model.endswith("/a.b")


def test_a_body_without_a_message_is_no_reply() -> None:
    for body in (b"{}", b'{"output": {}}', b"<html>"):
        with pytest.raises(BadRequest):
            BEDROCK.read_reply(body)


@pytest.mark.parametrize(
    ("values", "usage"),
    [
        ({"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}, Usage(in_fresh=3, out_text=2)),
        # models differ in whether the total counts the cache: 3 + 2 or 3 + 2 + 10 + 4
        ({"inputTokens": 3, "outputTokens": 2, "totalTokens": 5, "cacheReadInputTokens": 10,
          "cacheWriteInputTokens": 4}, Usage(in_fresh=3, in_cache_read=10, in_cache_write_5m=4, out_text=2)),
        ({"inputTokens": 3, "outputTokens": 2, "totalTokens": 19, "cacheReadInputTokens": 10,
          "cacheWriteInputTokens": 4}, Usage(in_fresh=3, in_cache_read=10, in_cache_write_5m=4, out_text=2)),
        ({"inputTokens": 3, "outputTokens": 2, "totalTokens": 6},
         Usage(in_fresh=3, out_text=2, is_mismatch=True)),
        ({"inputTokens": 3, "outputTokens": 2, "cacheWriteInputTokens": 4,
          "cacheDetails": [{"ttl": "1h", "inputTokens": 9}]},
         Usage(in_fresh=3, in_cache_write_5m=4, out_text=2, is_mismatch=True)),
        ({"totalTokens": 6}, None),
        (None, None),
    ],
)  # fmt: skip
def test_usage_is_reduced_to_buckets(values: Any, usage: Usage | None) -> None:
    assert read_usage(values) == usage


def failure(status: int, name: str, message: str, **headers: str) -> Any:
    named = {"x-amzn-ErrorType": f"{name}:http://internal.amazon.com/"} if name else {}
    return BEDROCK.read_failure(status, {**named, **headers}, json.dumps({"message": message}).encode(), 0.0)


@pytest.mark.parametrize(
    ("status", "name", "message", "kind", "is_retryable"),
    [
        (429, "ThrottlingException", "Too many tokens, please wait.", "rate_limited", True),
        (429, "ModelNotReadyException", "warming up", "rate_limited", True),
        (400, "ServiceQuotaExceededException", "quota", "quota", False),
        (400, "ValidationException", "Input is too long for requested model.", "context_too_long", False),
        (400, "ValidationException", "prompt is too long: 9 tokens > 8 maximum", "context_too_long", False),
        (400, "ValidationException", "bad toolConfig", "bad_request", False),
        (403, "AccessDeniedException", "not authorized to perform: bedrock:InvokeModel", "permission", False),
        (403, "AccessDeniedException", "You don't have access to the model with", "not_found", False),
        (403, "AccessDeniedException", "Bearer Token has expired", "auth", False),
        (403, "ExpiredTokenException", "The security token is expired", "auth", False),
        (403, "UnrecognizedClientException", "invalid", "auth", False),
        (404, "ResourceNotFoundException", "no such model", "not_found", False),
        (408, "ModelTimeoutException", "slow", "timeout", True),
        (424, "ModelErrorException", "it broke", "server", True),
        (500, "InternalServerException", "it broke", "server", True),
        (503, "ServiceUnavailableException", "later", "overloaded", True),
    ],
)
def test_errors_are_classed_by_the_name_in_their_header(
    status: int, name: str, message: str, kind: str, is_retryable: bool
) -> None:
    read = failure(status, name, message)
    assert (read.kind, read.is_retryable, read.error_type) == (kind, is_retryable, name)


def test_a_wait_is_read_and_accounts_are_not_named() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x"
    read = failure(429, "ThrottlingException", f"slow down on {arn}", **{"retry-after": "2"})
    assert read.retry_after_s == 2.0
    assert read.message == "slow down on [arn]"


def test_an_error_of_a_proxy_is_classed_by_its_status() -> None:
    read = BEDROCK.read_failure(502, {}, b"<html>Bad gateway</html>", 0.0)
    assert (read.kind, read.message) == ("server", "Bad gateway")
