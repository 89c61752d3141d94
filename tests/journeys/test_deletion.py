"""Deletion of traces on a real Sternpost: what is left in the data folder when it says that it is done."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sternpost.contracts.key_scope import KeyScope
from tests.conftest import CONFIG
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost, wait_until

SECRET = "zwiebackkringel"
USER = "ada.lovelace@example.org"


def ask(running: RunningSternpost, words: str, user: str) -> str:
    """Make one call and return its trace."""
    body = {"model": "lab/m1", "messages": [{"role": "user", "content": words}], "user": user}
    status, headers, answer = running.request("POST", "/v1/chat/completions", body)
    assert status == 200, answer
    return headers["x-sternpost-trace-id"]


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def wait_done(running: RunningSternpost, deletion_id: str, key: str) -> Any:
    def probe() -> Any:
        status, _, body = running.request("GET", f"/api/deletions/{deletion_id}", headers=bearer(key))
        return body if status == 200 and body["state"] == "done" else None

    return wait_until(probe, timeout_s=90, what="the deletion")


def files_with(home: Path, words: str) -> list[str]:
    needle = words.encode()
    found = (path for path in home.rglob("*") if path.is_file() and needle in path.read_bytes())
    return [str(path.relative_to(home)) for path in found]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deletion") / "home"


def test_nothing_of_a_deleted_user_is_left_in_the_data_folder(home: Path, provider: FakeProvider) -> None:
    with run_sternpost(home, config=CONFIG.format(url=provider.url)) as running:
        key = running.key_with(KeyScope.TRACES_DELETE)
        gone = [ask(running, f"the word is {SECRET} {number}", USER) for number in range(3)]
        stays = ask(running, "what is a forklift?", "bob@example.org")
        for trace_id in (*gone, stays):
            running.trace(trace_id)
        where = {path.split("/")[0] for path in files_with(home, SECRET)}
        assert where == {"engine", "journal"}  # its rows and index, and a segment that is still written to
        path = f"/api/users/{USER}"
        status, _, preview = running.request("DELETE", f"{path}?dry_run=true", headers=bearer(key))
        assert (status, preview["traces"]) == (200, 3)
        assert running.request("DELETE", path)[0] == 403  # the first key may not delete
        status, _, begun = running.request("DELETE", path, headers=bearer(key))
        assert status == 202
        assert USER not in json.dumps(begun)
        running.kill("worker")  # it goes on where it was
        done = wait_done(running, begun["deletion_id"], key)
        assert (done["counts"]["traces"], done["counts"]["messages"] >= 3) == (3, True)
        assert running.request("GET", f"/api/traces/{gone[0]}")[0] == 404
        assert running.get(f"/api/traces/{stays}")["trace"]["trace_id"] == stays
        assert running.request("DELETE", path, headers=bearer(key))[0] == 404
        assert running.stop() == 0
    assert files_with(home, "forklift")  # the search finds what is there
    assert files_with(home, SECRET) == []
    assert files_with(home, USER) == []


def test_same_words_are_stored_again_after_the_deletion(home: Path, provider: FakeProvider) -> None:
    with run_sternpost(home, config=CONFIG.format(url=provider.url)) as running:
        running.key = running.key_with()
        trace_id = ask(running, "remember the milk", "carl")
        running.trace(trace_id)
        _, _, begun = running.request("DELETE", f"/api/traces/{trace_id}")
        wait_done(running, begun["deletion_id"], running.key)
        again = running.trace(ask(running, "remember the milk", "carl"))
        assert "remember the milk" in json.dumps([span["input"] for span in again["spans"]])
        kinds = [one["kind"] for one in running.get("/api/events?kind=traces.")["items"]]
        assert kinds[:2] == ["traces.deleted", "traces.deletion_requested"]


def test_command_line_deletes_a_session_after_saying_what_goes(home: Path, provider: FakeProvider) -> None:
    with run_sternpost(home, config=CONFIG.format(url=provider.url)) as running:
        running.key = running.key_with()
        headers = {"x-sternpost-session": "a session/7"}
        body = {"model": "lab/m1", "messages": [{"role": "user", "content": "hello"}]}
        _, found, _ = running.request("POST", "/v1/chat/completions", body, headers)
        running.trace(found["x-sternpost-trace-id"])

        def delete(*flags: str) -> subprocess.CompletedProcess[str]:
            command = ["trace", "delete", "--session", "a session/7", "--home", str(home), "--json", *flags]
            return subprocess.run(
                [sys.executable, "-m", "sternpost.cli.main", *command],
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )

        assert json.loads(delete("--dry-run").stdout)["traces"] == 1
        refused = delete()
        assert (refused.returncode, "--yes" in refused.stdout) == (2, True)
        done = delete("--yes")
        assert json.loads(done.stdout)["counts"]["traces"] == 1, done.stderr
        assert delete("--yes").returncode != 0  # there is nothing left
