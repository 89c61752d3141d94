"""The configuration is replaced while calls go on: no call is dropped, and a bad file changes nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost, wait_until

CHAT = "/v1/chat/completions"
CONFIG = """
providers:
  lab: {{dialect: openai_chat, base_url: "{url}/v1", api_key: "lab-key-which-is-secret"}}
  named: {{dialect: openai_chat, base_url: "{url}/v1", api_key: "${{NAMED_KEY}}"}}
routes:
  steady:
    targets: [{{model: lab/m1}}]
  {route}:
    targets: [{{model: lab/m1}}]
prices:
  - {{model: lab/m1, input_usd: "{price}", output_usd: "{price}"}}
limits:
  - {{scope: route, name: steady, requests_per_minute: 100000}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider) -> Iterator[RunningSternpost]:
    home = tmp_path_factory.mktemp("live") / "home"
    with run_sternpost(home, config=written(provider, "first")) as running:
        running.key = running.key_with()
        yield running


@pytest.fixture(autouse=True)
def good_again(server: RunningSternpost, provider: FakeProvider) -> Iterator[None]:
    yield
    server.home.joinpath("sternpost.yaml").write_text(written(provider, "first"))
    assert reload(server)["is_applied"]


def written(provider: FakeProvider, route: str, price: str = "1.00") -> str:
    return CONFIG.format(url=provider.url, route=route, price=price)


def put(server: RunningSternpost, text: str) -> None:
    """Replace the file as an editor does: whole."""
    fresh = server.home / "sternpost.yaml.fresh"
    fresh.write_text(text)
    fresh.replace(server.home / "sternpost.yaml")


def reload(server: RunningSternpost) -> Any:
    status, _, body = server.request("POST", "/api/config/reload")
    assert status == 200, body
    return body


def config(server: RunningSternpost) -> Any:
    return server.get("/api/config")


def routes(server: RunningSternpost) -> set[str]:
    return {one["id"] for one in server.get("/v1/models")["data"]}


def ask(server: RunningSternpost, *, stream: bool) -> tuple[int, object]:
    body = {"model": "steady", "stream": stream, "messages": [{"role": "user", "content": "hello"}]}
    status, _, reply = server.request("POST", CHAT, body)
    return status, reply


def events(server: RunningSternpost, kind: str) -> list[Any]:
    return server.get(f"/api/events?kind={kind}&limit=200")["items"]


def command(server: RunningSternpost, *words: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "sternpost.cli.main", "config", *words, "--home", str(server.home)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=60, cwd=server.home)


def test_no_call_is_dropped_or_wrong_while_the_configuration_is_replaced(
    server: RunningSternpost, provider: FakeProvider
) -> None:
    is_over = threading.Event()

    def replace_often() -> int:
        for number in range(20):
            put(server, written(provider, f"route-{number}", price=f"{number + 1}.00"))
            assert reload(server)["is_applied"]
        is_over.set()
        return 20

    def call_until_over(number: int) -> list[tuple[int, object]]:
        answers = [ask(server, stream=bool(number % 2))]
        while not is_over.is_set():
            answers.append(ask(server, stream=bool(number % 2)))
        return answers

    with ThreadPoolExecutor(201) as pool:
        callers = [pool.submit(call_until_over, number) for number in range(200)]
        assert pool.submit(replace_often).result(180) == 20
        answers = [answer for caller in callers for answer in caller.result(60)]

    assert len(answers) >= 200
    assert [answer for answer in answers if answer[0] != 200] == []
    cut = [reply for _, reply in answers if isinstance(reply, bytes) and b"data: [DONE]" not in reply]
    assert cut == []
    assert "route-19" in routes(server)
    assert "route-18" not in routes(server)


