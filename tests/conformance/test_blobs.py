"""What every engine of `contracts.blobs` keeps."""

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from sternpost.backends.blobs.folder import FolderBlobs
from sternpost.backends.blobs.room import MediaRoom, MediaUse, read_use
from sternpost.base.errors import NotFound, StorageFull
from sternpost.base.ids import ContentHash, ProjectId
from sternpost.contracts.blobs import Blob, BlobStore

ONE, OTHER = ProjectId("proj_one"), ProjectId("proj_other")
HASH, SECOND = ContentHash("ab" * 32), ContentHash("cd" * 32)
PICTURE = Blob(ONE, HASH, "image/png", bytes(range(256)) * 40)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "blobs"


@pytest.fixture(params=["folder"])
def blobs(root: Path) -> BlobStore:
    return FolderBlobs(root)


def test_a_blob_is_read_back_with_its_media_type(blobs: BlobStore):
    blobs.put(PICTURE)
    found = blobs.find(ONE, HASH)
    assert (found.mime_type, found.size_bytes) == ("image/png", 10_240)
    assert abs(found.last_put_ns - time.time_ns()) < 60e9
    assert blobs.read(ONE, HASH) == PICTURE.content


def test_an_empty_blob_is_one_too(blobs: BlobStore):
    blobs.put(Blob(ONE, HASH, "", b""))
    assert blobs.read(ONE, HASH) == b""
    assert blobs.find(ONE, HASH).mime_type == ""


@pytest.mark.parametrize(
    ("start", "length", "wanted"),
    [
        (0, 4, b"\x00\x01\x02\x03"),
        (254, 4, b"\xfe\xff\x00\x01"),
        (10_239, 99, b"\xff"),
        (10_240, 5, b""),
        (99_999, None, b""),
    ],
)
def test_a_range_of_the_bytes_is_read_alone(blobs: BlobStore, start: int, length: int, wanted: bytes):
    blobs.put(PICTURE)
    assert blobs.read(ONE, HASH, start, length) == wanted


def test_putting_again_keeps_one_and_marks_it_as_put_now(blobs: BlobStore):
    blobs.put(PICTURE)
    before = blobs.find(ONE, HASH).last_put_ns
    blobs.put(PICTURE)
    assert blobs.find(ONE, HASH).last_put_ns >= before
    assert [one.hash for one in blobs.walk()] == [HASH]


def test_a_project_never_sees_the_blobs_of_another(blobs: BlobStore):
    blobs.put(PICTURE)
    with pytest.raises(NotFound):
        blobs.find(OTHER, HASH)
    with pytest.raises(NotFound):
        blobs.read(OTHER, HASH)
    assert not blobs.delete(OTHER, HASH)
    assert list(blobs.walk(OTHER)) == []
    assert blobs.read(ONE, HASH)


@pytest.mark.parametrize(
    ("project", "hash_"),
    [("proj_one", "../../../etc/passwd"), ("../..", HASH), ("proj_one", HASH.upper()), ("", HASH)],
)
def test_a_name_that_leads_elsewhere_is_no_blob(blobs: BlobStore, project: str, hash_: str):
    for ask in (blobs.find, blobs.read, blobs.delete):
        with pytest.raises(NotFound):
            ask(ProjectId(project), ContentHash(hash_))


def test_a_deleted_blob_is_gone_and_deleting_again_is_harmless(blobs: BlobStore):
    blobs.put(PICTURE)
    assert blobs.delete(ONE, HASH)
    assert not blobs.delete(ONE, HASH)
    with pytest.raises(NotFound):
        blobs.read(ONE, HASH)


def test_what_was_put_since_a_time_outlives_a_deletion_of_older_blobs(blobs: BlobStore):
    blobs.put(PICTURE)
    put_ns = blobs.find(ONE, HASH).last_put_ns
    assert not blobs.delete(ONE, HASH, put_before_ns=put_ns)
    assert blobs.delete(ONE, HASH, put_before_ns=put_ns + 1)


