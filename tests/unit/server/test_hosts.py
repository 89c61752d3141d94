"""A server on loopback answers to its own names only: a page can turn its own name to 127.0.0.1."""

from pathlib import Path

import pytest

from sternpost.base.errors import HostRefused
from sternpost.base.settings import Settings
from sternpost.server.hosts import Hosts


def is_served(asked: str | None, **settings: str) -> bool:
    hosts = Hosts(Settings(home=Path(), **settings))  # type: ignore[arg-type]
    headers = [(b"accept", b"*/*")] + ([] if asked is None else [(b"host", asked.encode())])
    try:
        hosts.check(headers)
    except HostRefused:
        return False
    return True


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:4100", "LOCALHOST:5000", "localhost.", "app.localhost:1", "127.0.0.1:4100",
     "127.9.9.9", "[::1]:4100", "[::1]", None],
)  # fmt: skip
def test_names_of_loopback_are_served(host: str | None) -> None:
    assert is_served(host)
    assert is_served(host, host="::1")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4100", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:4100",
     "[2001:db8::1]", "evil.example:", "", ":4100", "localhost:80:80", "user@localhost"],
)  # fmt: skip
def test_other_names_are_refused(host: str) -> None:
    assert not is_served(host)
    assert not is_served(host, host="localhost")


def test_the_public_url_and_named_hosts_are_served() -> None:
    assert is_served("Sternpost.example.org", public_url="https://sternpost.example.org:8443/")
    assert is_served("host.docker.internal:4100", allowed_hosts="a.example, Host.Docker.Internal")
    assert is_served("evil.example", allowed_hosts="*")
    assert not is_served("b.example", allowed_hosts="a.example", public_url="https://c.example")


def test_on_the_network_any_name_is_served_unless_some_are_named() -> None:
    assert is_served("10.0.0.7:4100", host="0.0.0.0", public_url="https://c.example")  # a probe of Kubernetes
    assert not is_served("10.0.0.7:4100", host="0.0.0.0", allowed_hosts="c.example")


def test_names_that_were_good_stay_few() -> None:
    hosts = Hosts(Settings(home=Path()))
    for port in range(3000):
        hosts.check([(b"host", b"localhost:%d" % port)])
    assert len(hosts._seen) <= 1000
