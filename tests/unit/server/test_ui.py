"""The web app's files are served compressed and cached, and nothing outside their folder is."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sternpost.server.ui import WebApp


@pytest.fixture
def browser(tmp_path: Path) -> TestClient:
    folder = tmp_path / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<page>")
    (folder / "assets" / "app-1.js").write_text("plain")
    (folder / "assets" / "app-1.js.br").write_bytes(b"packed")
    (tmp_path / "secret.txt").write_text("secret")
    return TestClient(WebApp(folder))


def test_every_page_is_the_page_and_is_never_cached(browser: TestClient) -> None:
    reply = browser.get("/traces/abc")
    assert (reply.text, reply.headers["cache-control"]) == ("<page>", "no-cache")
    assert "default-src 'self'" in reply.headers["content-security-policy"]


def test_assets_are_cached_for_ever_and_sent_packed_to_who_can_unpack(browser: TestClient) -> None:
    plain = browser.get("/assets/app-1.js", headers={"accept-encoding": "identity"})
    assert (plain.text, "immutable" in plain.headers["cache-control"]) == ("plain", True)
    with browser.stream("GET", "/assets/app-1.js", headers={"accept-encoding": "br"}) as packed:
        assert packed.headers["content-encoding"] == "br"
        assert b"".join(packed.iter_raw()) == b"packed"


def test_an_asset_of_another_version_is_missing_and_not_the_page(browser: TestClient) -> None:
    assert browser.get("/assets/app-0.js").status_code == 404


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt", "//secret.txt"]
)
def test_no_path_leads_out_of_the_folder(browser: TestClient, path: str) -> None:
    assert "secret" not in browser.get(path).text


def test_a_build_without_the_web_app_says_how_to_get_it(tmp_path: Path) -> None:
    assert "make ui" in TestClient(WebApp(tmp_path)).get("/").text
    assert TestClient(WebApp(tmp_path)).post("/").status_code == 405


def test_an_sdk_whose_base_url_lacks_v1_is_told_so(browser: TestClient) -> None:
    reply = browser.post("/chat/completions", json={})
    assert (reply.status_code, "ends in /v1" in reply.text) == (405, True)
    assert "ends in /v1" not in browser.post("/traces", json={}).text