def test_a_bad_file_changes_nothing_and_is_told_everywhere_until_a_good_one_comes(
    server: RunningSternpost, provider: FakeProvider
) -> None:
    before = config(server)["hash"]
    put(server, written(provider, "other") + "routs: {}\nbatches: 7\n")
    done = reload(server)

    assert done["is_applied"] is False
    assert config(server)["hash"] == before
    assert "first" in routes(server)
    faults = done["configuration"]["problem"]["faults"]
    assert any("routs" in fault["sentence"] and "sternpost.yaml:" in fault["sentence"] for fault in faults)
    assert "configuration" in server.get("/healthz")["degraded"]
    assert server.get("/readyz")["parts"]["configuration"]["is_up"] is False
    refused = events(server, "configuration.refused")[0]["body"]
    assert (refused["in_force"], bool(refused["faults"])) == (before, True)

    put(server, written(provider, "second"))
    assert reload(server)["added"] == ["routes.second"]
    assert config(server)["problem"] is None
    wait_until(lambda: server.get("/healthz") == {"status": "alive"}, what="the end of the problem")


def test_a_file_that_is_gone_leaves_its_routes_in_force(server: RunningSternpost) -> None:
    (server.home / "sternpost.yaml").unlink()
    done = reload(server)
    assert "is gone" in done["configuration"]["problem"]["faults"][0]["sentence"]
    assert ask(server, stream=False)[0] == 200


def test_an_unset_variable_is_a_warning_and_its_provider_not_configured(
    server: RunningSternpost, provider: FakeProvider
) -> None:
    put(server, written(provider, "unset-variable"))
    warnings = reload(server)["warnings"]
    assert any("NAMED_KEY" in warning for warning in warnings)
    (server.home / ".env").write_text("NAMED_KEY=a-key-from-the-file-beside\n")
    (server.home / ".env").chmod(0o600)
    done = reload(server)
    (server.home / ".env").unlink()
    assert (done["added"], done["changed"]) == ([], ["providers.named"])


def test_a_hangup_of_up_reaches_each_process_and_says_who(
    server: RunningSternpost, provider: FakeProvider
) -> None:
    put(server, written(provider, "by-signal"))
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "by-signal" in routes(server), what="the new route")
    in_force = config(server)["hash"]
    wait_until(lambda: config(server)["processes"].get("worker") == in_force, what="the worker's reload")
    applied = events(server, "configuration.applied")[0]
    assert applied["actor"]["name"] == "SIGHUP"
    assert applied["body"]["after"]["hash"] == in_force
    assert server.process.poll() is None


def test_apply_writes_the_file_whole_shows_no_secret_and_says_what_changed(
    server: RunningSternpost, provider: FakeProvider, tmp_path: Path
) -> None:
    fresh = tmp_path / "fresh.yaml"
    fresh.write_text(written(provider, "applied").replace("which-is-secret", "which-is-new"))
    (server.home / "sternpost.yaml").chmod(0o640)
    differs = command(server, "diff", str(fresh))
    done = command(server, "apply", str(fresh), "--yes")

    assert (differs.returncode, done.returncode) == (1, 0), done.stderr
    assert "added    routes.applied" in done.stdout
    assert "changed  providers.lab" in done.stdout
    assert "+  applied:" in differs.stdout
    shown = differs.stdout + done.stdout + json.dumps(config(server)) + command(server, "export").stdout
    assert "lab-key" not in shown
    assert (server.home / "sternpost.yaml").read_text() == fresh.read_text()
    assert (server.home / "sternpost.yaml").stat().st_mode & 0o777 == 0o640
    assert command(server, "diff").returncode == 0

    fresh.write_text("routes: {x: {targets: [{model: nobody/x}]}}")
    refused = command(server, "apply", str(fresh), "--yes")
    assert refused.returncode == 1
    assert "nobody" in refused.stderr
    assert "applied" in routes(server)


def test_a_kill_between_the_file_and_its_event_is_made_up_for_at_the_next_start(
    server: RunningSternpost, provider: FakeProvider
) -> None:
    put(server, written(provider, "after-kill"))
    os.kill(server.pid_of("serve"), signal.SIGKILL)
    wait_until(lambda: _has_route(server, "after-kill"), what="the next start")
    applied = events(server, "configuration.applied")[0]
    assert applied["actor"]["name"] == "start"
    assert applied["body"]["after"]["hash"] == config(server)["hash"]


def _has_route(server: RunningSternpost, name: str) -> bool:
    try:
        return name in routes(server)
    except OSError:
        return False
