"""Which names and origins are ours."""

from __future__ import annotations

import ipaddress
import re
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.streamer.doors import HEADERS, is_ours, known_host, same_origin

pytestmark = pytest.mark.trust

NAMES = frozenset({"localhost", "node7", "node7.cluster.example"})


KNOWN = """
localhost localhost:8443 LocalHost:1 node7:8443 node7.cluster.example:8443
127.0.0.1:8443 127.0.0.1 192.0.2.7:8443 [::1]:8443 [::1] [2001:db8::1]:65535
"""
UNKNOWN = """
:8443 evil.example evil.example:8443 localhost.evil.example evil-localhost node7.evil.example
localhost. 127.0.0.1.nip.io 127.0.0.1. evil.example@localhost localhost@evil.example:8443 * localhost:999999
localhost/ localhost/evil.example localhost? localhost# localhost\\ localhost: localhost:x localhost:8443:1
::1 [::1 [evil.example] 2130706433 0x7f000001 127.1 [::1%eth0]
"""


@pytest.mark.parametrize("host", KNOWN.split())
def test_our_names_and_plain_addresses_are_known(host: str) -> None:
    assert known_host(host, NAMES)


# The last two look like localhost: one with a Cyrillic a, one with a wide l.
@pytest.mark.parametrize(
    "host",
    [*UNKNOWN.split(), "", "localhost evil.example", "localhost\tx", "localhost\n", "loc\u0430lhost", "\uff4cocalhost"],
)
def test_all_other_names_are_not(host: str) -> None:
    assert not known_host(host, NAMES)


@given(st.text(max_size=40))
def test_whatever_a_host_header_holds_the_answer_is_a_plain_no_or_one_of_ours(host: str) -> None:
    if known_host(host, NAMES):
        name = re.sub(r":[0-9]{1,5}$", "", host) if not host.endswith("]") else host
        assert name.lower() in NAMES or ipaddress.ip_address(name.strip("[]"))


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("https://localhost:8443", "localhost:8443", True),
        ("https://LOCALHOST:8443", "localhost:8443", True),
        ("https://[::1]:8443", "[::1]:8443", True),
        ("https://127.0.0.1:8443", "127.0.0.1:8443", True),
        (None, "localhost:8443", False),
        ("", "localhost:8443", False),
        ("null", "localhost:8443", False),
        ("file://", "localhost:8443", False),
        ("http://localhost:8443", "localhost:8443", False),
        ("wss://localhost:8443", "localhost:8443", False),
        ("https://localhost", "localhost:8443", False),
        ("https://localhost:8444", "localhost:8443", False),
        ("https://localhost:84430", "localhost:8443", False),
        ("https://localhost.:8443", "localhost:8443", False),
        ("https://evil.example", "localhost:8443", False),
        ("https://localhost:8443.evil.example", "localhost:8443", False),
        ("https://evil-localhost:8443", "localhost:8443", False),
        ("https://a.localhost:8443", "localhost:8443", False),
        ("https://ann@localhost:8443", "localhost:8443", False),
        ("https://localhost:8443@evil.example", "localhost:8443", False),
        ("https://localhost:8443/", "localhost:8443", False),
        ("https://localhost:8443, https://evil.example", "localhost:8443", False),
        ("https://127.0.0.1:8443", "localhost:8443", False),
        ("https://", "", False),
    ],
)
def test_origins_are_decided_right(origin: str | None, host: str, ours: bool) -> None:
    assert same_origin(origin, host) is ours


def test_the_other_end_of_a_unix_socket_is_known() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert is_ours(one)
    with socket.socket(socket.AF_INET) as tcp:
        assert not is_ours(tcp)


def test_somebody_else_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pvlink.rendezvous.peer_uid", lambda sock: 12345)
    one, other = socket.socketpair()
    with one, other:
        assert not is_ours(one)


def test_the_page_may_do_little() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self';" in policy
    assert HEADERS["Cache-Control"] == "no-store"
