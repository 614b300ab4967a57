"""ParaView's server configuration files: read, written, and refused with a line."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.errors import OptionError
from pvlink.servers import pvsc
from pvlink.servers.address import Address, Place
from pvlink.servers.commands import Command, Manual, Ssh
from pvlink.servers.configuration import Configuration
from pvlink.servers.elements import Element
from pvlink.servers.options import Boolean, Case, Entry, Enumeration, File, Option, Password, Range, Set, String, Switch

pytestmark = pytest.mark.servers

DATA = Path(__file__).parents[2] / "data" / "servers"
CLUSTER = DATA / "cluster.pvsc"
TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"), max_size=12)
NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,12}", fullmatch=True)
WHOLE = st.integers(-1000, 1000)
KINDS = st.one_of(
    st.builds(String, TEXT),
    st.builds(File, TEXT),
    st.builds(Password, TEXT),
    st.builds(Boolean, st.none() | TEXT, TEXT, TEXT),
    st.builds(
        Enumeration, st.lists(st.builds(Entry, TEXT, TEXT.filter(bool)), min_size=1).map(tuple), st.none() | TEXT
    ),
    st.builds(lambda low, more, step: Range(low, low + more, step), WHOLE, st.integers(0, 1000), st.integers(1, 9)),
    st.builds(lambda low, more: Range(low, low + more, 1, random=True), WHOLE, st.integers(0, 1000)),
    st.builds(lambda low, more: Range(low, low + more, 0.1, low, whole=False), st.floats(-9, 9), st.floats(0, 9)),
)
SETS = st.builds(Set, NAMES, TEXT)
SWITCHES = st.builds(Switch, NAMES, st.lists(st.builds(Case, TEXT, st.lists(SETS).map(tuple))).map(tuple))
OPTIONS = st.lists(
    st.builds(Option, NAMES, KINDS, TEXT, st.booleans(), st.booleans()), max_size=4, unique_by=lambda one: one.name
)
SSHS = st.builds(
    Ssh, TEXT, st.integers(0, 65535), TEXT, st.none() | st.integers(0, 65535), st.none() | TEXT, st.booleans()
)
COMMANDS = st.builds(
    Command,
    TEXT.filter(bool),
    st.lists(TEXT, max_size=4).map(tuple),
    st.sampled_from([-1.0, 0.0, 2.5]),
    st.floats(0, 1e6),
    st.none() | SSHS,
)
CONFIGURATIONS = st.builds(
    Configuration,
    TEXT.filter(bool),
    st.just(Address(Place("node17", 11111))),
    st.just(Manual()) | COMMANDS,
    st.tuples(OPTIONS, st.lists(SETS, max_size=2), st.lists(SWITCHES, max_size=2)).map(
        lambda three: (*three[0], *three[1], *three[2])
    ),
    st.none() | st.integers(-1, 1000).map(float),
    st.just((Element("Hints", {"a": "<&\"'\n"}, (Element("Deep"),)),)) | st.just(()),
    st.just((("configuration", ""),)) | st.just(()),
)
Server = Callable[[str], str]


def loads(text: str) -> list[Configuration]:
    return pvsc.loads(text.encode(), "site.pvsc")


def startup(options: str, command: str = '<Command exec="x"/>') -> str:
    return (
        '<Servers>\n<Server name="s" resource="cs://h">\n<CommandStartup>\n'
        f"<Options>\n{options}\n</Options>\n{command}\n</CommandStartup>\n</Server>\n</Servers>"
    )


def test_every_element_is_read() -> None:
    oscar, tunnel, back, by_hand, asked, apart, apart_back = pvsc.read(CLUSTER)

    assert oscar == Configuration(
        "Oscar",
        Address(Place("login.oscar.example.org", 11111), reverse=True),
        Command(
            "ssh -T",
            (
                "-i",
                "$KEY$",
                "$ACCOUNT$@login.$SITE$",
                "/opt/site/start-pvserver",
                "--hours=$HOURS$",
                "$GPU$",
                "-N $NODES$",
                "--back-to=$PV_CLIENT_HOST$:$PV_SERVER_PORT$",
                "--connect-id=$PV_CONNECT_ID$",
                "--version=$PV_VERSION$",
            ),
            delay=2.5,
            process_wait=20,
        ),
        (
            Set("SITE", "oscar.example.org"),
            Option("ACCOUNT", String("guest"), "Account to be charged"),
            Option("NODES", Range(1, 64, 1, 2), "Nodes"),
            Option("HOURS", Range(0.25, 24, 0.25, 1.5, whole=False), "Hours"),
            Option("KEY", File("~/.ssh/id_ed25519"), "SSH key"),
            Option("GPU", Boolean("--gpus-per-node=1", "--gpus-per-node=1", ""), "With graphics cards"),
            Option(
                "QUEUE",
                Enumeration(
                    (
                        Entry("debug", "Debug, half an hour"),
                        Entry("short", "Short"),
                        Entry("", "What the site chooses"),
                    ),
                    "short",
                ),
                "Queue",
            ),
            Option("VERSION", String("5.11.0"), "ParaView there", readonly=True, save=False),
            Option("PV_SERVER_PORT", Range(11111, 22222, random=True), "Port", save=False),
            Option("PV_CONNECT_ID", Range(1, 2**31 - 1, random=True), "Connection ID", readonly=True, save=False),
            Switch(
                "QUEUE",
                (
                    Case("debug", (Set("LIMIT", "--time=30"), Set("NOTE", "debug on $SITE$"))),
                    Case("short", (Set("LIMIT", ""), Set("NOTE", "short on $SITE$"))),
                    Case(""),
                ),
            ),
        ),
        timeout=-1,
        kept=(Element("Hints", {}, (Element("Icon", {"name": "cluster"}),)),),
        kept_attributes=(("configuration", ""),),
    )
    assert tunnel.startup == Command(
        "/opt/site/pvserver",
        ("--server-port=$PV_SERVER_PORT$", "$ARGUMENTS$"),
        5,
        ssh=Ssh("$USER$", 2222, "/usr/bin/ssh", 8080, "xterm", askpass=True),
    )
    assert back.startup == Command("submit-pvserver", delay=-1, process_wait=30, ssh=Ssh(tunnel=0))
    assert (by_hand.startup, str(by_hand.address)) == (Manual(), "cs://amber:20234")
    assert [option.name for option in asked.options] == ["PV_SERVER_PORT", "PV_CONNECT_ID"]
    assert (str(apart.address), apart.timeout) == ("cdsrs://data:11111//render:22221", 15)
    assert (str(apart_back.address), apart_back.startup) == ("cdsrsrc://:11111//:22221", None)


def test_a_file_may_be_one_server_in_another_encoding() -> None:
    (one,) = pvsc.read(DATA / "single.pvsc")

    assert one.name == "Höhle"
    assert str(one.address) == "cs://[fe80::1%eth0]:11111"
    assert one.kept_attributes == (("owner", "site"),)
    assert one.startup == Command("pvserver", ("--server-port=$PV_SERVER_PORT$",), process_wait=3)


@pytest.mark.parametrize("file", sorted(DATA.glob("*.pvsc")), ids=lambda file: file.name)
def test_what_is_read_and_written_is_the_same_again(file: Path, tmp_path: Path) -> None:
    configurations = pvsc.read(file)
    pvsc.write(tmp_path / "again.pvsc", configurations)

    assert pvsc.read(tmp_path / "again.pvsc") == configurations


@settings(deadline=None, max_examples=40)
@given(st.lists(CONFIGURATIONS, max_size=3))
def test_what_is_written_is_read_again(configurations: list[Configuration]) -> None:
    assert loads(pvsc.dumps(configurations)) == configurations


def test_a_file_is_replaced_in_one_go_and_keeps_its_mode(tmp_path: Path) -> None:
    file, link = tmp_path / "deep" / "servers.pvsc", tmp_path / "link.pvsc"
    (one,) = pvsc.read(DATA / "single.pvsc")
    old = os.umask(0o022)
    try:
        pvsc.write(file, [one])
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
        file.chmod(0o600)
        link.symlink_to(file)
        pvsc.write(link, [])
    finally:
        os.umask(old)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert link.is_symlink()
    assert pvsc.read(file) == []
    assert [path.name for path in file.parent.iterdir()] == ["servers.pvsc"]


def test_what_xml_cannot_hold_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "servers.pvsc"
    (one,) = pvsc.read(DATA / "single.pvsc")
    pvsc.write(file, [one])
    with pytest.raises(OptionError, match="which no XML file can hold"):
        pvsc.write(file, [Configuration("a\x01b", one.address)])

    assert pvsc.read(file) == [one]
    assert [path.name for path in tmp_path.iterdir()] == ["servers.pvsc"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"nowhere\.pvsc cannot be read: No such file"):
        pvsc.read(tmp_path / "nowhere.pvsc")
    with pytest.raises(OptionError, match="cannot be written: "):
        pvsc.write(DATA / "single.pvsc" / "x.pvsc", [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<Servers>\n<Server", "site.pvsc, line 2, column 1: this is not XML"),
        ("", "this is not XML"),
        ("<html/>", "line 1: <html> is not a ParaView server configuration"),
        ("<Servers>\n<Host/></Servers>", "line 2: <Host> stands in <Servers>, where only <Server> may"),
        ('<Servers>\n<Server resource="cs://h"/></Servers>', "line 2: <Server> has no name"),
        ('<Server name="s"/>', "<Server> has no resource"),
        ('<Server name="s" resource="csrc://h:port"/>', "server 's': 'csrc://h:port' is not the address"),
        ('<Server name="s" resource="cs://h" timeout="soon"/>', "timeout='soon', which is no number"),
        ('<Server name="s" resource="cs://h"><ManualStartup/><CommandStartup/></Server>', "a second way to start"),
        ('<Server name="s" resource="cs://h"><CommandStartup/></Server>', "has no <Command>"),
        (startup("", "<Command/>"), "line 7: <Command> has no exec"),
        (startup("", '<Command exec="x" delay="-3"/>'), "negative time"),
        (startup("", '<Command exec="x"><Script/></Command>'), "line 7: <Script> stands in <Command>"),
        (startup("", '<SSHCommand exec="x"/>'), "has no <SSHConfig>"),
        (startup("", '<SSHCommand exec="x"><SSHConfig port="ssh"/></SSHCommand>'), "'ssh' is no port"),
        (startup("<Ask/>"), "line 5: <Ask> stands in <Options>"),
        (startup("<Option/>"), "<Option> has no name"),
        (startup('<Option name="A B"><String/></Option>'), "a variable's has no space"),
        (startup('<Option name="A"/>'), "needs one element that says what it takes"),
        (startup('<Option name="A"><Colour/></Option>'), "is no kind of option; there are Range, String"),
        (startup('<Option name="A"><Range min="x"/></Option>'), "min='x', which is no number"),
        (startup('<Option name="A"><Range max="inf"/></Option>'), "max='inf', which is no number"),
        (startup('<Option name="A"><Range min="2" max="1"/></Option>'), "from 2 to 1: no number is that"),
        (startup('<Option name="A"><Range max="1.5"/></Option>'), "a number that is not whole"),
        (startup('<Option name="A"><Range min="3" default="2"/></Option>'), "a default, 2, outside of 3"),
        (startup('<Option name="A"><Enumeration/></Option>'), "has no <Entry> to choose"),
        (startup('<Option name="A"><String/></Option>\n' * 2), "line 5: <Option> 'A' is there twice"),
        (startup('<Switch name="A"><Set name="B" value=""/></Switch>'), "<Set> stands in <Switch>"),
        (startup('<Switch name="A"><Case/></Switch>'), "<Case> has no value"),
        ("<a>" * 100, "more than 32 deep"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        loads(text)

    assert said in str(caught.value)


def test_attributes_that_paraview_does_not_know_are_passed_over() -> None:
    (one,) = loads(startup('<Option name="A" tooltip="t"><String colour="red" default="x"/></Option>'))

    assert one.options == (Option("A", String("x")),)


BOMB = """<?xml version="1.0"?>
<!DOCTYPE Servers [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Servers><Server name="&b;" resource="cs://h"/></Servers>"""
FETCH = """<!DOCTYPE Servers SYSTEM "http://127.0.0.1:1/x.dtd">\n<Servers/>"""
PEEK = """<!DOCTYPE S [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<Server name="&x;" resource="cs://h"/>"""


@pytest.mark.parametrize("text", [BOMB, FETCH, PEEK])
def test_entities_are_neither_expanded_nor_fetched(text: str) -> None:
    with pytest.raises(OptionError, match="declares a document type"):
        loads(text)


def test_an_entity_that_nobody_declared_is_no_xml() -> None:
    with pytest.raises(OptionError, match="undefined entity"):
        loads('<Server name="&secret;" resource="cs://h"/>')


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "large.pvsc"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(OptionError, match="a server configuration has 1048576 at most"):
        pvsc.read(file)


def test_a_server_is_found_by_its_name_or_by_being_the_only_one() -> None:
    configurations = pvsc.read(CLUSTER)
    names = "'Oscar', 'Tunnel', 'Tunnel back', 'By hand', 'By hand, asked', 'Apart', 'Apart, and back'"

    assert pvsc.find(configurations, "Tunnel") is configurations[1]
    assert pvsc.find(configurations[:1]) is configurations[0]
    with pytest.raises(OptionError, match=f"There is no server 'oscar' here. There are: {names}"):
        pvsc.find(configurations, "oscar")
    with pytest.raises(OptionError, match=f"Which server. There are {names}: name one, as in name='Oscar'"):
        pvsc.find(configurations)
    with pytest.raises(OptionError, match="no server configuration here"):
        pvsc.find([], "Oscar")


def test_of_two_with_one_name_the_later_wins() -> None:
    one, other = (Configuration("s", Address(Place(host, 1))) for host in ("first", "second"))

    assert pvsc.find([one, other], "s") is other
    assert pvsc.find([one, other]) is other


def test_paraviews_own_places_are_looked_in_the_users_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "pvpython"
    site, older, mine = (
        tmp_path / "bin" / "default_servers.pvsc",
        tmp_path / "config" / "ParaView-5.9" / "servers.pvsc",
        tmp_path / "config" / "ParaView" / "servers.pvsc",
    )
    for number, file in enumerate((site, older, mine)):
        file.parent.mkdir(parents=True, exist_ok=True)
        pvsc.write(file, [Configuration("s", Address(Place(f"host{number}", 1)))])
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("pvlink.pvpython.PLACES", ())
    older.write_text("no XML")

    assert [file for file in pvsc.places() if file.is_relative_to(tmp_path)] == [site, older, mine]
    assert pvsc.find(pvsc.known(), "s").address.server.host == "host2"
