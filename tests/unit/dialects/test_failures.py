import json

import pytest

from sternpost.dialects.failures import fault_from, fault_in, kind_of, read_failure, scrub, wait_of
from sternpost.dialects.protocols import FailureKind


def _error(**fields: object) -> bytes:
    return json.dumps({"error": fields}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "is_retryable"),
    [
        (400, _error(message="bad temperature", type="invalid_request_error"), "bad_request", False),
        (400, _error(message="...", code="context_length_exceeded"), "context_too_long", False),
        (
            400,
            _error(type="invalid_request_error", message="prompt is too long: 9 > 8"),
            "context_too_long",
            False,
        ),
        (
            400,
            _error(message="This model's maximum context length is 8192 tokens."),
            "context_too_long",
            False,
        ),
        (400, _error(message="x", code="content_filter", innererror={}), "policy", False),
        (400, _error(message="x", innererror={"code": "ResponsibleAIPolicyViolation"}), "policy", False),
        (
            404,
            _error(code="DeploymentNotFound", message="The API deployment does not exist"),
            "not_found",
            False,
        ),
        (400, _error(message="violates our content management policy"), "policy", False),
        (400, _error(type="invalid_request_error", message="Your credit balance is too low"), "quota", False),
        (401, _error(message="no", code="invalid_api_key"), "auth", False),
        (
            400,
            b'[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]',
            "auth",
            False,
        ),
        (402, b"", "quota", False),
        (403, _error(type="permission_error", message="no"), "permission", False),
        (403, _error(type="permission_error", message="Expired API key."), "auth", False),
        (403, _error(type="request_forbidden", code="unsupported_country"), "permission", False),
        (
            403,
            _error(status="PERMISSION_DENIED", message="Your API key was reported as leaked."),
            "auth",
            False,
        ),
        (403, b"<html><title>Attention Required! | Cloudflare</title>You are blocked", "permission", False),
        (404, _error(code="model_not_found", message="no"), "not_found", False),
        (
            400,
            b'{"object":"error","message":"Invalid model: m","type":"invalid_model","code":"1500"}',
            "not_found",
            False,
        ),
        (413, _error(type="request_too_large", message="too many tokens in it"), "too_large", False),
        (422, b'{"detail":[{"loc":["body"],"msg":"field required"}]}', "bad_request", False),
        (429, _error(code="insufficient_quota", message="You exceeded your current quota"), "quota", False),
        (429, _error(code="rate_limit_exceeded", message="slow down"), "rate_limited", True),
        (500, b"<html><title>Oops</title><body>content policy</body></html>", "server", True),
        (503, b"", "overloaded", True),
        (504, b"", "timeout", True),
        (529, _error(type="overloaded_error", message="Overloaded"), "overloaded", True),
    ],
)
def test_failures_are_classed_by_code_then_words_then_status(
    status: int, body: bytes, kind: FailureKind, is_retryable: bool
) -> None:
    failure = read_failure(status, {}, body, 0.0)
    assert (failure.kind, failure.is_retryable, failure.status) == (kind, is_retryable, status)


def test_a_provider_may_say_itself_whether_to_retry() -> None:
    assert not read_failure(503, {"X-Should-Retry": "false"}, b"", 0.0).is_retryable
    assert read_failure(400, {"x-should-retry": "true"}, b"", 0.0).is_retryable


def test_an_html_page_becomes_its_words() -> None:
    page = b"<html><head><style>p{}</style><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    assert read_failure(502, {}, page, 0.0).message == "502 Bad Gateway nginx"
    cut = b"<title>Just a moment...</title><style>*{margin:0}" + b".x{color:red}" * 400 + b"</style>"
    assert read_failure(403, {}, cut, 0.0).message == "Just a moment..."


def test_the_param_and_the_wait_in_the_details_are_kept() -> None:
    body = _error(message="m", param="messages.0", details=[{"@type": "RetryInfo", "retryDelay": "34s"}])
    failure = read_failure(429, {}, body, 0.0)
    assert (failure.param, failure.retry_after_s) == ("messages.0", 34.0)


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdef0123456789",
        "sk-ant-api03-abc_def-123",
        "Bearer abcdef.012345",
        "AIzaSyA1234567890",
        "org-abcdef123456",
        "https://internal.example.com/v1?key=1",
        "projects/my-lab-1",
        "project 123456789012",
        "203.0.113.9",
    ],
)
def test_keys_accounts_and_addresses_never_leave(secret: str) -> None:
    cleaned = scrub(f"Incorrect API key provided: {secret}. Check it.")
    assert secret not in cleaned
    assert cleaned.startswith("Incorrect API key provided: ")


def test_a_long_message_is_cut_to_two_thousand_characters() -> None:
    assert len(read_failure(500, {}, _error(message="x" * 9000), 0.0).message) == 2000


def test_what_else_an_error_says_is_kept_without_keys() -> None:
    inner = {"code": "X", "hint": ["ask https://internal.example.com/", {"key": "sk-abcdef012345"}]}
    body = _error(message="m", type="t", code="c", param="p", status=400, innererror=inner, trace=None)
    kept = {"code": "X", "hint": ["ask [link]", {"key": "***"}]}
    assert read_failure(400, {}, body, 0.0).details == {"status": 400, "innererror": kept}


def test_details_that_are_a_document_of_their_own_are_left_out() -> None:
    body = _error(message="m", metadata=["x" * 1500] * 3)
    assert read_failure(400, {}, body, 0.0).details == {}


@pytest.mark.parametrize("depth", [100, 400, 700, 900])
def test_details_of_any_depth_break_nothing(depth: int) -> None:
    body = b'{"error":{"message":"m","deep":' + b"[" * depth + b"]" * depth + b"}}"
    assert read_failure(400, {}, body, 0.0).message


@pytest.mark.parametrize(
    ("error", "kind", "wait_s"),
    [
        ({"code": "insufficient_quota", "message": "no credit"}, "quota", None),
        ({"code": "context_length_exceeded", "message": "too long"}, "context_too_long", None),
        ({"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}, "context_too_long", None),
        ({"type": "invalid_request_error", "message": "no"}, "bad_request", None),
        ({"type": "overloaded_error", "message": "Overloaded"}, "overloaded", None),
        ({"code": 502, "message": "Provider returned error"}, "server", None),
        (
            {
                "code": 429,
                "status": "RESOURCE_EXHAUSTED",
                "message": "You exceeded your current quota",
                "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}],
            },
            "rate_limited",
            34.0,
        ),
    ],
)
def test_an_error_inside_a_stream_is_classed_as_the_same_answer(
    error: dict[str, object], kind: FailureKind, wait_s: float | None
) -> None:
    fault = fault_from(json.loads(json.dumps(error)))
    assert (kind_of(fault), wait_of(fault)) == (kind, wait_s)
    assert fault_in(json.dumps({"error": error}).encode()) == fault


def test_an_error_inside_a_stream_has_the_status_it_would_have_had() -> None:
    assert fault_from({"type": "overloaded_error", "message": "Overloaded"}).status == 503
    assert fault_from({"code": 429, "message": "slow down"}).status == 429
    assert fault_from("broken").status == 502
