"""What kernel and carrier say to each other; what may be a host's name."""

from __future__ import annotations

import os
import socket

import pytest

from pvlink.errors import JobError, OptionError
from pvlink.launchers import words
from pvlink.launchers.carrier import wire
from pvlink.launchers.shells.ssh import Ssh
from pvlink.launchers.site import Ssh as Facts


def test_a_message_comes_with_its_descriptor() -> None:
    ours, theirs = wire.pair()
    one, other = socket.socketpair()
    with ours, theirs, one, other:
        wire.send(ours, {"id": 1}, one.fileno())
        heard = wire.receive(theirs)
        assert heard is not None
        message, fd = heard
        assert message == {"id": 1}
        assert fd is not None
        with socket.socket(fileno=fd) as came:
            came.send(b"x")
        assert other.recv(1) == b"x"
        wire.send(ours, {"text": "y" * 100_000})
        assert wire.receive(theirs) == ({"text": "y" * 100_000}, None)


def test_what_is_too_long_is_refused_or_cut() -> None:
    ours, theirs = wire.pair()
    with ours, theirs, pytest.raises(ValueError, match="is more than"):
        wire.send(ours, {"text": "y" * wire.MOST})
    assert wire.cut("y" * 100_000 + "end").endswith("yend")
    assert len(wire.cut("y" * 100_000)) == wire.TEXT + 3


def test_an_end_is_seen() -> None:
    ours, theirs = wire.pair()
    with ours:
        theirs.close()
        assert wire.receive(ours) is None


@pytest.mark.parametrize("text", ["login.example.org", "me@gateway:2222", "10.99.1.1", "::1", ""])
def test_a_host_has_a_name(text: str) -> None:
    assert words.host(text, "ssh") == text


@pytest.mark.parametrize("text", ["-oProxyCommand=x", "a b", "a\n", "a;b", "$(x)", ".x", "ä", "x" * 300])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="ssh"):
        words.host(text, "ssh")


def test_a_host_that_is_not_there_is_said_so() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        shell = Ssh(Facts("127.0.0.1", port=port))
        try:
            with pytest.raises(JobError, match=r"127\.0\.0\.1 cannot be reached by ssh: .*refused"):
                shell.run(["true"])
            # And again: the carrier lives.
            with pytest.raises(JobError, match="cannot be reached"):
                shell.run(["true"])
        finally:
            shell.close()
            shell.close()


def test_nothing_of_a_carrier_is_left() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    shell = Ssh(Facts("no-such-host.invalid"))
    with pytest.raises(JobError, match="cannot be reached by ssh"):
        shell.run(["true"])
    process = shell._process
    assert process is not None
    shell.close()
    assert process.poll() is not None
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
