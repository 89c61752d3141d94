"""Media sent through the SDKs and by OTLP are blobs on the trace: the same bytes, small pictures."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from PIL import Image

from sternpost.assembly.local import open_access
from sternpost.base.settings import Settings
from sternpost.contracts.key_scope import ALL_SCOPES
from tests.conftest import CONFIG
from tests.support.fake_provider import FakeProvider
from tests.support.running import RunningSternpost, run_sternpost, wait_until
from tests.unit.capabilities.traces.media_samples import PDF, b64, data_url, picture, sound

PICTURE, SOUND = picture(640, 480), sound()
PNG = "image/png"
OPENAI_PARTS: list[Any] = [
    {"type": "text", "text": "What are these?"},
    {"type": "image_url", "image_url": {"url": data_url(PICTURE, PNG)}},
    {"type": "input_audio", "input_audio": {"data": b64(SOUND), "format": "wav"}},
    {"type": "file", "file": {"filename": "a.pdf", "file_data": data_url(PDF, "application/pdf")}},
]
ANTHROPIC_PARTS: list[Any] = [
    {"type": "image", "source": {"type": "base64", "media_type": PNG, "data": b64(PICTURE)}},
    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": b64(PDF)}},
    {"type": "text", "text": "What are these?"},
]


def input_parts(trace: Any) -> list[dict[str, Any]]:
    span = next(one for one in trace["spans"] if one["input"])
    return [part for message in span["input"] for part in message["parts"]]


def bytes_of(running: RunningSternpost, part: dict[str, Any]) -> object:
    status, headers, body = running.request("GET", f"/api/blobs/{part['hash']}")
    assert status == 200
    assert headers["x-content-type-options"] == "nosniff"
    return body


def ask_with_picture(running: RunningSternpost, text: str = "Look") -> str:
    content = [{"type": "text", "text": text}, OPENAI_PARTS[1]]
    body = {"model": "lab/m1", "messages": [{"role": "user", "content": content}]}
    status, headers, _ = running.request("POST", "/v1/chat/completions", body)
    assert status == 200
    return headers["x-sternpost-trace-id"]


def test_media_of_the_openai_sdk_are_blobs_with_a_thumbnail(sternpost_server: RunningSternpost) -> None:
    with openai.OpenAI(base_url=f"{sternpost_server.base_url}/v1", api_key=sternpost_server.key) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="lab/m1", messages=[{"role": "user", "content": OPENAI_PARTS}]
        )
    trace = sternpost_server.trace(raw.headers["x-sternpost-trace-id"])
    _, image, audio, document = input_parts(trace)
    assert [bytes_of(sternpost_server, part) for part in (image, audio)] == [PICTURE, SOUND]
    assert (document["filename"], document["mime_type"]) == ("a.pdf", "application/pdf")
    assert b64(PICTURE)[:60] not in json.dumps(trace)
    assert trace["trace"]["input_preview"] == "What are these? [image] [audio] [document]"

    _, headers, small = sternpost_server.request("GET", f"/api/blobs/{image['hash']}?thumbnail=256")
    assert headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(small)).size == (256, 192)
    status, headers, piece = sternpost_server.request(
        "GET", f"/api/blobs/{audio['hash']}", headers={"range": "bytes=0-3"}
    )
    assert (status, piece) == (206, b"RIFF")


def test_media_of_the_anthropic_sdk_are_the_same_blobs(sternpost_server: RunningSternpost) -> None:
    with anthropic.Anthropic(base_url=sternpost_server.base_url, api_key=sternpost_server.key) as client:
        raw = client.messages.with_raw_response.create(
            model="labant/m1", max_tokens=50, messages=[{"role": "user", "content": ANTHROPIC_PARTS}]
        )
    image, document, _ = input_parts(sternpost_server.trace(raw.headers["x-sternpost-trace-id"]))
    same = input_parts(sternpost_server.trace(ask_with_picture(sternpost_server)))[1]
    assert bytes_of(sternpost_server, image) == PICTURE
    assert document["size_bytes"] == len(PDF)
    assert image["hash"] == same["hash"]


def test_a_blob_part_sent_by_otlp_is_a_blob_too(sternpost_server: RunningSternpost) -> None:
    part = {"type": "blob", "modality": "image", "mime_type": PNG, "content": b64(PICTURE)}
    fields = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [part]}]),
    }
    span = {
        "traceId": "5b8efff798038103d269b633813fcafe",
        "spanId": "eee19b7ec3c1cafe",
        "name": "chat",
        "startTimeUnixNano": str(time.time_ns() - 10**9),
        "endTimeUnixNano": str(time.time_ns()),
        "attributes": [{"key": name, "value": {"stringValue": text}} for name, text in fields.items()],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert sternpost_server.request("POST", "/v1/traces", body)[0] == 200
    (image,) = input_parts(sternpost_server.trace(str(span["traceId"])))
    assert bytes_of(sternpost_server, image) == PICTURE


def test_trace_show_prints_what_was_sent(sternpost_server: RunningSternpost) -> None:
    trace_id = ask_with_picture(sternpost_server)
    sternpost_server.trace(trace_id)
    command = [sys.executable, "-m", "sternpost.cli.main", "trace", "show", trace_id]
    shown = subprocess.run(
        [*command, "--home", str(sternpost_server.home)], capture_output=True, text=True, check=True
    ).stdout
    assert f"user: Look [image image/png {len(PICTURE) / 1000:.3g} kB]" in shown


def test_the_key_of_another_project_is_told_that_there_is_nothing(sternpost_server: RunningSternpost) -> None:
    part = input_parts(sternpost_server.trace(ask_with_picture(sternpost_server)))[1]
    with sqlite3.connect(sternpost_server.home / "tables.sqlite") as tables:  # no command makes projects yet
        tables.execute("INSERT INTO projects VALUES ('project_2', 'second', ?)", (time.time_ns(),))
    with open_access(Settings(home=sternpost_server.home)) as access:
        stranger = access.create_key("stranger", project="second", scopes=ALL_SCOPES).key
    headers = {"authorization": f"Bearer {stranger}"}
    wait_until(
        lambda: sternpost_server.request("GET", "/api/traces", headers=headers)[0] == 200, what="the new key"
    )
    for path in (f"/api/blobs/{part['hash']}", f"/api/blobs/{part['hash']}?thumbnail=256"):
        assert sternpost_server.request("GET", path, headers=headers)[0] == 404
    assert sternpost_server.request("GET", path, headers={"authorization": ""})[0] == 401


@pytest.fixture
def running(tmp_path: Path, provider: FakeProvider) -> Iterator[RunningSternpost]:
    with run_sternpost(tmp_path / "home", config=CONFIG.format(url=provider.url)) as started:
        yield started


def test_a_kill_between_blob_and_row_loses_nothing(running: RunningSternpost) -> None:
    running.trace(ask_with_picture(running))
    engine, worker = running.pid_of("engine"), running.pid_of("worker")
    before = blob_files(running)
    content = [{"type": "image_url", "image_url": {"url": data_url(picture(seed=99), PNG)}}]
    os.kill(engine, signal.SIGSTOP)  # rows can't be written, blobs can
    try:
        body = {"model": "lab/m1", "messages": [{"role": "user", "content": content}]}
        _, headers, _ = running.request("POST", "/v1/chat/completions", body)
        wait_until(lambda: blob_files(running) - before, what="the blob")
        running.kill("worker")
    finally:
        os.kill(engine, signal.SIGCONT)
    wait_until(lambda: running.pid_of("worker") != worker, what="a new worker")
    (image,) = input_parts(running.trace(headers["x-sternpost-trace-id"], timeout_s=60))
    assert bytes_of(running, image) == picture(seed=99)
    assert len(blob_files(running) - before) == 1


def blob_files(running: RunningSternpost) -> set[str]:
    """The whole blobs; what a kill left half-written has a dot in front, and is tidied by its age."""
    return {path.name for path in (running.home / "blobs").glob("*/*/[!.]*")}


def test_a_call_too_large_to_keep_shows_what_can_be_shown(running: RunningSternpost) -> None:
    large = [OPENAI_PARTS[0], OPENAI_PARTS[1], {"type": "text", "text": "x" * 10_000_000}, OPENAI_PARTS[1]]
    body = {"messages": [{"role": "user", "content": large}], "model": "lab/m1"}
    status, headers, _ = running.request("POST", "/v1/chat/completions", body)
    trace = running.trace(headers["x-sternpost-trace-id"], timeout_s=40)
    parts = input_parts(trace)
    assert status == 200
    assert [part["type"] for part in parts] == ["text", "blob", "text"]
    assert bytes_of(running, parts[1]) == PICTURE
    assert "request_body_cut" in trace["spans"][0]["attributes"]["warnings"]
