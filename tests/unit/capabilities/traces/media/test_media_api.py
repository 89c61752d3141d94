import io
import struct
import subprocess
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.requests import Request

from sternpost.api.services import connect
from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.access.records import Caller
from sternpost.capabilities.traces.media.extract import Media
from sternpost.capabilities.traces.media.routes import router
from sternpost.capabilities.traces.media.rules import read_byte_range
from sternpost.capabilities.traces.media.service import TraceMedia
from sternpost.capabilities.traces.media.thumbnails import COMMAND as THUMBNAIL_COMMAND
from sternpost.capabilities.traces.media.thumbnails import ENVIRONMENT as THUMBNAIL_ENVIRONMENT
from sternpost.capabilities.traces.media.thumbnails import Thumbnails
from sternpost.server.problems import install
from tests.unit.capabilities.traces.media_samples import PDF, picture, sound

OURS, THEIRS = ProjectId("prj_1"), ProjectId("prj_2")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


class Api:
    def __init__(self, root: Path) -> None:
        self.blobs = FolderBlobs(root)
        app = FastAPI()
        install(app)

        async def identify(request: Request) -> Caller:
            return Caller(ProjectId(request.headers["x-project"]), key_id=KeyId("key_1"))

        app.include_router(router)
        connect(app, [TraceMedia(self.blobs)], identify)
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://sternpost", headers={"x-project": OURS}
        )

    def keep(self, content: bytes, mime_type: str) -> str:
        blob = Media(OURS).keep(content, mime_type)
        self.blobs.put(blob)
        return f"/api/blobs/{blob.hash}"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    api = Api(tmp_path / "blobs")
    yield api
    await api.client.aclose()


async def test_the_same_bytes_come_back_under_safe_headers(api: Api) -> None:
    content = picture(400, 400)
    reply = await api.client.get(api.keep(content, "image/png"))
    assert (reply.status_code, reply.content) == (200, content)
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["content-length"] == str(len(content))
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["cache-control"].startswith("private")
    assert reply.headers["content-disposition"] == "inline"


@pytest.mark.parametrize(
    ("mime_type", "shown_as"),
    [
        ("image/jpeg", "inline"),
        ("audio/wav", "inline"),
        ("video/mp4", "inline"),
        ("application/pdf", "inline"),
        ("image/svg+xml", "attachment"),
        ("text/html", "attachment"),
        ("application/xhtml+xml", "attachment"),
        ("text/xml", "attachment"),
        ("application/javascript", "attachment"),
        ("", "attachment"),
        ("image/png\r\nset-cookie: a=b", "attachment"),
    ],
)
async def test_only_what_runs_no_code_is_shown_and_the_rest_downloaded(
    api: Api, mime_type: str, shown_as: str
) -> None:
    reply = await api.client.get(api.keep(b"<script>alert(1)</script>" + mime_type.encode(), mime_type))
    assert reply.headers["content-disposition"] == shown_as
    assert "set-cookie" not in reply.headers
    if shown_as == "attachment":
        assert reply.headers["content-type"] == "application/octet-stream"


async def test_another_project_is_told_that_there_is_nothing(api: Api) -> None:
    path = api.keep(picture(), "image/png")
    for asked in (path, f"{path}?thumbnail=256"):
        reply = await api.client.get(asked, headers={"x-project": THEIRS})
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("hash_", ["0" * 64, "nonsense", "..%2f..%2ftables.sqlite", "%00", "A" * 64])
async def test_what_is_no_blob_is_not_found(api: Api, hash_: str) -> None:
    assert (await api.client.get(f"/api/blobs/{hash_}")).status_code == 404


async def test_a_player_reads_a_range(api: Api) -> None:
    content = sound()
    path = api.keep(content, "audio/wav")
    reply = await api.client.get(path, headers={"range": "bytes=4-9"})
    assert (reply.status_code, reply.content) == (206, content[4:10])
    assert reply.headers["content-range"] == f"bytes 4-9/{len(content)}"
    assert reply.headers["accept-ranges"] == "bytes"
    last = await api.client.get(path, headers={"range": "bytes=-5"})
    assert (last.status_code, last.content) == (206, content[-5:])
    behind = await api.client.get(path, headers={"range": f"bytes={len(content)}-"})
    assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{len(content)}")


async def test_what_the_sender_has_is_not_sent_again(api: Api) -> None:
    path = api.keep(picture(), "image/png")
    for asked in (path, f"{path}?thumbnail=128"):
        etag = (await api.client.get(asked)).headers["etag"]
        assert (await api.client.get(asked, headers={"if-none-match": etag})).status_code == 304


