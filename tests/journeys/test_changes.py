"""Changes are told at the API, on the command line and in a stream, by a running Sternpost."""

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

from sternpost.contracts.key_scope import KeyScope
from tests.support.running import RunningSternpost


def command(server: RunningSternpost, *words: str) -> str:
    line = [sys.executable, "-m", "sternpost.cli.main", *words, "--home", str(server.home)]
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def reader(sternpost_server: RunningSternpost) -> Iterator[httpx2.Client]:
    headers = {"authorization": f"Bearer {sternpost_server.key_with(KeyScope.KEYS_READ)}"}
    with httpx2.Client(base_url=sternpost_server.base_url, headers=headers, timeout=30) as made:
        yield made


def test_a_key_made_on_the_command_line_is_a_change_everywhere(
    sternpost_server: RunningSternpost, reader: httpx2.Client
) -> None:
    created = json.loads(command(sternpost_server, "key", "create", "--name", "for changes", "--json"))
    listed = json.loads(command(sternpost_server, "event", "list", "--kind", "key.", "--limit=1", "--json"))

    page = reader.get("/api/events", params={"subject": created["key_id"]}).json()

    (event,) = page["items"]
    assert (event["kind"], event["actor"]["name"]) == ("key.created", "command line")
    assert event["body"]["after"]["name"] == "for changes"
    assert listed["items"] == [event]
    assert created["key"] not in json.dumps(page)


def test_a_stream_brings_a_change_within_seconds_and_goes_on_where_it_was(
    sternpost_server: RunningSternpost, reader: httpx2.Client
) -> None:
    stream = {"accept": "text/event-stream"}
    with reader.stream("GET", "/api/events", headers=stream) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = reply.iter_lines()
        assert next(lines) == "retry: 2000"
        command(sternpost_server, "key", "create", "--name", "first")
        seen = _next_event(lines)
    command(sternpost_server, "key", "create", "--name", "while nobody looked")
    with reader.stream("GET", "/api/events", headers={**stream, "last-event-id": str(seen["seq"])}) as reply:
        missed = _next_event(reply.iter_lines())

    assert seen["body"]["after"]["name"] == "first"
    assert missed["body"]["after"]["name"] == "while nobody looked"


def test_a_key_without_the_scope_sees_no_changes(sternpost_server: RunningSternpost) -> None:
    key = sternpost_server.key_with(KeyScope.CALLS)
    reply = httpx2.get(f"{sternpost_server.base_url}/api/events", headers={"authorization": f"Bearer {key}"})
    assert (reply.status_code, reply.json()["code"]) == (403, "permission_denied")


def _next_event(lines: Iterator[str]) -> dict[str, object]:
    return json.loads(next(line for line in lines if line.startswith("data: ")).removeprefix("data: "))
