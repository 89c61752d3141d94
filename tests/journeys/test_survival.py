"""Nothing acknowledged is lost: processes are killed under load, and every answer is found again."""

import http.client
import json
import os
import random
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CONFIG
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost, wait_until

KILLS = 20
CHAT = "/v1/chat/completions"
ASK = [{"role": "user", "content": "Say something."}]


SPANS = {
    "scopeSpans": [
        {
            "spans": [
                {
                    "traceId": "5b8efff798038103d269b633813fc60c",
                    "spanId": "eee19b7ec3c1b174",
                    "name": "step",
                    "startTimeUnixNano": "1763700000000000000",
                    "endTimeUnixNano": "1763700001000000000",
                }
            ]
        }
    ]
}


class Callers:
    """A few threads that call until told to stop, and remember every answer they received whole."""

    def __init__(self, running: RunningSternpost, threads: int = 4) -> None:
        self.answered: set[str] = set()
        self.failed = 0
        self._running = running
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call_on, args=(number,)) for number in range(threads)]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _call_on(self, number: int) -> None:
        while not self._stop.wait(0.03):
            is_stream = number % 2 == 1
            body = json.dumps({"model": "lab/m1", "messages": ASK, "stream": is_stream}).encode()
            request = urllib.request.Request(
                f"{self._running.base_url}/v1/chat/completions",
                data=body,
                headers={"authorization": f"Bearer {self._running.key}", "content-type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as reply:
                    answer = reply.read()
                    trace_id = reply.headers["x-sternpost-trace-id"]
            except (OSError, http.client.HTTPException):  # the process was killed under this call
                self.failed += 1
                self._stop.wait(0.1)
                continue
            if not is_stream or b"data: [DONE]" in answer:
                self.answered.add(trace_id)


def stored(running: RunningSternpost) -> list[str] | None:
    """Return the trace id of every stored trace, as often as it is listed; None while the store is away."""
    found: list[str] = []
    cursor = ""
    while True:
        status, _, page = running.request("GET", f"/api/traces?limit=200&cursor={cursor}")
        if status != 200:
            return None
        found += [item["trace_id"] for item in page["items"]]
        assert all(item["span_count"] == 2 for item in page["items"] if item["status"] == "ok")
        cursor = page["next_cursor"]
        if not cursor:
            return found


@pytest.fixture
def running(tmp_path: Path, provider: FakeProvider) -> Iterator[RunningSternpost]:
    with run_sternpost(tmp_path / "home", config=CONFIG.format(url=provider.url)) as started:
        yield started


@pytest.mark.parametrize("victim", ["serve", "worker", "engine"])
def test_every_answer_survives_twenty_kills(running: RunningSternpost, victim: str) -> None:
    moments = random.Random(victim)
    with Callers(running) as callers:
        for _ in range(KILLS):
            before = len(callers.answered)
            wait_until(
                lambda before=before: len(callers.answered) > before + 5, what="calls that are answered"
            )
            time.sleep(moments.random() * 1.5)  # the moment of the kill, not a synchronisation
            old = running.pid_of(victim)
            running.kill(victim)
            wait_until(lambda old=old: running.pid_of(victim) != old, what=f"a new {victim}")
            running.wait_ready()
    assert len(callers.answered) > KILLS * 5

    def complete() -> list[str] | None:
        found = stored(running)
        return found if found and callers.answered <= set(found) else None

    found = wait_until(complete, timeout_s=60, what="every answered call in the trace store")
    assert len(found) == len(set(found))


def test_calls_go_on_while_the_engine_is_gone_and_their_traces_arrive_later(
    running: RunningSternpost,
) -> None:
    status, headers, _ = running.request("POST", CHAT, {"model": "lab/m1", "messages": ASK})
    assert status == 200
    running.trace(headers["x-sternpost-trace-id"], spans=2)

    running.kill("engine")
    answers = [running.request("POST", CHAT, {"model": "lab/m1", "messages": ASK}) for _ in range(20)]

    assert [status for status, _, _ in answers] == [200] * 20
    for _, headers, _ in answers:
        running.trace(headers["x-sternpost-trace-id"], spans=2, timeout_s=40)


def test_calls_go_on_while_the_engine_hangs(running: RunningSternpost) -> None:
    engine = running.pid_of("engine")
    os.kill(engine, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answers = [running.request("POST", CHAT, {"model": "lab/m1", "messages": ASK}) for _ in range(20)]
        assert time.monotonic() - began < 20  # one wait for the engine would take as long
        assert [status for status, _, _ in answers] == [200] * 20
    finally:
        os.kill(engine, signal.SIGCONT)
    for _, headers, _ in answers:
        running.trace(headers["x-sternpost-trace-id"], spans=2, timeout_s=60)


@pytest.mark.parametrize("victim", ["intake", "serve"])
def test_acknowledged_spans_survive_the_end_of_the_process_that_reads_them(
    running: RunningSternpost, victim: str
) -> None:
    acknowledged: set[str] = set()
    numbers = iter(range(1_000_000))
    ended: set[int] = set()

    def send() -> int:
        """Send one request; return the process that was not killed yet, 0 when there is none."""
        number = next(numbers)
        if running.request("POST", "/v1/traces", {"resourceSpans": [_many_spans(number)]})[0] == 200:
            acknowledged.add(f"{number + 1:032x}")
        return next((pid for pid in _intake_pids(running) if pid not in ended), 0)

    for _ in range(3):
        intake = wait_until(send, what="an intake process")
        send()
        ended.add(intake)
        if victim == "intake":
            os.kill(intake, signal.SIGKILL)
        else:
            running.kill("serve")
        wait_until(lambda intake=intake: _is_gone(intake), what="the end of the intake process")
        running.wait_ready()
    assert len(acknowledged) >= 3
    for trace_id in acknowledged:
        running.trace(trace_id, spans=100)
    last = wait_until(send, what="an intake process")
    assert running.stop() == 0
    wait_until(lambda: _is_gone(last), what="the end of the intake process")


def _many_spans(number: int) -> object:
    """A request large enough for the intake process."""
    spans = [
        {
            **SPANS["scopeSpans"][0]["spans"][0],
            "traceId": f"{number + 1:032x}",
            "spanId": f"{number * 1000 + one + 1:016x}",
            "startTimeUnixNano": str(time.time_ns()),  # what is older than the retention is deleted
            "endTimeUnixNano": str(time.time_ns()),
        }
        for one in range(100)
    ]
    return {"scopeSpans": [{"spans": spans}]}


def _intake_pids(running: RunningSternpost) -> list[int]:
    """Return the processes that the log names, the newest first."""
    mark = "a separate process, "
    return [int(line.rsplit(mark, 1)[1]) for line in reversed(running.output) if mark in line]


def _is_gone(pid: int) -> bool:
    """An orphan may stay a zombie, where nobody collects it."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(") ")[2].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_full_disk_refuses_telemetry_aloud_and_never_a_call(tmp_path: Path, provider: FakeProvider) -> None:
    full = {
        "STERNPOST_JOURNAL_MIN_FREE_BYTES": str(10**17)
    }  # no disk has as much, so this one counts as full
    config = CONFIG.format(url=provider.url)
    with run_sternpost(tmp_path / "home", config=config, environment=full) as running:
        status, _, answer = running.request("POST", CHAT, {"model": "lab/m1", "messages": ASK})
        assert (status, bool(answer["choices"])) == (200, True)

        status, headers, refusal = running.request("POST", "/v1/traces", {"resourceSpans": [SPANS]})
        assert (status, "free some space" in refusal["message"]) == (503, True)
        assert int(headers["retry-after"]) > 0

        _, _, metrics = running.request("GET", "/metrics")
        assert b"sternpost_journal_is_writable 0.0" in metrics
        assert b"sternpost_record_lost_total 1.0" in metrics
        assert running.get("/readyz")["parts"]["journal"]["is_up"] is False
    assert any("journal refuses records" in line for line in running.output)


def test_a_stop_finishes_open_streams_first(running: RunningSternpost) -> None:
    request = urllib.request.Request(
        f"{running.base_url}/v1/chat/completions",
        data=json.dumps({"model": "lab/slow-words", "messages": ASK, "stream": True}).encode(),
        headers={"authorization": f"Bearer {running.key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        first = reply.readline()
        stopper = threading.Thread(target=running.stop)
        stopper.start()
        rest = reply.read()
    stopper.join(60)
    assert first.startswith(b"data:")
    assert b"data: [DONE]" in rest
    assert running.process.returncode == 0


def test_a_second_sternpost_on_the_same_folder_is_refused_with_its_address(
    running: RunningSternpost,
) -> None:
    with pytest.raises(AssertionError) as refused, run_sternpost(running.home):
        pass
    assert f"already runs on '{running.home}'" in str(refused.value)
    assert running.base_url in str(refused.value)
