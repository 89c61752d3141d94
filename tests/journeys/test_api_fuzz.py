"""Whatever is sent to the management API is answered as its schema says; errors are problem details."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.docs.pages import ROOT
from tests.support.running import RunningSternpost

PATH = ROOT / "web" / "openapi.json"
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_path(PATH)


def test_the_schema_is_the_one_that_is_served(sternpost_server: RunningSternpost) -> None:
    assert sternpost_server.get("/api/openapi.json") == json.loads(PATH.read_text(encoding="utf-8"))


@schema.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_request_is_answered_as_the_schema_says(
    case: schemathesis.Case, sternpost_server: RunningSternpost
) -> None:
    headers = {"authorization": f"Bearer {sternpost_server.key}"}
    answer = case.call(base_url=sternpost_server.base_url, headers=headers, timeout=10)
    case.validate_response(answer, checks=CHECKS)
    if answer.status_code >= 400:
        problem = answer.json()
        assert answer.headers["content-type"] == ["application/problem+json"]
        assert problem["status"] == answer.status_code
        assert problem["type"] == f"urn:sternpost:error:{problem['code']}"
        assert problem["title"]
        assert problem["detail"]


@pytest.mark.parametrize(
    ("method", "refusal"),
    [
        *((method, (403, "permission_denied")) for method in ("PUT", "PATCH", "DELETE")),  # not for keys
        ("OPTIONS", (405, "method_not_allowed")),
    ],
)
def test_other_methods_are_refused_as_problems(
    sternpost_server: RunningSternpost, method: str, refusal: tuple[int, str]
) -> None:
    status, headers, body = sternpost_server.request(method, "/api/traces")
    assert headers["content-type"] == "application/problem+json"
    assert (status, body["code"]) == refusal
