"""How many bytes of files a project and a key may keep, those on their way among them; keeps none itself."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from sternpost.base.errors import StorageFull
from sternpost.base.ids import KeyId, ProjectId

_MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class FileQuotas:
    """0: any."""

    project_bytes: int = 0
    key_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FileUse:
    """What is kept now."""

    project_bytes: int
    key_bytes: int


def check_quotas(use: FileUse, more_bytes: int, quotas: FileQuotas, *, has_key: bool) -> None:
    """Raises: StorageFull, naming whose share is full and how large it is."""
    shares = [("project", use.project_bytes, quotas.project_bytes, "PROJECT")]
    if has_key:
        shares.append(("key", use.key_bytes, quotas.key_bytes, "KEY"))
    for owner, kept, most, name in shares:
        if most and kept + more_bytes > most:
            raise StorageFull(
                f"the files of this {owner} would exceed its {most // _MB} MB ({kept // _MB} MB are"
                f" stored); delete files, or raise STERNPOST_{name}_FILES_BYTES"
            )


@dataclass(slots=True)
class OpenUpload:
    """The share that one upload takes while it arrives."""

    room: "UploadRoom"
    owners: tuple[str, str]
    use: FileUse
    has_key: bool
    size_bytes: int = 0

    def take(self, more_bytes: int) -> None:
        """Raises: StorageFull."""
        self.size_bytes += more_bytes
        self.room.take(self.owners, more_bytes)
        project, key = (self.room.on_their_way[owner] for owner in self.owners)
        use = FileUse(self.use.project_bytes + project, self.use.key_bytes + key)
        check_quotas(use, 0, self.room.quotas, has_key=self.has_key)


@dataclass(slots=True)
class UploadRoom:
    """Counts the uploads of this process, so that many at once can't pass a quota together."""

    quotas: FileQuotas
    on_their_way: dict[str, int] = field(default_factory=dict[str, int])

    @contextmanager
    def begin(self, project_id: ProjectId, key_id: KeyId, use: FileUse) -> Generator[OpenUpload]:
        """Hold a share while the block runs; `take` refuses, so that the sender can be heard to its end."""
        upload = OpenUpload(self, (f"project/{project_id}", f"key/{project_id}/{key_id}"), use, bool(key_id))
        self.take(upload.owners, 0)
        try:
            yield upload
        finally:
            self.take(upload.owners, -upload.size_bytes)

    def take(self, owners: tuple[str, str], more_bytes: int) -> None:
        for owner in owners:
            self.on_their_way[owner] = self.on_their_way.get(owner, 0) + more_bytes
