"""What is asked of browsers: their cookie's name, where requests come from, how often sign-in may fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.errors import PermissionRefused, RateLimited
from sternpost.capabilities.access.browser import SignInAttempts, Site

HTTPS = Site("https://sternpost.example.org", 4100)
LOCAL = Site("", 4100)


def test_the_cookie_is_bound_to_the_host_over_https_and_named_by_the_port_over_http() -> None:
    assert HTTPS.cookie == "__Host-sternpost_session"
    assert LOCAL.cookie == "sternpost_session_4100"
    assert Site("", 4101).cookie != LOCAL.cookie


@pytest.mark.parametrize(
    ("site", "headers"),
    [
        (LOCAL, {}),  # no browser
        (LOCAL, {"sec-fetch-site": "same-origin", "origin": "http://localhost:5173", "host": "localhost:1"}),
        (LOCAL, {"origin": "http://localhost:4100", "host": "localhost:4100"}),
        (HTTPS, {"origin": "https://sternpost.example.org", "host": "127.0.0.1:4100"}),
        (HTTPS, {"sec-fetch-site": "none"}),
    ],
)  # fmt: skip
def test_changes_of_own_pages_are_let_through(site: Site, headers: dict[str, str]) -> None:
    site.refuse_foreign(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-site", "origin": "http://localhost:3000", "host": "localhost:4100"},
        {"sec-fetch-site": "cross-site", "host": "localhost:4100"},
        {"origin": "http://localhost:3000", "host": "localhost:4100"},
        {"origin": "null", "host": "localhost:4100"},
        {"origin": "null"},
    ],
)
def test_changes_of_other_pages_are_refused(headers: dict[str, str]) -> None:
    for site in (LOCAL, HTTPS):
        with pytest.raises(PermissionRefused):
            site.refuse_foreign(headers)


@pytest.mark.parametrize(
    ("site", "peer", "said", "sender"),
    [
        (HTTPS, "127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (HTTPS, "10.0.0.2", "203.0.113.9", "203.0.113.9"),
        (HTTPS, "8.8.8.8", "203.0.113.9", "8.8.8.8"),  # not a proxy of ours
        (HTTPS, "127.0.0.1", "", "127.0.0.1"),
        (LOCAL, "127.0.0.1", "203.0.113.9", "127.0.0.1"),  # no proxy is set up
    ],
)
def test_the_sender_is_the_peer_or_what_our_proxy_says(site: Site, peer: str, said: str, sender: str) -> None:
    assert site.sender(peer, {"x-forwarded-for": said}) == sender


def test_an_address_that_failed_too_often_waits() -> None:
    attempts = SignInAttempts(most=3, window_s=60)
    for at_s in (0, 1, 2):
        attempts.check("203.0.113.9", at_s)
        attempts.failed("203.0.113.9", at_s)
    with pytest.raises(RateLimited) as refused:
        attempts.check("203.0.113.9", 10)
    assert refused.value.retry_after_s == 50  # 60 after the first
    attempts.check("203.0.113.10", 10)
    attempts.check("203.0.113.9", 60)


def test_one_network_of_ipv6_is_one_sender() -> None:
    attempts = SignInAttempts(most=1)
    attempts.failed("2001:db8::1", 0)
    attempts.check("2001:db8:0:1::1", 1)
    with pytest.raises(RateLimited):
        attempts.check("2001:db8::ffff", 1)


@given(st.lists(st.integers(0, 30), max_size=200))
def test_what_is_remembered_stays_small(addresses: list[int]) -> None:
    attempts = SignInAttempts(most=2, addresses=5)
    for at_s, number in enumerate(addresses):
        attempts.failed(f"10.0.0.{number}", at_s)
    assert len(attempts._failed) <= 5
    assert all(len(times) <= 2 for times in attempts._failed.values())
