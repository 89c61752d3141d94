"""What an answer of the gateway means for whoever called."""

import pytest

from sternpost.backends.model_client.verdicts import judge


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (200, "", "never"),
        (400, "context_length_exceeded", "never"),
        (401, "invalid_api_key", "never"),
        (429, "rate_limit_exceeded", "later"),
        (429, "", "later"),
        (429, "insufficient_quota", "never"),
        (429, "budget_exceeded", "never"),
        (500, "", "again"),
        (503, "", "again"),
        (503, "server_stopping", "later"),
        (504, "upstream_timeout", "again"),
    ],
)
def test_an_answer_says_whether_the_same_call_may_succeed_later(status: int, code: str, verdict: str) -> None:
    assert judge(status, code) == verdict