@given(st.text(alphabet="bytes=0123456789-, ", max_size=16), st.integers(0, 50))
def test_any_range_header_stays_within_the_blob(header: str, size: int) -> None:
    part = read_byte_range(header, size)
    if part is not None:
        assert part.length >= 0
        assert part.length == 0 or 0 <= part.start <= part.start + part.length <= size


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
async def test_a_thumbnail_is_a_small_picture_of_the_picture(api: Api, kind: str) -> None:
    content = picture(1200, 600, kind=kind)
    path = api.keep(content, f"image/{kind.lower()}")
    first = await api.client.get(f"{path}?thumbnail=256")
    again = await api.client.get(f"{path}?thumbnail=256")
    assert first.status_code == 200
    assert Image.open(io.BytesIO(first.content)).size == (256, 128)
    assert len(first.content) < len(content) / 4
    assert again.content == first.content
    assert len(list(api.blobs.walk(OURS))) == 2  # drawn once, and kept


async def test_a_thumbnail_says_nothing_of_where_a_picture_was_taken(api: Api) -> None:
    packed = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "at home"  # ImageDescription
    Image.new("RGB", (900, 900)).save(packed, "JPEG", exif=exif)
    assert b"at home" in packed.getvalue()
    reply = await api.client.get(f"{api.keep(packed.getvalue(), 'image/jpeg')}?thumbnail=256")
    assert b"at home" not in reply.content


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def wide(kind: str, width: int, height: int, **options: object) -> bytes:
    """A picture of one colour: small as a file, huge in memory."""
    packed = io.BytesIO()
    Image.new("L", (width, height)).save(packed, kind, **options)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (SVG, "image/svg+xml"),
        (b"not a picture", "image/png"),
        (picture()[:300], "image/png"),
        (bomb(60_000, 60_000), "image/png"),
        (bomb(6_000, 6_000), "image/png"),
        (wide("JPEG", 6_000, 6_000, progressive=True), "image/jpeg"),
        (wide("GIF", 6_000, 6_000), "image/gif"),
        (wide("WEBP", 16_000, 1_600), "image/webp"),
        (wide("TIFF", 100, 100), "image/tiff"),
        (PDF, "application/pdf"),
        (PDF, "image/png"),
        (sound(), "audio/wav"),
        (b"", "image/gif"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/png"),
    ],
    ids=[
        "svg",
        "text",
        "cut",
        "bomb",
        "large",
        "progressive",
        "gif",
        "webp",
        "tiff",
        "pdf",
        "pdf as png",
        "sound",
        "empty",
        "postscript",
    ],
)
async def test_what_can_not_be_drawn_is_a_placeholder(api: Api, content: bytes, mime_type: str) -> None:
    reply = await api.client.get(f"{api.keep(content, mime_type)}?thumbnail=256")
    assert reply.status_code == 200
    assert reply.headers["x-sternpost-thumbnail"] == "placeholder"
    assert Image.open(io.BytesIO(reply.content)).format == "PNG"
    assert len(list(api.blobs.walk(OURS))) == 1


async def test_a_large_photo_is_drawn_at_a_fraction_of_its_size(api: Api) -> None:
    path = api.keep(wide("JPEG", 10_000, 6_000), "image/jpeg")
    reply = await api.client.get(f"{path}?thumbnail=128")
    assert "x-sternpost-thumbnail" not in reply.headers
    assert Image.open(io.BytesIO(reply.content)).size == (128, 77)


def test_the_process_that_draws_has_little_memory_and_no_environment() -> None:
    program = (
        "import os, runpy, sys\n"
        "runpy.run_path(sys.argv[1])['confine']()\n"
        "print(sorted(os.environ))\n"
        "bytearray(1_000_000_000)\n"
    )
    command = [*THUMBNAIL_COMMAND[:2], "-c", program, THUMBNAIL_COMMAND[2]]
    ended = subprocess.run(command, env=THUMBNAIL_ENVIRONMENT, capture_output=True, text=True, check=False)
    assert "KEY" not in ended.stdout
    assert "STERNPOST" not in ended.stdout
    assert ended.stderr.strip().endswith("MemoryError")


async def test_a_picture_that_takes_too_long_is_given_up() -> None:
    async def read() -> bytes:
        return picture(2000, 2000)

    assert await Thumbnails(patience_s=0).draw(read, 256) is None
    assert await Thumbnails().draw(read, 256) is not None


async def test_a_size_nobody_keeps_is_refused(api: Api) -> None:
    path = api.keep(picture(), "image/png")
    reply = await api.client.get(f"{path}?thumbnail=257")
    assert (reply.status_code, reply.json()["param"]) == (400, "thumbnail")
