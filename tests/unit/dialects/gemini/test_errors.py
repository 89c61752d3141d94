"""Gemini's errors are classed by their details: bodies as its documentation and its API define them."""

import json

import pytest

from sternpost.dialects.protocols import FailureKind, UpstreamFailure
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.support import fake_gemini

GEMINI = UPSTREAM_CODECS["gemini"]


def failure(fault: str) -> UpstreamFailure:
    answer = fake_gemini.reply("/models/m:generateContent", b"{}", fault)
    return GEMINI.read_failure(answer.status, {}, answer.frames[0], 0.0)


@pytest.mark.parametrize(
    ("fault", "kind", "is_retryable"),
    [
        ("key", "auth", False),
        ("429", "rate_limited", True),
        ("day", "quota", False),
        ("context", "context_too_long", False),
        ("400", "bad_request", False),
        ("401", "auth", False),
        ("403", "permission", False),
        ("404", "not_found", False),
        ("500", "server", True),
        ("array", "overloaded", True),
        ("504", "timeout", True),
    ],
)
def test_an_error_is_classed(fault: str, kind: FailureKind, is_retryable: bool) -> None:
    found = failure(fault)
    assert (found.kind, found.is_retryable) == (kind, is_retryable)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("API_KEY_HTTP_REFERRER_BLOCKED", "auth"),
        ("API_KEY_EXPIRED", "auth"),
        ("SERVICE_DISABLED", "permission"),
    ],
)
def test_a_403_is_about_the_key_where_its_reason_says_so(reason: str, kind: str) -> None:
    error = {"code": 403, "message": "no", "status": "PERMISSION_DENIED", "details": [{"reason": reason}]}
    assert GEMINI.read_failure(403, {}, json.dumps({"error": error}).encode(), 0.0).kind == kind


@pytest.mark.parametrize(
    "words", ["Your prepayment credits are depleted.", "Your project has exceeded its monthly spending cap."]
)
def test_an_account_without_money_is_not_asked_again(words: str) -> None:
    error = {"code": 429, "message": words, "status": "RESOURCE_EXHAUSTED"}
    found = GEMINI.read_failure(429, {}, json.dumps({"error": error}).encode(), 0.0)
    assert (found.kind, found.is_retryable) == ("quota", False)


def test_the_delay_is_read_and_the_words_are_kept() -> None:
    found = failure("429")
    assert found.retry_after_s == 0.05
    assert found.code == "resource_exhausted"
    assert found.message.startswith("You exceeded your current quota")


def test_a_page_that_stands_before_google_is_classed_by_its_status() -> None:
    found = GEMINI.read_failure(502, {}, b"<html><h1>Bad gateway</h1></html>", 0.0)
    assert (found.kind, found.message) == ("server", "Bad gateway")
