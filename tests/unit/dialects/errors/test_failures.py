import json

import pytest

from sternpost.dialects.errors.failures import fault_from, fault_in, kind_of, read_failure, scrub, wait_of
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


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("bad_request", (400, 405, 406, 412, 415, 418, 422, 428)),
        ("quota", (402,)),
        ("permission", (403, 451)),
        ("not_found", (404, 410)),
        ("too_large", (413, 431)),
        ("rate_limited", (429, 509)),
        ("timeout", (408, 504, 522, 524, 598, 599)),
        ("overloaded", (498, 503, 529)),
        ("server", (409, 421, 423, 424, 425, 499, 500, 502, 507, 520, 521, 523, 525, 526, 527, 530)),
    ],
)
def test_every_status_of_failure_has_its_class(kind: FailureKind, statuses: tuple[int, ...]) -> None:
    assert {status: read_failure(status, {}, b"", 0.0).kind for status in statuses} == dict.fromkeys(
        statuses, kind
    )


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "This model's maximum prompt length is 131072 but the request contains 9", "context_too_long"),
        (400, "the request exceeds the available context size, try increasing it", "context_too_long"),
        (400, "Range of input length should be [1, 30720]", "context_too_long"),
        (400, "Invalid request: Your request exceeded model token limit: 8192", "context_too_long"),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 8193", "context_too_long"),
        (400, "The decoder prompt is longer than the maximum model length of 4096", "context_too_long"),
        (400, "Content Exists Risk", "policy"),
        (403, "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_X", "policy"),
        (403, "openai/gpt requires moderation on OpenAI. Your input was flagged for x", "policy"),
        (403, "Your team has used all available credits", "quota"),
        (403, "Key limit exceeded (total limit). Manage it using the console", "quota"),
        (412, "Account suspended, possibly due to reaching the monthly spending limit", "quota"),
        (403, "This API method requires billing to be enabled.", "quota"),
        (429, "You have exceeded your monthly included credits for Inference", "quota"),
        (400, "Model Not Exist", "not_found"),
        (400, "The model `m1` has been decommissioned and is no longer supported.", "not_found"),
        (403, "The model m1 does not exist or your team does not have access to it.", "not_found"),
        (400, "vendor/m1 is not a valid model ID", "not_found"),
        (400, "Invalid model 'm1'. Permitted models can be found in the documentation", "not_found"),
        (400, "The provided model identifier is invalid.", "not_found"),
        (400, "The engine is currently overloaded, please try again later", "overloaded"),
        (429, "The engine is currently overloaded, please try again later", "rate_limited"),
        (400, "The model m1 does not support tools; 'tools' is not supported", "bad_request"),
        (400, "Unsupported parameter: 'temperature' is not supported with this model.", "bad_request"),
        (403, "You may not use this", "permission"),
        (404, "no such path", "not_found"),
    ],
)
def test_the_words_of_providers_decide_where_a_status_says_little(
    status: int, message: str, kind: FailureKind
) -> None:
    assert read_failure(status, {}, _error(message=message), 0.0).kind == kind


@pytest.mark.parametrize(
    "link",
    [
        "https://platform.openai.com/account/api-keys",
        "https://go.microsoft.com/fwlink/?linkid=2198766.",
        "http://docs.example.com/errors#E1",
    ],
)
def test_links_to_public_pages_stay(link: str) -> None:
    assert scrub(f"See {link} for more") == f"See {link} for more"


@pytest.mark.parametrize(
    "link",
    [
        "http://vllm-0.models.svc.cluster.local/v1",
        "http://localhost/v1",
        "http://10.0.0.3/v1",
        "https://gpu.example.com:8443/v1",
        "https://me:word@example.com/",
        "https://files.example.com/a?X-Amz-Signature=abc",
        "http://[::1]/v1",
        "http://[oops/v1",
    ],
)
def test_links_that_are_not_public_are_hidden(link: str) -> None:
    assert scrub(f"See {link} for more") == "See [link] for more"


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
