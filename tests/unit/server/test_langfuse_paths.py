"""The paths of Langfuse's API that Sternpost serves, over HTTP."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.base.errors import KeyRefused
from sternpost.capabilities.traces.media.service import TraceMedia
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import KeyScope
from sternpost.server.langfuse import LangfuseApp
from tests.unit.ingest.support import OWNER, Desk

PICTURE = b"\x89PNG\r\n\x1a\n and more"
WRITER = replace(OWNER, scopes=frozenset({KeyScope.TRACES_WRITE, KeyScope.SCORES_WRITE}))


class Server:
    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder / "journal")
        self.blobs = FolderBlobs(folder / "blobs")
        app = LangfuseApp(self.desk.intake, TraceMedia(self.blobs), _principal, max_body_bytes=1_000_000)
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://sternpost/api/public", auth=("pk", "owner")
        )


def _principal(key: str) -> Principal:
    if key not in ("owner", "writer"):
        raise KeyRefused("no such key")
    return OWNER if key == "owner" else WRITER


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    yield server
    await server.client.aclose()
    server.desk.close()


async def uploaded(server: Server) -> str:
    digest = b64encode(sha256(PICTURE).digest()).decode()
    asked = {"traceId": "t", "contentType": "image/png", "sha256Hash": digest, "field": "input"}
    upload = (await server.client.post("/media", json=asked)).json()
    assert (await server.client.put(upload["uploadUrl"], content=PICTURE, auth=None)).status_code == 200
    for batch in server.desk.written():  # as the worker does
        for blob in batch.blobs:
            server.blobs.put(blob)
    return str(upload["mediaId"])


async def test_a_medium_is_described_and_its_link_needs_no_key(server: Server) -> None:
    media_id = await uploaded(server)
    told = (await server.client.get(f"/media/{media_id}")).json()
    assert (told["mediaId"], told["contentType"], told["contentLength"]) == (
        media_id,
        "image/png",
        len(PICTURE),
    )
    bare = httpx2.AsyncClient(transport=server.client._transport, base_url="http://sternpost")
    reply = await bare.get(told["url"])
    assert (reply.status_code, reply.content) == (200, PICTURE)
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert (await bare.get(told["url"] + "0")).status_code == 401


async def test_media_are_read_only_by_keys_that_may_read_traces(server: Server) -> None:
    media_id = await uploaded(server)
    assert (await server.client.get(f"/media/{media_id}", auth=("pk", "writer"))).status_code == 403
    assert (await server.client.get(f"/media/{media_id}x")).status_code == 404


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("v2/prompts/greeting", "prompts: pass `fallback`"),
        ("prompts?name=greeting", "prompts: pass"),
        ("v2/datasets/golden", "datasets: keep the examples"),
        ("dataset-items", "datasets: keep the examples"),
        ("traces/abc", "read them at /api/traces"),
    ],
)
async def test_parts_of_langfuse_that_are_not_here_say_what_to_do(
    server: Server, path: str, words: str
) -> None:
    reply = await server.client.get(f"/{path}")
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
    problem = reply.json()
    assert (problem["code"], problem["status"]) == ("not_supported", 422)
    assert words in problem["detail"]
    assert problem["message"] == problem["detail"]  # where Langfuse's SDKs look


async def test_events_and_scores_are_taken_packed(server: Server) -> None:
    event = {"id": "e", "type": "span-create", "body": {"id": "s", "traceId": "t", "name": "s"}}
    body = json.dumps({"batch": [event]}).encode()
    refused = await server.client.post("/ingestion", content=body, headers={"content-encoding": "zip"})
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_content_encoding")
    assert (await server.client.post("/ingestion", content=body)).json()["successes"] == [
        {"id": "e", "status": 201}
    ]
    score = {"traceId": "t", "name": "helpful", "value": 1}
    assert (await server.client.post("/scores", json=score)).status_code == 200
    spans, scores = server.desk.written()
    assert (len(spans.spans), len(scores.scores)) == (1, 1)
