from pathlib import Path

import pytest

from sternpost.backends.tables.sql import SqlTables, sqlite_url
from sternpost.base.clock import ManualClock
from sternpost.base.errors import BadRequest, KeyRefused, NotFound, StoreError
from sternpost.capabilities.access.jobs import prune_sign_ins
from sternpost.capabilities.access.service import AccessService
from sternpost.contracts.tables import METADATA
from tests.support.postgres import empty_postgres_url

MINUTES_15 = 900.0


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return empty_postgres_url()


def test_the_first_start_happens_once(service: AccessService):
    first = service.ensure_first_start()
    assert first is not None
    assert first.key.record.name == "first key"
    assert service.ensure_first_start() is None
    assert [key.name for key in service.list_keys().items] == ["first key"]


def test_a_link_signs_in_once(service: AccessService):
    first = service.ensure_first_start()
    assert first is not None
    started = service.redeem_sign_in_link(first.link.token)
    assert started.session.user.is_admin
    assert started.session.project_id == first.project_id
    assert service.session_of(started.token) == started.session
    with pytest.raises(KeyRefused, match="already used"):
        service.redeem_sign_in_link(first.link.token)


def test_a_link_of_a_quarter_of_an_hour_ago_is_worthless(service: AccessService, clock: ManualClock):
    service.ensure_first_start()
    link = service.create_sign_in_link()
    clock.advance(MINUTES_15)
    with pytest.raises(KeyRefused, match="15 minutes"):
        service.redeem_sign_in_link(link.token)


def test_a_session_ends_by_sign_out_and_by_age(service: AccessService, clock: ManualClock):
    service.ensure_first_start()
    one = service.redeem_sign_in_link(service.create_sign_in_link().token)
    other = service.redeem_sign_in_link(service.create_sign_in_link().token)
    service.sign_out(one.token)
    assert service.session_of(one.token) is None
    assert service.session_of(other.token) is not None
    clock.advance(14 * 86_400)
    assert service.session_of(other.token) is None


def test_keys_are_paged_newest_first(service: AccessService):
    service.ensure_first_start()
    for n in range(4):
        service.create_key(f"key {n}")
    names, cursor = [], ""
    while True:
        page = service.list_keys(cursor=cursor, limit=2)
        names += [key.name for key in page.items]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert sorted(names) == ["first key", "key 0", "key 1", "key 2", "key 3"]
    assert len(names) == 5


def test_revoking_again_keeps_the_first_time(service: AccessService, clock: ManualClock):
    service.ensure_first_start()
    key = service.create_key("app", models=["fast", "openai/gpt-5-mini"]).record
    first = service.revoke_key(key.key_id)
    clock.advance(60)
    assert service.revoke_key(key.key_id) == first
    assert first.models == ("fast", "openai/gpt-5-mini")


def test_what_can_not_be_done_says_what_to_do(service: AccessService, clock: ManualClock):
    with pytest.raises(StoreError, match="sternpost up"):
        service.create_key("early")
    with pytest.raises(NotFound, match="sternpost up"):
        service.create_sign_in_link()
    service.ensure_first_start()
    with pytest.raises(NotFound, match="no project 'nowhere'"):
        service.create_key("app", project="nowhere")
    with pytest.raises(NotFound, match="sternpost key list"):
        service.revoke_key(service.create_key("x").record.key_id, project_id="another")  # type: ignore[arg-type]
    with pytest.raises(BadRequest, match="past"):
        service.create_key("app", expires_ns=clock.now_ns())
    with pytest.raises(BadRequest, match="2261"):
        service.create_key("app", expires_ns=2**63)
    with pytest.raises(BadRequest, match="1 to 200"):
        service.list_keys(limit=0)


def test_secrets_are_not_in_the_tables_and_not_in_a_repr(service: AccessService, tables: SqlTables):
    first = service.ensure_first_start()
    assert first is not None
    with tables.read() as connection:
        kept = [
            str(tuple(row))
            for table in METADATA.tables.values()
            for row in connection.execute(table.select())
        ]
    assert any(first.key.record.key_hash in row for row in kept)
    for secret in (first.key.key, first.link.token):
        assert not any(secret in row for row in kept)
        assert secret not in repr(first)


def test_ended_sign_ins_are_forgotten_a_week_later(service: AccessService, clock: ManualClock):
    service.ensure_first_start()  # makes one link
    service.redeem_sign_in_link(service.create_sign_in_link().token)
    clock.advance(6 * 86_400)
    assert prune_sign_ins(service) == 0
    clock.advance(2 * 86_400)
    assert prune_sign_ins(service) == 2  # both links; the session lives 14 days
