"""Every path of the API says which scope a key needs; what says nothing is closed to keys."""

import json
from pathlib import Path

import pytest

from sternpost.assembly.parts import needed_scopes
from sternpost.contracts.key_scope import KeyScope

SCHEMA = json.loads((Path(__file__).parents[4] / "web" / "openapi.json").read_text())
OPERATIONS = [(method.upper(), path) for path, item in SCHEMA["paths"].items() for method in item]
OPEN = {
    ("GET", "/api/session"),
    ("POST", "/api/session"),
    ("DELETE", "/api/session"),
    ("GET", "/api/status"),
    ("GET", "/api/environments"),  # names alone
}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_each_operation_says_which_scope_it_needs(method: str, path: str) -> None:
    if (method, path) in OPEN:
        assert needed_scopes(method, path) == (None if method == "POST" else frozenset())  # POST signs in
    else:
        assert needed_scopes(method, path)


def test_changes_need_more_than_reading() -> None:
    reading = {KeyScope.TRACES_READ, KeyScope.KEYS_READ, KeyScope.CALLS}
    for method, path in OPERATIONS:
        if method != "GET" and (method, path) not in OPEN:
            assert not reading & (needed_scopes(method, path) or set()), path


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/overview"), ("PUT", "/api/keys"), ("GET", "/api/new"), ("GET", "/api")],
)
def test_what_says_nothing_is_closed_to_keys(method: str, path: str) -> None:
    assert needed_scopes(method, path) is None


def test_a_batch_is_begun_by_keys_that_call() -> None:
    assert needed_scopes("POST", "/v1/batches") == {KeyScope.FILES, KeyScope.CALLS}
    for method, path in [("GET", "/v1/batches"), ("POST", "/v1/files"), ("DELETE", "/v1/files/file_1")]:
        assert needed_scopes(method, path) == {KeyScope.FILES}