def test_walking_lists_every_blob_of_every_project(blobs: BlobStore):
    wanted = {(project, hash_) for project in (ONE, OTHER) for hash_ in (HASH, SECOND)}
    for project, hash_ in wanted:
        blobs.put(Blob(project, hash_, "audio/wav", b"RIFF"))
    assert {(one.project_id, one.hash) for one in blobs.walk()} == wanted
    assert {one.project_id for one in blobs.walk(OTHER)} == {OTHER}
    assert all(one.size_bytes == 4 for one in blobs.walk())


def test_many_threads_that_put_the_same_blob_leave_one_whole_one(blobs: BlobStore):
    threads = [threading.Thread(target=blobs.put, args=(PICTURE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blobs.read(ONE, HASH) == PICTURE.content
    assert len(list(blobs.walk())) == 1


class TestFolder:
    """What only files have."""

    def test_nobody_else_on_the_machine_can_read_them(self, root: Path):
        FolderBlobs(root).put(PICTURE)
        places = [root, *root.rglob("*")]
        assert {oct(one.stat().st_mode & 0o777) for one in places if one.is_dir()} == {"0o700"}
        assert {oct(one.stat().st_mode & 0o777) for one in places if one.is_file()} == {"0o600"}

    def test_a_start_without_media_leaves_no_folder(self, root: Path):
        assert list(FolderBlobs(root).walk()) == []
        assert not root.exists()

    def test_a_full_disk_keeps_nothing_of_the_blob_and_says_so(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ):
        blobs = FolderBlobs(root)

        def no_space(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_space)  # the disk is filled by nothing else in a test
            with pytest.raises(StorageFull, match="No space left"):
                blobs.put(PICTURE)
        assert [one for one in root.rglob("*") if one.is_file()] == []
        blobs.put(PICTURE)
        assert blobs.read(ONE, HASH) == PICTURE.content

    def test_media_leave_the_disk_what_is_kept_for_records(self, root: Path):
        room = MediaRoom(root, min_free_bytes=50_000, free=lambda _: 50_000 + len(PICTURE.content) - 1)
        with pytest.raises(StorageFull, match="reserved for records"):
            FolderBlobs(root, room).put(PICTURE)
        assert [one for one in root.rglob("*") if one.is_file()] == [root / "usage.json"] or not root.exists()

    def test_a_project_keeps_no_more_media_than_its_share(self, root: Path):
        FolderBlobs(root).put(PICTURE)  # of an earlier process
        blobs = FolderBlobs(root, MediaRoom(root, project_bytes=2 * len(PICTURE.content)))
        second = Blob(ONE, SECOND, "image/png", PICTURE.content)
        with pytest.raises(StorageFull, match="PROJECT_MEDIA_BYTES"):
            blobs.put(second)
        blobs.put(PICTURE)  # what is there is only marked
        blobs.put(Blob(OTHER, SECOND, "image/png", PICTURE.content))
        assert blobs.delete(ONE, HASH)
        blobs.put(second)
        assert {(one.project_id, one.hash) for one in blobs.walk()} == {(ONE, SECOND), (OTHER, SECOND)}

    def test_what_media_take_is_told_to_other_processes(self, root: Path):
        assert read_use(root) == MediaUse()
        FolderBlobs(root, MediaRoom(root, project_bytes=10**6)).put(PICTURE)
        assert read_use(root).size_bytes >= len(PICTURE.content)

    def test_what_a_crash_left_half_written_is_no_blob_and_is_swept(self, root: Path):
        blobs = FolderBlobs(root)
        blobs.put(PICTURE)
        half = root / ONE / HASH[:2] / f".new-1-1-{SECOND}"
        half.write_bytes(b"WLB")
        assert [one.hash for one in blobs.walk()] == [HASH]
        assert blobs.tidy(time.time_ns() + 1_000_000_000) == 1
        assert not half.exists()
