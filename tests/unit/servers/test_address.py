"""Addresses of ParaView servers: what is one, what is not, and what is said then."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.errors import OptionError
from pvlink.servers.address import Address, Place, parse

pytestmark = pytest.mark.servers

HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
)
PORTS = st.integers(1, 65535)
PLACES = st.builds(Place, HOSTS, PORTS)
OURS = st.builds(Place, st.just(""), PORTS)
ADDRESSES = st.one_of(
    st.builds(Address, PLACES),
    st.builds(Address, OURS | PLACES, st.none(), st.just(True)),
    st.builds(Address, PLACES, PLACES),
    st.builds(Address, OURS | PLACES, OURS | PLACES, st.just(True)),
).filter(lambda one: one.render is None or one.render.port != one.server.port)


@settings(deadline=None)
@given(ADDRESSES)
def test_what_is_written_is_read_again(address: Address) -> None:
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("cs://node17:11111", Address(Place("node17", 11111))),
        ("cs://node17", Address(Place("node17", 11111))),
        ("cs://node17/", Address(Place("node17", 11111))),
        ("CS://node17.example.org:1", Address(Place("node17.example.org", 1))),
        ("node17", Address(Place("node17", 11111))),
        ("node17:22000", Address(Place("node17", 22000))),
        ("10.0.0.7:22000", Address(Place("10.0.0.7", 22000))),
        ("[::1]:22000", Address(Place("::1", 22000))),
        ("cs://[fe80::1%eth0]", Address(Place("fe80::1%eth0", 11111))),
        ("csrc://", Address(Place("", 11111), reverse=True)),
        ("csrc://:11112", Address(Place("", 11112), reverse=True)),
        ("csrc://gateway:11112", Address(Place("gateway", 11112), reverse=True)),
        ("cdsrs://d//r", Address(Place("d", 11111), Place("r", 22221))),
        ("cdsrs://d/r", Address(Place("d", 11111), Place("r", 22221))),
        ("cdsrs://d:1/r:2/", Address(Place("d", 1), Place("r", 2))),
        ("cdsrs://[::1]:1//[::2]:1", Address(Place("::1", 1), Place("::2", 1))),
        ("cdsrsrc://:1//:2", Address(Place("", 1), Place("", 2), reverse=True)),
        ("cdsrsrc:////", Address(Place("", 11111), Place("", 22221), reverse=True)),
    ],
)
def test_each_form_is_understood(text: str, address: Address) -> None:
    assert parse(text) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("cs://", "the host is missing"),
        ("cs://:11111", "the host is missing"),
        ("cs:", "what follows the colon is missing"),
        ("cs://node17:", "'' is no port"),
        ("cs://node17:http", "'http' is no port"),
        ("cs://node17:0", "'0' is no port"),
        ("cs://node17:65536", "a number from 1 to 65535"),
        ("cs://node17:99999999999999999999", "is no port"),
        ("node17:eleven", "'eleven' is no port"),
        ("cs://node 17", "a space"),
        ("cs://node17\n", "a control character"),
        ("cs://node17\x00", "a control character"),
        ("cs://knöten", "a letter of no URL"),
        ("cs://node17/data", "is not a host and a port"),
        ("cs://me@node17", "is no host's name"),
        ("cs://-oProxyCommand=x", "is no host's name"),
        ("::1", "stands in brackets"),
        ("cs://::1", "is not a host and a port"),
        ("cs://[node17]:1", "is no IPv6 address"),
        ("http://node17:11111", "is a web server's"),
        ("ssh://node17", "is a login"),
        ("catalyst://node17:22222", "pvlink.session().monitor(...)"),
        ("builtin:", "ParaView without a server"),
        ("pv://node17", "ParaView has no pv://"),
        ("cdsrs://data:11111", "names two servers"),
        ("cdsrs://:1//render:2", "the host is missing"),
        ("cdsrs://d:1//r:2//x", "is not a host and a port"),
        ("cdsrs://d:5//d:5", "cannot share port 5"),
        ("cdsrsrc://:5//:5", "cannot share port 5"),
    ],
)
def test_a_mistake_is_named_and_a_right_one_shown(text: str, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(text)

    message = str(caught.value)
    assert said in message
    assert repr(text) in message
    assert "cs://node17:11111" in message or "A right one: c" in message


@settings(deadline=None)
@given(st.text(max_size=40))
def test_nothing_but_an_address_or_a_sentence_comes_back(text: str) -> None:
    try:
        address = parse(text)
    except OptionError:
        return
    assert parse(str(address)) == address
