"""A pass speaks for the submitter for ten minutes, and nobody else can write one."""

from pathlib import Path

import pytest

from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import ManualClock
from sternpost.base.errors import KeyRefused
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.batches.passes import PassReader, PassWriter, shared_secret
from sternpost.capabilities.batches.records import Batch, BatchId, FileId
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import ALL_SCOPES, KeyScope

SECRET = b"s" * 32
BATCH = Batch(
    BatchId("batch_1"), ProjectId("prj"), KeyId("key_1"), "one", ("lab/*",), "/v1/responses",
    FileId("file_1"), "in_progress", 0, 1,
)  # fmt: skip
KEY = Principal(ProjectId("prj"), KeyId("key_2"), "two", scopes=ALL_SCOPES)


def reader(clock: ManualClock, secret: bytes = SECRET, ended: str = "") -> PassReader:
    def refuse_ended(key_id: KeyId) -> None:
        if key_id == ended:
            raise KeyRefused("revoked")

    return PassReader(secret, clock, lambda _: KEY, refuse_ended)


def test_a_pass_is_the_submitters_principal_and_keys_go_on() -> None:
    clock = ManualClock()
    presented = PassWriter(SECRET, clock).write(BATCH)
    assert reader(clock).check(presented) == Principal(
        ProjectId("prj"), KeyId("key_1"), "one", ("lab/*",), frozenset({KeyScope.CALLS})
    )
    assert reader(clock).check("sp-something") == KEY


def test_a_forged_old_or_revoked_pass_is_refused() -> None:
    clock = ManualClock()
    presented = PassWriter(SECRET, clock).write(BATCH)
    for forged in (presented[:-1] + "x", presented.replace(".", "A."), "spq-", "spq-é.é"):
        with pytest.raises(KeyRefused):
            reader(clock).check(forged)
    with pytest.raises(KeyRefused):
        reader(clock, secret=b"t" * 32).check(presented)
    with pytest.raises(KeyRefused, match="revoked"):
        reader(clock, ended="key_1").check(presented)
    clock.advance(601)
    with pytest.raises(KeyRefused, match="over"):
        reader(clock).check(presented)


def test_every_process_gets_the_same_secret(tmp_path: Path) -> None:
    tables = SqlTables(sqlite_url(tmp_path))
    tables.migrate()
    first = shared_secret(tables, 1)
    assert len(first) == 32
    assert shared_secret(tables, 2) == first
    tables.close()
