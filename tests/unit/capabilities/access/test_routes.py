"""The endpoints over real HTTP semantics, with the server's own error handler."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from sternpost.api.services import connect
from sternpost.assembly.parts import needed_scopes
from sternpost.base.errors import KeyRefused
from sternpost.capabilities.access.browser import SignInAttempts, Site
from sternpost.capabilities.access.guard import CSRF_HEADER, Guard
from sternpost.capabilities.access.key_ring import KeyRing
from sternpost.capabilities.access.records import FirstStart
from sternpost.capabilities.access.routes import environments, keys, sessions
from sternpost.capabilities.access.rules import scopes_named
from sternpost.capabilities.access.service import AccessService
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import KeyScope
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
    _connect(app, Guard(service, ring.check, needed_scopes))
    yield TestClient(app)
    ring.close()


def _connect(app: FastAPI, guard: Guard) -> None:
    app.include_router(keys)
    app.include_router(environments)
    app.include_router(sessions)
    connect(app, [guard.service, guard.site, SignInAttempts()], guard)


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
    _connect(app, Guard(service, _knows_no_key, needed_scopes, site))
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


def bearer(service: AccessService, *scopes: str, models: tuple[str, ...] = (), ends_in_s: int = 0):
    expires_ns = service.clock.now_ns() + ends_in_s * 1_000_000_000 if ends_in_s else None
    made = service.create_key("k", scopes=scopes_named(scopes), models=models, expires_ns=expires_ns)
    return {"authorization": f"Bearer {made.key}"}


def test_keys_are_managed_by_keys_with_the_scope_alone(
    client: TestClient, service: AccessService, first: FirstStart
):
    for name in ("authorization", "x-api-key"):
        sent = {name: f"Bearer {first.key.key}" if name == "authorization" else first.key.key}
        assert client.get("/api/session", headers=sent).json()["user"] is None
        for method, path in (("GET", ""), ("POST", ""), ("POST", f"/{first.key.record.key_id}/revoke")):
            reply = client.request(method, f"/api/keys{path}", headers=sent, json={"name": "next"})
            assert (reply.status_code, reply.json()["code"]) == (403, "permission_denied")
            assert "--scope keys:" in reply.json()["detail"]
    reads = bearer(service, "keys:read")
    assert client.get("/api/keys", headers=reads).status_code == 200
    assert client.post("/api/keys", headers=reads, json={"name": "next"}).status_code == 403


def test_a_key_that_may_makes_and_revokes_keys(client: TestClient, service: AccessService, first: FirstStart):
    writes = bearer(service, "keys:write", "calls")
    assert client.get("/api/keys", headers=writes).status_code == 403
    made = client.post("/api/keys", headers=writes, json={"name": "next", "scopes": ["calls"]})
    assert (made.status_code, made.json()["scopes"]) == (201, ["calls"])
    assert client.post(f"/api/keys/{made.json()['key_id']}/revoke", headers=writes).status_code == 200


def test_a_key_makes_no_key_that_may_do_more(client: TestClient, service: AccessService, first: FirstStart):
    own = bearer(service, "keys:write", "calls", models=("lab/*", "fast"), ends_in_s=3600)
    soon = "2023-11-14T22:30:00Z"  # within the hour of the test's clock
    good = {"name": "x", "scopes": ["calls"], "models": ["lab/m1", "fast"], "expires_at": soon}
    assert client.post("/api/keys", headers=own, json=good).status_code == 201
    for wider in (
        {"scopes": ["calls", "traces:read"]},
        {"scopes": None},  # an application's, of which it lacks traces:write
        {"models": []},
        {"models": ["lab/m1", "other/m"]},
        {"models": ["la*"]},
        {"expires_at": None},
        {"expires_at": "2030-01-01T00:00:00Z"},
    ):
        assert client.post("/api/keys", headers=own, json={**good, **wider}).status_code == 403, wider


def test_a_new_key_is_an_applications_unless_told(client: TestClient, first: FirstStart):
    csrf = sign_in(client, first)
    plain = client.post("/api/keys", json={"name": "app"}, headers=csrf).json()
    assert plain["scopes"] == ["calls", "traces:write", "scores:write"]
    every = [str(scope) for scope in KeyScope]
    assert (
        client.post("/api/keys", json={"name": "a", "scopes": every}, headers=csrf).json()["scopes"] == every
    )
    assert (
        client.post("/api/keys", json={"name": "a", "scopes": []}, headers=csrf).json()["param"] == "scopes"
    )
    assert client.post("/api/keys", json={"name": "a", "scopes": ["root"]}, headers=csrf).status_code == 422


def test_wrong_input_is_answered_with_what_is_wrong(client: TestClient, first: FirstStart):
    csrf = sign_in(client, first)
    assert client.post("/api/keys", json={"name": " "}, headers=csrf).status_code == 400
    assert client.post("/api/keys", json={}, headers=csrf).status_code == 422
    assert client.get("/api/keys?limit=1000").status_code == 422
    late = {"name": "x", "expires_at": "2030-01-01T00:00:00"}
    assert client.post("/api/keys", json=late, headers=csrf).json()["param"] == "expires_at"
    for far in ("9999-12-31T23:59:59Z", "2262-04-12T00:00:00Z", "0001-01-01T00:00:00+14:00"):
        answer = client.post("/api/keys", json={"name": "x", "expires_at": far}, headers=csrf)
        assert (answer.status_code, answer.json()["param"]) == (400, "expires_at")
    assert client.post("/api/keys/nope/revoke", headers=csrf).status_code == 404
    assert client.post("/api/session", json={"token": "nope"}).status_code == 401


def test_a_key_belongs_to_its_environment_and_lists_are_narrowed_by_it(client: TestClient, first: FirstStart):
    csrf = sign_in(client, first)
    made = client.post("/api/keys", json={"name": "app", "environment": "staging"}, headers=csrf).json()
    assert made["environment"] == "staging"
    listed = client.get("/api/keys", params={"environment": "staging"}).json()["items"]
    assert [key["name"] for key in listed] == ["app"]
    listed = client.get("/api/keys", params={"environment": "production"}).json()["items"]
    assert [key["name"] for key in listed] == ["first key"]

    client.post(f"/api/keys/{made['key_id']}/revoke", headers=csrf)
    assert client.get("/api/environments").json()["items"] == [
        {"name": "development", "keys": 0},
        {"name": "staging", "keys": 0},
        {"name": "production", "keys": 1},
    ]
    refused = client.post("/api/keys", json={"name": "app", "environment": "stagin"}, headers=csrf)
    assert refused.status_code == 400
    assert "did you mean 'staging'" in refused.json()["detail"]
