import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import ManualClock
from sternpost.base.errors import KeyRefused, StoreUnavailable
from sternpost.capabilities.access.key_ring import KeyRing
from sternpost.capabilities.access.service import AccessService
from sternpost.capabilities.access.store import AccessStore
from sternpost.capabilities.events.follower import Follower
from sternpost.contracts.event_log import Snapshot
from tests.support.polling import until


@pytest.fixture
def ring(service: AccessService, clock: ManualClock) -> Iterator[KeyRing]:
    service.ensure_first_start()
    ring = KeyRing(service.store, clock)
    ring.load()
    yield ring
    ring.close()


def test_a_good_key_tells_whose_it_is(ring: KeyRing, service: AccessService):
    created = service.create_key("app", models=["fast"])
    ring.load()
    principal = ring.check(created.key)
    assert (principal.key_id, principal.key_name) == (created.record.key_id, "app")
    assert principal.models == ("fast",)


def test_a_key_made_a_moment_ago_elsewhere_works_at_once(ring: KeyRing, service: AccessService):
    assert ring.check(service.create_key("new").key).key_name == "new"


def test_a_key_from_before_the_rename_keeps_working(
    ring: KeyRing, service: AccessService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sternpost.capabilities.access.rules.KEY_START", "wl-")
    created = service.create_key("old")
    assert created.key.startswith("wl-")
    assert ring.check(created.key).key_name == "old"


@pytest.mark.parametrize(
    ("presented", "says"),
    [
        ("sk-ant-something", "begin with 'sp-'"),
        ("sp-" + "a" * 43, "'sp-aaa' is unknown"),
        ("sp-" + "\ud800" * 43, "is unknown"),
        ("sp-" + "a" * 5000, "begin with 'sp-'"),
        ("", "begin with 'sp-'"),
    ],
)
def test_an_unknown_key_is_refused_without_repeating_it(ring: KeyRing, presented: str, says: str):
    with pytest.raises(KeyRefused, match=says) as caught:
        ring.check(presented)
    assert not presented or presented not in caught.value.message


def test_an_expired_key_is_refused_from_that_moment_on(
    ring: KeyRing, service: AccessService, clock: ManualClock
):
    created = service.create_key("short", expires_ns=clock.now_ns() + 10_000_000_000)
    ring.load()
    clock.advance(9.999)
    ring.check(created.key)
    clock.advance(0.001)
    with pytest.raises(KeyRefused, match=r"'short' .* expired at 2023-11-14T22:13:30"):
        ring.check(created.key)


async def test_a_revoked_key_is_refused_once_its_event_is_seen(
    ring: KeyRing, service: AccessService, tables: SqlTables, clock: ManualClock
):
    created = service.create_key("gone")
    follower = Follower(SqlEventLog(tables, clock), [Snapshot("keys", ("key.",), ring.load)])
    follower.load()
    ring.check(created.key)
    following = asyncio.create_task(follower.run())
    service.revoke_key(created.record.key_id)

    def is_refused() -> bool:
        try:
            ring.check(created.key)
        except KeyRefused as error:
            return "was revoked" in error.message
        return False

    await until(is_refused, timeout_s=20)
    following.cancel()


async def test_known_keys_stay_good_while_the_tables_are_away_and_it_is_told(
    service: AccessService, tmp_path: Path
):
    service.ensure_first_start()
    known = service.create_key("known").key
    away = SqlTables(sqlite_url(tmp_path))
    log = SqlEventLog(away, ManualClock())
    ring = KeyRing(AccessStore(away, log))
    follower = Follower(log, [Snapshot("keys", ("key.",), ring.load)])
    follower.load()
    away.close()
    (tmp_path / "tables.sqlite").rename(tmp_path / "moved")
    (tmp_path / "tables.sqlite").mkdir()  # a folder can't be opened as a database
    with pytest.raises(StoreUnavailable):
        ring.load()
    following = asyncio.create_task(follower.run())
    await until(lambda: not follower.state("keys").is_current)
    assert "until the tables are back" in follower.state("keys").reason
    assert ring.check(known).key_name == "known"
    with pytest.raises(KeyRefused):
        ring.check("sp-" + "b" * 43)
    following.cancel()
    ring.close()


def test_use_is_written_down_when_flushed(ring: KeyRing, service: AccessService, clock: ManualClock):
    created = service.create_key("used")
    clock.advance(5)
    ring.check(created.key)
    assert service.list_keys().items[0].last_used_ns is None
    ring.flush()
    assert service.list_keys().items[0].last_used_ns == clock.now_ns()


def test_a_principal_knows_its_environment_and_which_others_there_are(
    service: AccessService, clock: ManualClock
):
    service.ensure_first_start()
    created = service.create_key("app", environment="staging")
    ring = KeyRing(service.store, clock, lambda: ("staging", "qa"))
    ring.load()
    principal = ring.check(created.key)
    ring.close()
    assert (principal.environment, principal.environments) == ("staging", {"staging", "qa"})
