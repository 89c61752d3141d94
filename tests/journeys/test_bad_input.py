"""Whatever is sent, the answer is a clear error in the caller's dialect."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.running import RunningSternpost, wait_until

ASK = [{"role": "user", "content": "Hello"}]
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b'{"model": "lab/m1", "messages": [', 400, "JSON"),
        (b"", 400, "JSON"),
        (b"[]", 400, "object"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', 400, "model"),
        (b'{"model": "lab/m1", "max_tokens": 5}', 400, "messages"),
        (b'{"model": "lab/m1", "max_tokens": 5, "messages": "x"}', 400, "messages"),
        (
            b'{"model": "nobody/m1", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}',
            404,
            "nobody",
        ),
        (
            b'{"model": "unset/m1", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}',
            424,
            "unset",
        ),
    ],
)
def test_a_bad_body_gets_a_clear_error(
    sternpost_server: RunningSternpost, path: str, body: bytes, status: int, says: str
) -> None:
    got, headers, answer = sternpost_server.request("POST", path, body)
    assert got == status, answer
    assert says in answer["error"]["message"]
    assert headers["content-type"].startswith("application/json")
    if path == MESSAGES:
        assert answer["type"] == "error"
    else:
        assert answer["error"]["code"]


def test_a_body_of_thirty_megabytes_is_served_and_of_sixty_refused(
    sternpost_server: RunningSternpost,
) -> None:
    for size, status in ((30_000_000, 200), (60_000_000, 413)):
        body = json.dumps({"model": "lab/m1", "messages": [{"role": "user", "content": "x" * size}]}).encode()
        got, _, answer = sternpost_server.request("POST", CHAT, body)
        assert got == status
        assert status == 200 or "50" in answer["error"]["message"]


def test_a_key_for_a_model_that_nothing_serves_is_made_with_a_warning(
    sternpost_server: RunningSternpost,
) -> None:
    known = ("--model", "offline/extract-large", "--model", "lab/not-listed")
    made = _cli(sternpost_server, "key", "create", "--name", "mistyped", "--model", "offline-extract", *known)
    assert (made.returncode, made.stdout[:3]) == (0, "sp-")
    warnings = [line for line in made.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1, made.stderr
    assert "nothing serves 'offline-extract' so far; did you mean offline/extract-" in warnings[0]


def test_a_wrong_and_a_revoked_key_are_told_apart(sternpost_server: RunningSternpost) -> None:
    made = _cli(sternpost_server, "key", "create", "--name", "short-lived", "--json")
    key = json.loads(made.stdout)
    body = {"model": "offline/extract-large", "messages": ASK}

    status, _, _ = sternpost_server.request("POST", CHAT, body, {"authorization": f"Bearer {key['key']}"})
    assert status == 200

    assert _cli(sternpost_server, "key", "revoke", key["key_id"]).returncode == 0

    def answer() -> tuple[int, str]:
        got, _, problem = sternpost_server.request(
            "POST", CHAT, body, {"authorization": f"Bearer {key['key']}"}
        )
        return got, "" if got == 200 else problem["error"]["message"]

    assert wait_until(lambda: answer() if answer()[0] == 401 else None, what="the key's refusal")
    assert "revoked" in answer()[1]
    status, _, problem = sternpost_server.request("POST", CHAT, body, {"authorization": "Bearer sp-nonsense"})
    assert (status, problem["error"]["code"]) == (401, "invalid_api_key")
    assert "revoked" not in problem["error"]["message"]


def test_a_reached_limit_answers_429_with_the_time_to_wait(sternpost_server: RunningSternpost) -> None:
    body = {"model": "lab/limited", "messages": ASK}
    answers = [sternpost_server.request("POST", CHAT, body) for _ in range(3)]

    assert [status for status, _, _ in answers] == [200, 200, 429]
    _, headers, problem = answers[2]
    assert problem["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(headers["retry-after"]) <= 31  # two a minute: the next in half a minute


SCORES = f"/api/traces/{'4b' * 16}/scores"
BATCH = '"endpoint": "/v1/chat/completions", "completion_window": "24h"'


@pytest.mark.parametrize("letter", ["\\ud800", "a\\udfff", "\\ud83d\\ud83d", "\\u0000", "a\\u0000b"])
@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        (SCORES, '{"name": "%s", "kind": "numeric", "value": 1}', "body.name"),
        (SCORES, '{"name": "n", "kind": "text", "label": "%s"}', "body.label"),
        (SCORES, '{"name": "n", "kind": "text", "label": "l", "explanation": "%s"}', "body.explanation"),
        ("/api/keys", '{"name": "n", "models": ["a/b", "%s"]}', "body.models.1"),
        ("/api/session", '{"token": "%s"}', "body.token"),
        ("/v1/batches", '{"input_file_id": "%s", ' + BATCH + "}", "body.input_file_id"),
        ("/v1/batches", '{"input_file_id": "f", "metadata": {"a": "%s"}, ' + BATCH + "}", "body.metadata.a"),
    ],
)
def test_text_that_nothing_can_keep_is_refused_with_its_place(
    sternpost_server: RunningSternpost, path: str, body: str, place: str, letter: str
) -> None:
    may_all = {"authorization": f"Bearer {sternpost_server.key_with()}"}
    status, _, problem = sternpost_server.request("POST", path, (body % letter).encode(), may_all)
    param = problem["error"]["param"] if path.startswith("/v1") else problem["param"]
    assert (status, param) == (400, place)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1e400"])
def test_a_score_that_is_no_number_is_refused(sternpost_server: RunningSternpost, value: str) -> None:
    body = f'{{"name": "n", "kind": "numeric", "value": {value}}}'.encode()
    status, _, problem = sternpost_server.request("POST", SCORES, body)
    assert status == problem["status"]
    assert status in {400, 422}


@pytest.mark.parametrize("path", ["/api/traces?cursor=a%00b", "/v1/files?after=%00", "/v1/batches/a%00"])
def test_a_null_character_in_an_address_is_refused(sternpost_server: RunningSternpost, path: str) -> None:
    assert sternpost_server.request("GET", path)[0] == 400


@pytest.mark.parametrize("far", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2300-01-01"])
def test_a_date_far_away_is_no_fault_of_ours(sternpost_server: RunningSternpost, far: str) -> None:
    for path in ("/api/overview", "/api/traces"):
        for side in ("since", "until"):
            status, _, answer = sternpost_server.request("GET", f"{path}?{side}={quote(far)}")
            assert status in {200, 400}, answer


def test_an_unknown_path_and_a_wrong_method_are_named(sternpost_server: RunningSternpost) -> None:
    status, _, _ = sternpost_server.request("GET", "/v1/nothing-here")
    assert status == 404
    status, headers, _ = sternpost_server.request("GET", CHAT)
    assert status == 405
    assert headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "providers:\n  lab: {dialct: openai_chat}\n",
            "sternpost.yaml:2: unknown field 'providers.lab.dialct'",
        ),
        ("routes: [\n", "not valid YAML"),
        ("limits:\n  - {scope: planet}\n", "sternpost.yaml:2: limits.0.scope"),
    ],
)
def test_a_broken_configuration_stops_the_start_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "sternpost.yaml").write_text(text)
    command = [sys.executable, "-m", "sternpost.cli.main", "up", "--home", str(tmp_path), "--port", "0"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path)
    assert answer.returncode == 2
    assert says in answer.stderr


def _cli(running: RunningSternpost, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sternpost.cli.main", *arguments, "--home", str(running.home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
