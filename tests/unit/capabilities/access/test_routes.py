"""The endpoints over real HTTP semantics, with the server's own error handler."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from sternpost.base.errors import KeyRefused
from sternpost.capabilities.access.browser import Site
from sternpost.capabilities.access.guard import CSRF_HEADER, Guard
from sternpost.capabilities.access.key_ring import KeyRing
from sternpost.capabilities.access.records import FirstStart
from sternpost.capabilities.access.routes import access_routes
from sternpost.capabilities.access.service import AccessService
from sternpost.contracts.call import Principal
from sternpost.server import problems


@pytest.fixture
def first(service: AccessService) -> FirstStart:
    first = service.ensure_first_start()
    assert first is not None
    return first


@pytest.fixture
def client(service: AccessService, first: FirstStart) -> Iterator[TestClient]:
    ring = KeyRing(service.store, service.clock)
    ring.load()
    app = FastAPI()
    problems.install(app)
    app.include_router(access_routes(service, Guard(service, ring.check)))
    yield TestClient(app)
    ring.close()


def sign_in(client: TestClient, first: FirstStart) -> dict[str, str]:
    reply = client.post("/api/session", json={"token": first.link.token})
    assert reply.status_code == 201, reply.text
    return {CSRF_HEADER: reply.json()["csrf_token"]}


def test_nobody_is_let_in_without_a_key_or_a_session(client: TestClient):
    reply = client.get("/api/keys")
    assert reply.status_code == 401
    assert reply.json()["code"] == "invalid_api_key"


def test_a_person_signs_in_makes_a_key_and_revokes_it(client: TestClient, first: FirstStart):
    csrf = sign_in(client, first)
    made = client.post("/api/keys", json={"name": "app", "models": ["fast"]}, headers=csrf)
    assert made.status_code == 201
    assert made.json()["key"].startswith(made.json()["prefix"])

    listed = client.get("/api/keys?limit=1").json()
    assert listed["items"] == [{k: v for k, v in made.json().items() if k != "key"}]
    assert listed["next_cursor"] is not None
    rest = client.get("/api/keys", params={"cursor": listed["next_cursor"]}).json()
    assert [item["name"] for item in rest["items"]] == ["first key"]

    revoked = client.post(f"/api/keys/{made.json()['key_id']}/revoke", headers=csrf).json()
    assert revoked["revoked_at"] == "2023-11-14T22:13:20.000000Z"


def test_the_session_says_who_i_am_until_sign_out(client: TestClient, first: FirstStart):
    csrf = sign_in(client, first)
    mine = client.get("/api/session").json()
    assert mine["user"]["name"] == "admin"
    assert mine["csrf_token"] == csrf[CSRF_HEADER]
    cookie = client.cookies["sternpost_session"]
    assert client.delete("/api/session", headers=csrf).status_code == 204
    client.cookies.set("sternpost_session", cookie)
    assert client.get("/api/session").status_code == 401


def test_a_change_or_a_sign_in_from_a_page_of_another_port_is_refused(client: TestClient, first: FirstStart):
    foreign = {"origin": "http://localhost:3000", "sec-fetch-site": "same-site"}
    reply = client.post("/api/session", json={"token": first.link.token}, headers=foreign)
    assert (reply.status_code, reply.cookies) == (403, {})
    csrf = sign_in(client, first)  # the link was not used up
    assert client.post("/api/keys", json={"name": "forged"}, headers={**csrf, **foreign}).status_code == 403
    assert client.get("/api/keys", headers=foreign).status_code == 200


def test_failed_sign_ins_are_limited_and_good_ones_are_not_counted(
    client: TestClient, service: AccessService, first: FirstStart
):
    for _ in range(3):
        assert (
            client.post("/api/session", json={"token": service.create_sign_in_link().token}).status_code
            == 201
        )
    for status in [401] * 10 + [429]:
        reply = client.post("/api/session", json={"token": "guess"})
        assert reply.status_code == status
    assert 0 < int(reply.headers["retry-after"]) <= 300
    assert "try again in" in reply.json()["detail"]
    assert client.post("/api/session", json={"token": first.link.token}).status_code == 429


def test_over_https_the_cookie_is_bound_to_the_host(service: AccessService, first: FirstStart):
    site = Site("https://sternpost.example.org", 4100)
    app = FastAPI()
    problems.install(app)
    app.include_router(access_routes(service, Guard(service, _knows_no_key, site), site))
    client = TestClient(app, base_url="https://sternpost.example.org")
    reply = client.post("/api/session", json={"token": first.link.token})
    said = reply.headers["set-cookie"]
    assert said.startswith("__Host-sternpost_session=")
    assert all(word in said for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"))
    assert "Domain" not in said
    assert client.get("/api/session").json()["user"]["name"] == "admin"
    client.cookies = {"sternpost_session_4100": client.cookies["__Host-sternpost_session"]}
    assert client.get("/api/session").status_code == 401


def _knows_no_key(presented: str) -> Principal:
    raise KeyRefused("no key")


def test_a_change_without_the_csrf_token_is_refused(client: TestClient, first: FirstStart):
    sign_in(client, first)
    for headers in ({}, {CSRF_HEADER: "wrong"}):
        reply = client.post("/api/keys", json={"name": "forged"}, headers=headers)
        assert reply.status_code == 403
        assert "CSRF" in reply.json()["detail"]


def test_a_key_lists_keys_and_can_not_make_or_revoke_them(client: TestClient, first: FirstStart):
    for headers in ({"authorization": f"Bearer {first.key.key}"}, {"x-api-key": first.key.key}):
        assert client.get("/api/session", headers=headers).json()["user"] is None
        assert client.get("/api/keys", headers=headers).status_code == 200
        assert client.post("/api/keys", json={"name": "next"}, headers=headers).status_code == 403
        key_id = first.key.record.key_id
        assert client.post(f"/api/keys/{key_id}/revoke", headers=headers).status_code == 403


def test_wrong_input_is_answered_with_what_is_wrong(client: TestClient, first: FirstStart):
    csrf = sign_in(client, first)
    assert client.post("/api/keys", json={"name": " "}, headers=csrf).status_code == 400
    assert client.post("/api/keys", json={}, headers=csrf).status_code == 422
    assert client.get("/api/keys?limit=1000").status_code == 422
    late = {"name": "x", "expires_at": "2030-01-01T00:00:00"}
    assert client.post("/api/keys", json=late, headers=csrf).json()["param"] == "expires_at"
    assert client.post("/api/keys/nope/revoke", headers=csrf).status_code == 404
    assert client.post("/api/session", json={"token": "nope"}).status_code == 401
