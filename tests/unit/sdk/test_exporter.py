"""Spans reach the server, or wait in a file, or are counted as lost; never in silence."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sternpost
from sternpost.sdk import client, exporter
from sternpost.sdk.spill import Spill
from tests.support.running import wait_until
from tests.support.small_disk import small_disk
from tests.unit.sdk.conftest import Intake, plain

Start = Callable[[Intake], Intake]


@pytest.fixture(autouse=True)
def _stop_exporting():
    yield
    client.init("", "")


def make_spans(*names: str) -> None:
    for name in names:
        with sternpost.trace(name):
            pass


def test_a_batch_names_its_service_and_numbers_its_spans(intake: Intake) -> None:
    make_spans("a", "b")

    assert sternpost.flush()
    (resource,) = intake.batches[0].resource_spans
    facts = plain(resource.resource.attributes)
    assert (facts["service.name"], facts["deployment.environment.name"]) == ("bot", "test")
    assert [plain(span.attributes)["sternpost.client_seq"] for span in intake.spans] == [1, 2]
    sent = intake.headers[0]
    assert (sent["path"], sent["authorization"]) == ("/v1/traces", "Bearer sp-test")
    assert sent["content-type"] == "application/x-protobuf"


def test_spans_leave_without_a_flush(intake: Intake) -> None:
    make_spans("a")

    wait_until(lambda: intake.spans, timeout_s=10, what="the export")


def test_spans_wait_in_a_file_while_the_server_is_away(
    start_intake: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    intake = start_intake(Intake(status=503))
    client.init(intake.url, "sp-test", spill_folder=tmp_path)
    make_spans("a")
    assert not sternpost.flush()
    make_spans("b")
    assert not sternpost.flush()
    (waiting,) = tmp_path.iterdir()
    assert waiting.stat().st_mode & 0o077 == 0

    intake.status = 200
    make_spans("c")

    assert sternpost.flush()
    assert [span.name for span in intake.spans] == ["a", "b", "c"]
    assert list(tmp_path.iterdir()) == []
    said = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(said) == 2  # away, and back


def test_what_an_ended_process_left_is_sent_by_the_next(start_intake: Start, tmp_path: Path) -> None:
    code = "import sternpost\nwith sternpost.trace('orphan'): pass"
    intake = start_intake(Intake(status=503))
    environment = {
        **os.environ,
        "STERNPOST_BASE_URL": intake.url,
        "STERNPOST_API_KEY": "sp-test",
        "STERNPOST_SPILL_FOLDER": str(tmp_path),
    }
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, timeout=60)
    assert len(list(tmp_path.iterdir())) == 1

    intake.status = 200
    client.init(intake.url, "sp-test", spill_folder=tmp_path)
    make_spans("next")

    assert sternpost.flush()
    assert {span.name for span in intake.spans} == {"orphan", "next"}
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_ends_at_once_sends_its_spans(start_intake: Start, tmp_path: Path) -> None:
    intake = start_intake(Intake())
    code = f"""
import sternpost
sternpost.init({intake.url + "/v1"!r}, "sp-test", spill_folder={str(tmp_path)!r})
with sternpost.trace("last words"): pass
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

    assert [span.name for span in intake.spans] == ["last words"]


def test_a_server_that_never_answers_costs_no_spans(tmp_path: Path, start_intake: Start) -> None:
    """The process ends in time, and what was on its way is sent by the next one."""
    code = f"""
import sternpost
from sternpost.sdk import client
client._EXIT_WAIT_S = 0.5
sternpost.init({{url!r}}, "sp-test", spill_folder={str(tmp_path)!r})
with sternpost.trace("in flight"): pass
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        subprocess.run([sys.executable, "-c", code.format(url=url)], check=True, timeout=30)
    assert len(list(tmp_path.iterdir())) == 1

    intake = start_intake(Intake(port=port))
    client.init(url, "sp-test", spill_folder=tmp_path)
    make_spans("next")

    assert sternpost.flush()
    assert {span.name for span in intake.spans} == {"in flight", "next"}


def test_a_forked_child_exports_its_own_spans(start_intake: Start, tmp_path: Path) -> None:
    intake = start_intake(Intake())
    code = f"""
import os, sternpost
sternpost.init({intake.url!r}, "sp-test", spill_folder={str(tmp_path)!r})
with sternpost.trace("parent"): pass
child = os.fork()
if child == 0:
    with sternpost.trace("child"): pass
    os._exit(0 if sternpost.flush() else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)

    assert sorted(span.name for span in intake.spans) == ["child", "parent"]


def test_a_refused_key_is_said_once(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    intake.status = 401

    for name in ("a", "b"):
        make_spans(name)
        assert not sternpost.flush()

    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "STERNPOST_API_KEY" in record.message
    assert "sp-test" not in caplog.text


def test_spans_the_server_rejects_are_said(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    intake.rejected = 3

    make_spans("a")

    assert sternpost.flush()
    assert "3 spans were rejected: no trace id" in caplog.text


def test_a_full_queue_drops_counts_and_says_so(
    start_intake: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "_MAX_SPANS", 2)
    intake = start_intake(Intake())
    client.init(intake.url, "sp-test", spill_folder=tmp_path)

    make_spans("a", "b", "c", "d")
    sternpost.flush()
    make_spans("e")
    sternpost.flush()

    assert [span.name for span in intake.spans] == ["a", "b", "e"]
    assert [plain(span.attributes)["sternpost.client_seq"] for span in intake.spans] == [1, 2, 5]
    assert "spans are dropped" in caplog.text
    assert "2 were dropped" in caplog.text


@pytest.mark.parametrize("url", ["127.0.0.1:4100", "ftp://host", "http://host:port", "http://"])
def test_an_unusable_address_is_said_and_traces_nothing(url: str, caplog: pytest.LogCaptureFixture) -> None:
    client.init(url, "sp-test")

    make_spans("a")

    assert not client.is_exporting()
    assert "STERNPOST_BASE_URL must look like" in caplog.text


def test_a_torn_batch_at_the_end_of_a_file_is_left_out(tmp_path: Path) -> None:
    spill = Spill(tmp_path, "mark", "one")
    assert spill.keep(b"first")
    assert spill.keep(b"second")
    os.truncate(spill.path, spill.path.stat().st_size - 2)

    assert list(spill.batches()) == [b"first"]
    spill.clear()


def test_a_full_file_takes_no_more(tmp_path: Path) -> None:
    spill = Spill(tmp_path, "mark", "one", max_bytes=10)

    assert (spill.keep(b"12345678"), spill.keep(b"12345678")) == (True, False)
    spill.clear()


def test_importing_the_package_loads_nothing_that_is_slow_to_load() -> None:
    """How long it takes is measured in `bench`; here stands what keeps it short."""
    code = (
        "import sys; before = set(sys.modules); import sternpost; sternpost.trace; sternpost.feedback;"
        "print(*(set(sys.modules) - before))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    loaded = printed.split()
    strangers = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"sternpost"}

    assert strangers == set()
    assert "asyncio" not in loaded
    assert len([name for name in loaded if name.startswith("sternpost")]) < 20


def test_a_disk_that_fills_up_keeps_whole_batches_only() -> None:
    with small_disk(1) as folder:
        spill = Spill(folder, "mark", "one")
        kept = [batch for batch in (bytes([n]) * 300_001 for n in range(5)) if spill.keep(batch)]

        assert 0 < len(kept) < 5
        assert list(spill.batches()) == kept
        assert spill.keep(b"small")
        assert list(spill.batches()) == [*kept, b"small"]
        spill.release()
