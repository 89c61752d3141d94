"""A worker token speaks for the submitter for ten minutes, and nobody else can write one."""

from pathlib import Path

import pytest

from sternpost.backends.model_client.worker_token import TokenReader, TokenWriter, shared_secret
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import ManualClock
from sternpost.base.errors import KeyRefused
from sternpost.base.ids import KeyId, ProjectId
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import ALL_SCOPES, KeyScope

SECRET = b"s" * 32
SUBMITTER = Principal(ProjectId("prj"), KeyId("key_1"), "one", ("lab/*",), ALL_SCOPES, environment="staging")
KEY = Principal(ProjectId("prj"), KeyId("key_2"), "two", scopes=ALL_SCOPES)


def reader(clock: ManualClock, secret: bytes = SECRET, ended: str = "") -> TokenReader:
    def refuse_ended(key_id: KeyId) -> None:
        if key_id == ended:
            raise KeyRefused("revoked")

    return TokenReader(secret, clock, lambda _: KEY, refuse_ended)


def test_a_token_is_the_submitters_principal_and_keys_go_on() -> None:
    clock = ManualClock()
    presented = TokenWriter(lambda: SECRET, clock).write(SUBMITTER)
    assert reader(clock).check(presented) == Principal(
        ProjectId("prj"), KeyId("key_1"), "one", ("lab/*",), frozenset({KeyScope.CALLS}), "worker", "staging"
    )
    assert reader(clock).check("sp-something") == KEY


def test_a_forged_old_or_revoked_token_is_refused() -> None:
    clock = ManualClock()
    presented = TokenWriter(lambda: SECRET, clock).write(SUBMITTER)
    for forged in (presented[:-1] + "x", presented.replace(".", "A."), "spw-", "spw-é.é"):
        with pytest.raises(KeyRefused):
            reader(clock).check(forged)
    with pytest.raises(KeyRefused):
        reader(clock, secret=b"t" * 32).check(presented)
    with pytest.raises(KeyRefused, match="revoked"):
        reader(clock, ended="key_1").check(presented)
    clock.advance(601)
    with pytest.raises(KeyRefused, match="expired"):
        reader(clock).check(presented)


def test_every_process_gets_the_same_secret(tmp_path: Path) -> None:
    tables = SqlTables(sqlite_url(tmp_path))
    tables.migrate()
    first = shared_secret(tables, 1)
    assert len(first) == 32
    assert shared_secret(tables, 2) == first
    tables.close()
