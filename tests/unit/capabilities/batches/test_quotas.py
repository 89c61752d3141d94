"""Files never take more than the share of their project and their key, however many arrive at once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sternpost.base.errors import StorageFull
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.batches.files.bodies import FolderBodies
from sternpost.capabilities.batches.files.quotas import FileQuotas, FileUse, UploadRoom
from sternpost.capabilities.batches.files.upload import read_upload
from tests.unit.capabilities.batches.test_files import FORM, KIND, names_in, pieces

ONE, OTHER = ProjectId("prj_1"), ProjectId("prj_2")
KEY, SECOND, NOBODY = KeyId("key_1"), KeyId("key_2"), KeyId("")
NOTHING = FileUse(0, 0)
FILE_BYTES = len(b"one\r\n--xy\r\ntwo")


async def send(room: UploadRoom, folder: Path, key: KeyId = KEY, use: FileUse = NOTHING) -> None:
    with room.begin(ONE, key, use) as share:
        upload = await read_upload(KIND, pieces(FORM, 50), FolderBodies(folder), 1000, share)
        upload.body.drop()


@pytest.mark.parametrize(
    ("quotas", "use", "says"),
    [
        (FileQuotas(project_bytes=100), FileUse(100 - FILE_BYTES + 1, 0), "PROJECT_FILES_BYTES"),
        (FileQuotas(key_bytes=100), FileUse(500, 100 - FILE_BYTES + 1), "KEY_FILES_BYTES"),
    ],
)
async def test_a_full_share_refuses_an_upload_and_keeps_nothing_of_it(
    tmp_path: Path, quotas: FileQuotas, use: FileUse, says: str
) -> None:
    room = UploadRoom(quotas)
    with pytest.raises(StorageFull, match=says):
        await send(room, tmp_path, use=use)
    assert names_in(tmp_path) == []
    fits = FileUse(use.project_bytes - 1, max(use.key_bytes - 1, 0))
    await send(room, tmp_path, use=fits)
    assert set(room.on_their_way.values()) <= {0}


async def test_a_refused_upload_is_heard_to_its_end(tmp_path: Path) -> None:
    heard = 0

    async def listened() -> AsyncIterator[bytes]:
        nonlocal heard
        async for piece in pieces(FORM, 50):
            heard += len(piece)
            yield piece

    with (
        UploadRoom(FileQuotas(project_bytes=1)).begin(ONE, KEY, NOTHING) as share,
        pytest.raises(StorageFull),
    ):
        await read_upload(KIND, listened(), FolderBodies(tmp_path), 1000, share)
    assert heard == len(FORM)


def test_uploads_at_once_share_what_is_left() -> None:
    room = UploadRoom(FileQuotas(project_bytes=100, key_bytes=70))
    with room.begin(ONE, KEY, NOTHING) as first, room.begin(ONE, SECOND, NOTHING) as second:
        first.take(60)
        with pytest.raises(StorageFull, match="this project"):
            second.take(60)
        with room.begin(OTHER, KEY, NOTHING) as elsewhere:
            elsewhere.take(60)
    with room.begin(ONE, SECOND, NOTHING) as again, pytest.raises(StorageFull, match="this key"):
        again.take(71)


def test_a_person_without_a_key_has_the_projects_share() -> None:
    with UploadRoom(FileQuotas(project_bytes=100, key_bytes=10)).begin(ONE, NOBODY, NOTHING) as share:
        share.take(100)
