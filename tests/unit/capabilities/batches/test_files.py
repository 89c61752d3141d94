"""Uploads flow to disk in any pieces, whole or not at all."""

import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sternpost.base.errors import BadRequest, BodyTooLarge, NotFound, StorageFull
from sternpost.capabilities.batches.files.bodies import FolderBodies
from sternpost.capabilities.batches.files.upload import read_upload
from sternpost.capabilities.batches.records import FileId

KIND = "multipart/form-data; boundary=xyz"
FORM = (
    b'--xyz\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n'
    b"Content-Type: application/jsonl\r\n\r\none\r\n--xy\r\ntwo\r\n--xyz--\r\n"
)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
async def test_a_form_is_the_same_however_it_is_cut(size: int, tmp_path: Path) -> None:
    bodies = FolderBodies(tmp_path)
    upload = await read_upload(KIND, pieces(FORM, size), bodies, 1000)
    upload.body.keep(FileId("file_1"))
    assert (upload.filename, upload.fields) == ("a.jsonl", {"purpose": "batch"})
    with bodies.open(FileId("file_1")) as file:
        assert file.read() == b"one\r\n--xy\r\ntwo"


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("application/json", b"{}", BadRequest),
        ("multipart/form-data; boundary=" + "x" * 500, FORM, BadRequest),
        (KIND, FORM[:-6], BadRequest),
        (KIND, b"--xyz--\r\n", BadRequest),
        (KIND, b"rubbish", BadRequest),
        (KIND, FORM.replace(b"two", b"x" * 2000), BodyTooLarge),
        (KIND, FORM.replace(b"batch", b"x" * 20_000), BadRequest),
        (KIND, FORM.replace(b"--xyz--\r\n", FORM[FORM.index(b"--xyz", 1) :]), BadRequest),
    ],
)
async def test_a_form_that_is_refused_leaves_nothing(
    kind: str, body: bytes, error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        await read_upload(kind, pieces(body, 100), FolderBodies(tmp_path), 1000)
    assert names_in(tmp_path) == []


async def test_a_full_disk_refuses_an_upload_in_words(tmp_path: Path) -> None:
    bodies = FolderBodies(tmp_path, min_free_bytes=100, free=lambda _: 99)
    with pytest.raises(StorageFull, match="nearly full"):
        await read_upload(KIND, pieces(FORM, 100), bodies, 1000)
    assert names_in(tmp_path) == []


def test_a_disk_that_fills_up_on_the_way_is_said_so(tmp_path: Path) -> None:
    body = FolderBodies(tmp_path).begin()

    class Full:
        def write(self, block: bytes) -> None:
            raise OSError(errno.ENOSPC, "no space")

        def close(self) -> None:
            raise OSError(errno.ENOSPC, "no space")

    body._file.close()  # a disk can't be filled here
    body._file = Full()  # type: ignore[assignment]
    with pytest.raises(StorageFull, match="full"):
        body.write(b"x")
    body.drop()
    assert names_in(tmp_path) == []


def test_an_id_is_never_a_path(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(NotFound):
        FolderBodies(tmp_path / "files").open(FileId("../secret"))
