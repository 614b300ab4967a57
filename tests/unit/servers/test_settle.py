"""A server configuration with its questions answered: variables, address and command, as ParaView would have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pvlink.errors import OptionError
from pvlink.servers import pvsc
from pvlink.servers.address import Address, Place
from pvlink.servers.commands import Command, Manual, Ssh
from pvlink.servers.configuration import Configuration, Settled
from pvlink.servers.options import (
    Ask,
    Boolean,
    Case,
    Entry,
    Enumeration,
    File,
    Kind,
    Option,
    Password,
    Range,
    Set,
    String,
    Switch,
)

pytestmark = pytest.mark.servers

CLUSTER = pvsc.read(Path(__file__).parents[2] / "data" / "servers" / "cluster.pvsc")
HERE = Address(Place("node17", 11111))


def cluster(name: str, **values: Any) -> Settled:
    """As on a machine where nothing is left to chance."""
    configuration = pvsc.find(CLUSTER, name)
    return configuration.settle(
        values, host="here", version="5.11.0", environment={"USER": "eve"}, draw=lambda below: min(1000, below - 1)
    )


def server(*asks: Ask, arguments: tuple[str, ...] = (), **more: Any) -> Configuration:
    return Configuration("s", HERE, more.get("startup") or Command("x", arguments, **more), asks)


def option(kind: Kind, name: str = "A", **more: Any) -> Option:
    return Option(name, kind, **more)


def test_with_all_defaults() -> None:
    settled = cluster("Oscar")

    assert settled.argv == (
        "ssh",
        "-T",
        "-i",
        "~/.ssh/id_ed25519",
        "guest@login.oscar.example.org",
        "/opt/site/start-pvserver",
        "--hours=1.5",
        "--gpus-per-node=1",
        "-N 2",
        "--back-to=here:12111",
        "--connect-id=1001",
        "--version=5.11",
    )
    assert settled.variables == {
        "ACCOUNT": "guest",
        "GPU": "--gpus-per-node=1",
        "HOURS": "1.5",
        "KEY": "~/.ssh/id_ed25519",
        "LIMIT": "",
        "NODES": "2",
        "NOTE": "short on $SITE$",
        "PV_APPLICATION_NAME": "pvlink",
        "PV_CLIENT_HOST": "here",
        "PV_CLIENT_PLATFORM": "Linux",
        "PV_CONNECTION_SCHEME": "csrc",
        "PV_CONNECTION_URI": "csrc://login.oscar.example.org:12111",
        "PV_CONNECT_ID": "1001",
        "PV_DATA_SERVER_HOST": "",
        "PV_DATA_SERVER_PORT": "-1",
        "PV_RENDER_SERVER_HOST": "",
        "PV_RENDER_SERVER_PORT": "-1",
        "PV_SERVER_HOST": "login.oscar.example.org",
        "PV_SERVER_PORT": "12111",
        "PV_SSH_PF_SERVER_PORT": "12111",
        "PV_VERSION": "5.11",
        "PV_VERSION_FULL": "5.11.0",
        "PV_VERSION_MAJOR": "5",
        "PV_VERSION_MINOR": "11",
        "PV_VERSION_PATCH": "0",
        "QUEUE": "short",
        "SITE": "oscar.example.org",
        "VERSION": "5.11.0",
    }
    assert (settled.name, str(settled.address)) == ("Oscar", "csrc://login.oscar.example.org:12111")
    assert (settled.connect_id, settled.timeout, settled.delay, settled.process_wait) == (1001, None, 2.5, 20)


def test_with_answers() -> None:
    settled = cluster("Oscar", NODES=8, HOURS="3", GPU=False, QUEUE="debug", ACCOUNT="a1", PV_SERVER_PORT=11222)

    assert settled.argv[4:10] == (
        "a1@login.oscar.example.org",
        "/opt/site/start-pvserver",
        "--hours=3",
        # The argument of the option that says no is not there at all.
        "-N 8",
        "--back-to=here:11222",
        "--connect-id=1001",
    )
    assert settled.variables["LIMIT"] == "--time=30"
    assert settled.variables["NOTE"] == "debug on $SITE$"
    assert settled.address.server.port == 11222
    # Nothing random, nothing secret, nothing that is not asked for.
    assert settled.answers == {
        "ACCOUNT": "a1",
        "NODES": "8",
        "HOURS": "3",
        "KEY": "~/.ssh/id_ed25519",
        "GPU": "",
        "QUEUE": "debug",
    }


def test_a_tunnel_by_ssh_ends_here() -> None:
    settled = cluster("Tunnel", ARGUMENTS="--mesa --swr")

    assert settled.argv == (
        "/usr/bin/ssh",
        "-L",
        "8888:localhost:11115",
        "-o",
        "ExitOnForwardFailure=yes",
        "-p",
        "2222",
        "eve@login.oscar.example.org",
        "/opt/site/pvserver",
        "--server-port=11115",
        "--mesa",
        "--swr",
    )
    assert str(settled.address) == "cs://localhost:8888"
    assert str(settled.server) == "cs://login.oscar.example.org:11115"
    assert settled.remote


def test_a_tunnel_back_leads_to_the_port_where_we_listen() -> None:
    settled = cluster("Tunnel back")

    assert settled.argv == (
        "ssh",
        "-R",
        "11116:localhost:11116",
        "-o",
        "ExitOnForwardFailure=yes",
        "gateway.example.org",
        "submit-pvserver",
    )
    assert str(settled.address) == "csrc://gateway.example.org:11116"
    assert (settled.delay, settled.process_wait) == (-1, 30)


def test_what_is_started_by_hand_has_no_command() -> None:
    settled = cluster("By hand, asked", PV_SERVER_PORT=2000, PV_CONNECT_ID=77)

    assert (settled.argv, settled.connect_id, str(settled.address)) == ((), 77, "csrc://amber:2000")
    # A range without a default begins at its end.
    assert cluster("By hand, asked", PV_CONNECT_ID=77).address.server.port == 1025


def test_an_id_that_nobody_could_give_to_the_server_is_not_made_up() -> None:
    with pytest.raises(OptionError, match=r"started by hand.*PV_CONNECT_ID=<number>"):
        pvsc.find(CLUSTER, "By hand, asked").settle()


def test_two_servers_get_their_ports() -> None:
    asks = tuple(option(Range(1, 65535), f"PV_{which}_SERVER_PORT") for which in ("DATA", "RENDER"))
    apart = Configuration("s", Address(Place("d", 1), Place("r", 2)), Manual(), asks)
    settled = apart.settle({"PV_DATA_SERVER_PORT": 5, "PV_RENDER_SERVER_PORT": 6})

    assert str(settled.address) == settled.variables["PV_CONNECTION_URI"] == "cdsrs://d:5//r:6"
    assert str(apart.settle({"PV_DATA_SERVER_PORT": 5, "PV_RENDER_SERVER_PORT": 5}).address) == "cdsrs://d:5//r:5"
    back = replace(apart, address=Address(Place("", 1), Place("", 2), reverse=True))
    with pytest.raises(OptionError, match="cannot share port 5"):
        back.settle({"PV_DATA_SERVER_PORT": 5, "PV_RENDER_SERVER_PORT": 5})
    tunnelled = replace(apart, startup=Command("x", ssh=Ssh(tunnel=0)))
    with pytest.raises(OptionError, match=r"<PortForwarding> makes a tunnel for cs:// and csrc:// only.*cdsrs://"):
        tunnelled.settle({"PV_DATA_SERVER_PORT": 5, "PV_RENDER_SERVER_PORT": 6})


@pytest.mark.parametrize(
    ("kind", "value", "becomes"),
    [
        (Range(1, 9), 9, "9"),
        (Range(1, 9), "1", "1"),
        (Range(1, 9), 4.0, "4"),
        (Range(0, 2**53), 2**53 - 1, "9007199254740991"),
        (Range(0, 1, whole=False), 0.25, "0.25"),
        (Range(0, 1, whole=False), 1, "1"),
        (String(), "a b", "a b"),
        (String(), 5, "5"),
        (File(), "/data/run 1", "/data/run 1"),
        (Boolean(), True, "1"),
        (Boolean(true="yes", false="no"), "no", "no"),
        (Enumeration((Entry("a", "First"), Entry("b", "a"))), "a", "a"),
        (Enumeration((Entry("a", "First"), Entry("b", "Second"))), "Second", "b"),
        (Enumeration((Entry("1", "one"), Entry("2", "two"))), 2, "2"),
    ],
)
def test_a_right_value_becomes_text(kind: Kind, value: Any, becomes: str) -> None:
    assert server(option(kind)).settle({"A": value}).variables["A"] == becomes


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (Range(1, 9), 0, "0 is not a whole number from 1 to 9"),
        (Range(1, 9), 10, "from 1 to 9"),
        (Range(1, 9), 2.5, "a whole number"),
        (Range(1, 9), "two", "'two' is not a whole number"),
        (Range(1, 9), True, "a whole number"),
        (Range(0, 1, whole=False), float("nan"), "not a number from 0 to 1"),
        (Range(0, 1, whole=False), float("inf"), "from 0 to 1"),
        (Range(0, 1, whole=False), "1e9", "from 0 to 1"),
        (String(), "a\nb", "a line break"),
        (String(), "a\x00b", "control character"),
        (String(), True, "is no text"),
        (File(), "a\rb", "a line break"),
        (Boolean(), "true", "neither True nor False"),
        (Enumeration((Entry("a", "First"), Entry("b", "Second"))), "c", "Choose one of 'a', 'b'"),
        (Enumeration((Entry("1", "one"),)), True, "is no choice"),
        (Password(), "sesame", "would stand in the list of processes"),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_right(kind: Kind, value: Any, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        server(option(kind)).settle({"A": value})

    assert said in str(caught.value)
    assert "Server 's', option A" in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_a_file_that_wants_a_password_is_refused_also_without_one() -> None:
    with pytest.raises(OptionError, match="ssh-agent"):
        server(option(Password())).settle()


def test_an_option_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(OptionError, match=r"'s' has no option 'C'\. Its options: A, B\."):
        server(option(String()), option(String(), "B")).settle({"C": 1})
    with pytest.raises(OptionError, match="it has none"):
        server().settle({"C": 1})


def test_what_is_read_only_stays_as_it_is() -> None:
    fixed = server(option(String("x"), readonly=True))

    assert fixed.settle({"A": "x"}).variables["A"] == "x"
    with pytest.raises(OptionError, match="read-only"):
        fixed.settle({"A": "y"})


def test_a_random_number_that_was_shown_is_the_one_that_is_used() -> None:
    assert server(option(Range(1, 9, random=True), readonly=True)).settle({"A": 7}).variables["A"] == "7"


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        (Boolean("true"), "0"),
        (Boolean("1"), "1"),
        (Boolean("yes", "yes", "no"), "yes"),
        (Enumeration((Entry("a", "A"), Entry("", "none")), "none"), ""),
        (Enumeration((Entry("a", "A"), Entry("b", "B")), "gone"), "a"),
        (Enumeration((Entry("a", "A"),)), "a"),
        (Range(3, 9), "3"),
        (Range(0, 9, default=2.0), "2"),
        (Range(5, 9, random=True), "9"),
        (Range(0, 1, whole=False, random=True), "0.5"),
    ],
)
def test_defaults_are_paraviews(kind: Kind, first: str) -> None:
    assert (
        server(option(kind)).settle(draw=lambda below: below - 1 if below < 9 else below // 2).variables["A"] == first
    )


def test_a_random_number_is_another_each_time_and_within_its_bounds() -> None:
    drawn = {server(option(Range(5, 8, random=True))).settle().variables["A"] for _ in range(200)}

    assert drawn == {"5", "6", "7", "8"}


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("$A$", ("-n", "4")),
        ("--all=$A$", ("--all=-n", "4")),
        # Written with a space it is one word.
        ("run $A$", ("run -n 4",)),
        ("$EMPTY$", ()),
        ("--x=$EMPTY$", ("--x=",)),
        ("$FILE$", ("/data/run 1",)),
        ("$QUOTED$", ("a b", "c")),
        ("$NESTED$", ("<", "-n", "4", ">")),
        ("$HOME$/bin", ("/home/eve/bin",)),
        ("$1", ("$1",)),
        ("a$b", ("a$b",)),
        ("; rm -rf $HOME", ("; rm -rf $HOME",)),
        ("$(reboot)", ("$(reboot)",)),
        ("", ()),
    ],
)
def test_words_are_cut_where_paraview_cuts_them(argument: str, words: tuple[str, ...]) -> None:
    asks = (
        option(String("-n 4")),
        option(String(), "EMPTY"),
        option(File("/data/run 1"), "FILE"),
        option(String('"a b" c'), "QUOTED"),
        Set("NESTED", "< $A$ >"),
    )
    configuration = server(*asks, arguments=(argument,))

    assert configuration.settle(environment={"HOME": "/home/eve"}).argv == ("x", *words)


def test_no_shell_reads_what_a_user_says() -> None:
    asked = server(option(String()), arguments=("--name=$A$",))

    assert asked.settle({"A": "$(reboot);`reboot`|x"}).argv == ("x", "--name=$(reboot);`reboot`|x")


@pytest.mark.parametrize(
    "value", ["a;reboot", "$(reboot)", "`reboot`", "a|b", "a>b", "a&b", "'", '"', "\\", "*", "{a,b}", "!x"]
)
def test_over_ssh_what_a_remote_shell_would_read_is_refused(value: str) -> None:
    asked = server(option(String()), arguments=("$A$",), ssh=Ssh())
    with pytest.raises(OptionError, match="goes to a shell on node17"):
        asked.settle({"A": value})


def test_over_ssh_what_the_file_itself_says_is_as_in_paraview() -> None:
    asked = server(option(String("a;b")), arguments=("$A$", "&&", "$A$"), ssh=Ssh())

    assert asked.settle({"A": "a;b"}).argv == ("ssh", "node17", "x", "a;b", "&&", "a;b")


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        (server(arguments=("$NOPE$",)), "asks for $NOPE$, which is no option of it"),
        (server(Set("A", "$B$"), Set("B", "$A$"), arguments=("$A$",)), "stands for itself"),
        (server(option(String()), startup=Command("$A$")), "its command is empty"),
        (server(arguments=("a\nb",)), "has a control character"),
        (server(Set("A", "a\0b")), "has a character that no environment takes"),
        (server(option(String("no"), "PV_SERVER_PORT")), "'no' is no port"),
        (server(option(String("no"), "PV_CONNECT_ID")), "its connect-id is a whole number"),
        (server(option(Range(0, 99999999999), "PV_CONNECT_ID", label="")), None),
        (server(ssh=Ssh("-oProxyCommand=x")), "is no user's name"),
        (server(ssh=Ssh("a b")), "is no user's name"),
        (replace(server(ssh=Ssh()), address=Address(Place("", 1), reverse=True)), "names no host to log in to"),
        (server(option(String("99999"), "PV_SSH_PF_SERVER_PORT"), ssh=Ssh(tunnel=0)), "the port of its tunnel"),
    ],
)
def test_a_command_that_cannot_be_is_answered_with_a_sentence(configuration: Configuration, said: str | None) -> None:
    if said is None:
        # ParaView's word for none.
        assert configuration.settle().connect_id is None
        return
    with pytest.raises(OptionError) as caught:
        configuration.settle()

    assert said in str(caught.value)
    assert "'s'" in str(caught.value)


def test_a_switch_goes_by_what_was_answered_and_may_set_a_port() -> None:
    switch = Switch("A", (Case("x", (Set("PV_SERVER_PORT", "5"),)), Case("y", (Set("PV_SERVER_PORT", "6"),))))
    asked = server(option(String("x")), switch, Switch("NOPE", (Case("x", (Set("B", "1"),)),)))

    assert asked.settle().address.server.port == 5
    assert asked.settle({"A": "y"}).address.server.port == 6
    assert asked.settle({"A": "z"}).address.server.port == 11111
    assert "B" not in asked.settle().variables


def test_the_platform_can_be_switched_on() -> None:
    switch = Switch("PV_CLIENT_PLATFORM", (Case("Windows"), Case("Linux", (Set("TERM", "xterm"),))))

    assert server(switch).settle().variables["TERM"] == "xterm"


def test_an_environment_does_not_name_another_server() -> None:
    around = {"PV_CONNECT_ID": "5", "PV_SERVER_PORT": "5", "PV_SSH_PF_SERVER_PORT": "5", "HOME": "/home/eve"}
    settled = server(arguments=("$HOME$",)).settle(environment=around)

    assert (settled.connect_id, settled.address.server.port, settled.argv) == (None, 11111, ("x", "/home/eve"))
    # What is there already need not be given again.
    assert "HOME" not in settled.variables


@pytest.mark.parametrize(
    ("timeout", "reverse", "seconds"),
    [(None, False, 60), (None, True, None), (-1, False, None), (15, True, 15), (0, False, 0)],
)
def test_patience_is_paraviews(timeout: float | None, reverse: bool, seconds: float | None) -> None:
    address = Address(Place("h", 1), reverse=reverse)

    assert Configuration("s", address, timeout=timeout).settle().timeout == seconds


def test_what_is_settled_prints_no_secret() -> None:
    settled = cluster("Oscar", PV_CONNECT_ID="1001")

    assert "1001" not in repr(settled)
