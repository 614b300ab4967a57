"""Each way to get a connection wrong: its reason, its sentence, and how long it took."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import Any

import pytest

from pvlink.streamer.pvserver import approach, names, peers
from pvlink.streamer.pvserver.approach import nearest
from pvlink.streamer.pvserver.handshake import DIGEST_5_11, DIGESTS, Introduction
from tests.unit.streamer.pvserver import nasty
from tests.unit.streamer.pvserver.conftest import Desk

pytestmark = pytest.mark.servers

# `md5sum Parallel/Core/vtkSocketCommunicator.cxx` in the VTK that each release brings.
RELEASED = {
    **dict.fromkeys(("5.9", "5.10"), b"e28e389cfc6f7863e0d23701201f7d63"),
    **dict.fromkeys(("5.12", "5.13"), b"fed88705215b54d5101b1b6e9f76673e"),
    **dict.fromkeys(("6.0", "6.1"), b"8b9893cd135e41165164da7f5d2f922e"),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


async def test_a_server_that_is_right_is_there_at_once(desk: Desk) -> None:
    with nasty.listening(nasty.paraview(connect_id=7)) as port:
        begin = time.monotonic()
        desk.connect(port, connect_id=7)
        state = await desk.reach("ready")

    assert time.monotonic() - begin < 1.0
    assert state["peer"] == f"127.0.0.1:{port}"
    assert state["server_version"] == "5.11"
    assert 0.0 < state["rtt"] < 500.0
    assert len(state["ports"]) == 1


async def test_a_server_that_speaks_one_byte_at_a_time_is_understood(desk: Desk) -> None:
    with nasty.listening(nasty.paraview(pause=0.001)) as port:
        desk.connect(port)
        await desk.reach("ready")


async def test_nobody_there_is_tried_again_until_the_time_is_over(desk: Desk) -> None:
    begin = time.monotonic()
    desk.connect(free_port(), timeout=0.8)
    state = await desk.failed()

    assert 0.4 < time.monotonic() - begin < 1.5
    assert state["reason"] == "refused"
    assert "a pvserver takes one and closes its door" in state["message"]


async def test_a_server_that_is_just_starting_is_waited_for(desk: Desk) -> None:
    port = free_port()
    desk.connect(port)
    await asyncio.sleep(0.3)
    assert desk.state["state"] == "opening"

    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            with listener.accept()[0] as sock:
                nasty.paraview()(sock)

        serving = asyncio.create_task(asyncio.to_thread(serve))
        await desk.reach("ready")
        desk.desk.close_link()
        await serving


@pytest.mark.parametrize("said", nasty.STEPS)
@pytest.mark.parametrize("by_reset", [False, True], ids=["end of file", "reset"])
async def test_a_server_that_dies_at_any_step_is_said_to_have(desk: Desk, said: int, by_reset: bool) -> None:
    with nasty.listening(nasty.dies_after(said, by_reset=by_reset)) as port:
        begin = time.monotonic()
        desk.connect(port)
        state = await desk.failed()

    assert time.monotonic() - begin < 1.0
    assert state["reason"] == "died"
    assert f"127.0.0.1:{port} closed the connection in the middle of ParaView's greeting" in state["message"]


@pytest.mark.parametrize(
    ("text", "asked", "quote"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\r\n",
            True,
            '"HTTP/1.1 400 Bad Request Server: nginx/1"',
        ),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", False, '"SSH-2.0-OpenSSH_9.2p1 Debian-2"'),
        (b"\x15\x03\x01\x00\x02\x02\x46", False, "the bytes 15 03 01 00 02 02 46"),
        (b"<!DOCTYPE HTML>", True, '"<!DOCTYPE HTML>"'),
    ],
    ids=["http", "ssh", "tls", "http without a head"],
)
async def test_what_is_no_paraview_is_quoted(desk: Desk, text: bytes, asked: bool, quote: str) -> None:
    with nasty.listening(nasty.says(text, asked=asked)) as port:
        begin = time.monotonic()
        desk.connect(port, timeout=1.0)
        state = await desk.failed()

    assert time.monotonic() - begin < 1.5
    assert (state["reason"], desk.lost) == ("not-paraview", [])
    assert quote in state["message"]


async def test_a_server_that_says_nothing_is_given_up_in_time(desk: Desk) -> None:
    with nasty.listening(nasty.silent) as port:
        begin = time.monotonic()
        desk.connect(port, timeout=0.5)
        state = await desk.failed()

    assert 0.4 < time.monotonic() - begin < 1.0
    assert state["reason"] == "silent"
    assert "accepts a connection and says nothing" in state["message"]


async def test_a_machine_that_does_not_answer_at_all_is_told_apart(desk: Desk) -> None:
    # A backlog that is full drops what comes, as a firewall does.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        full = [socket.socket() for _ in range(4)]
        try:
            for sock in full:
                sock.setblocking(False)
                sock.connect_ex(listener.getsockname())
            await asyncio.sleep(0.05)
            begin = time.monotonic()
            desk.connect(listener.getsockname()[1], timeout=0.5)
            state = await desk.failed()
        finally:
            for sock in full:
                sock.close()

    assert 0.4 < time.monotonic() - begin < 1.0
    assert state["reason"] == "silent"
    assert "does not answer at all" in state["message"]


@pytest.mark.parametrize("version", ["5.6", "5.9", "5.13", "6.2"])
async def test_another_version_is_found_out(desk: Desk, version: str) -> None:
    met: list[Introduction | None] = []
    with nasty.listening(nasty.paraview(version, 7, met=met)) as port:
        desk.connect(port, connect_id=7)
        state = await desk.failed()

    assert (state["reason"], state["server_version"]) == ("wrong-version", version)
    assert f"is ParaView {version}, this session's ParaView is 5.11" in state["message"]
    # It was never taken: with the right version came a wrong id.
    assert Introduction(version, 7) not in met
    assert met[-1] is not None
    assert met[-1].version == version


async def test_a_version_that_nobody_knows_yet_is_another_one(desk: Desk) -> None:
    with nasty.listening(nasty.paraview("9.9")) as port:
        begin = time.monotonic()
        desk.connect(port)
        state = await desk.failed()

    assert time.monotonic() - begin < 2.0
    assert (state["reason"], state["server_version"]) == ("wrong-version", "")
    assert "is another version of ParaView" in state["message"]


async def test_another_digest_is_no_obstacle(desk: Desk) -> None:
    digest = b"0123456789abcdef" * 2
    with nasty.listening(nasty.paraview("5.13", digest=digest)) as port:
        desk.connect(port)
        state = await desk.failed()
        assert (state["reason"], state["server_version"]) == ("wrong-version", "5.13")

        desk.connect(port, version="5.13.2")
        await desk.reach("ready")


@pytest.mark.parametrize(("theirs", "ours", "sentence"), [(7, 8, "another connection id than 8"), (7, 0, "expects a")])
async def test_another_connection_id_is_said(desk: Desk, theirs: int, ours: int, sentence: str) -> None:
    with nasty.listening(nasty.paraview(connect_id=theirs)) as port:
        desk.connect(port, connect_id=ours)
        state = await desk.failed()

    assert state["reason"] == "wrong-id"
    assert sentence in state["message"]


async def test_another_backend_is_said(desk: Desk) -> None:
    with nasty.listening(nasty.paraview(backend="vulkan")) as port:
        desk.connect(port)
        state = await desk.failed()

    assert state["reason"] == "backend"


async def test_a_name_that_does_not_exist_is_said(desk: Desk) -> None:
    desk.connect(11111, host="no-such-machine.invalid", timeout=2.0)
    state = await desk.failed()

    assert state["reason"] == "name"
    assert "'no-such-machine.invalid'" in state["message"]


async def test_a_name_server_that_does_not_answer_holds_nothing_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(host: str, port: int) -> list[names.Found]:
        return await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(names, "addresses", never)
    begin = time.monotonic()
    desk.connect(11111, host="node17", timeout=0.3)
    state = await desk.failed()

    assert time.monotonic() - begin < 0.8
    assert state["reason"] == "name"
    assert "no answer from the name server within 0.3 s" in state["message"]


@pytest.mark.parametrize("number", [101, 113, 13])
async def test_a_machine_out_of_reach_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    async def no_way(*_: Any) -> None:
        raise OSError(number, "Connect call failed")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", no_way)
    begin = time.monotonic()
    desk.connect(11111, host="127.0.0.1")
    state = await desk.failed()

    assert time.monotonic() - begin < 0.5
    assert state["reason"] == "unreachable"
    assert f"({os.strerror(number)})" in state["message"]


async def test_another_users_listener_on_loopback_hears_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[Introduction | None] = []
    with nasty.listening(nasty.paraview(met=met)) as port:
        row = peers.Row(("127.0.0.1", port), ("0.0.0.0", 0), peers.LISTENING, 3_999_999_999, 1)
        monkeypatch.setattr(peers, "read", lambda: [row])
        desk.connect(port)
        state = await desk.failed()
        assert (state["reason"], met) == ("foreign", [])
        assert "the user with the number 3999999999" in state["message"]

        desk.connect(port, trust=True)
        await desk.reach("ready")


async def test_a_listener_that_changed_hands_is_left(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "uid", lambda sock: 3_999_999_999)
    with nasty.listening(nasty.paraview()) as port:
        desk.connect(port)
        state = await desk.failed()

    assert state["reason"] == "foreign"


async def test_a_socket_that_was_handed_over_is_greeted(desk: Desk) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        serving = asyncio.create_task(asyncio.to_thread(nasty.paraview(connect_id=9), theirs))
        desk.open({"way": "fd"}, sockets=[ours], connect_id=9)
        await desk.reach("ready")
        desk.desk.close_link()
        await serving


@pytest.mark.parametrize("version", sorted(DIGESTS))
async def test_a_socket_of_each_release_is_greeted_the_first_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(approach, "_digests", dict(DIGESTS))
    ours, theirs = socket.socketpair()
    with theirs:
        server = nasty.paraview(version, digest=RELEASED.get(version, DIGEST_5_11))
        serving = asyncio.create_task(asyncio.to_thread(server, theirs))
        desk.open({"way": "fd"}, sockets=[ours], version=version)
        await desk.reach("ready")
        desk.desk.close_link()
        await serving


async def test_a_socket_with_another_digest_gets_further_the_second_time(desk: Desk) -> None:
    approach._digests.pop("5.12", None)
    server = nasty.paraview("5.12", digest=b"fedcba9876543210" * 2)
    for end in ("failed", "ready"):
        ours, theirs = socket.socketpair()
        serving = asyncio.create_task(asyncio.to_thread(server, theirs))
        desk.open({"way": "fd"}, sockets=[ours], version="5.12")
        await desk.reach(end)
        desk.desk.close_link()
        await serving
        theirs.close()
    approach._digests.pop("5.12", None)


def test_the_versions_nearest_to_ours_are_tried_first() -> None:
    assert nearest("5.11")[:4] == ["5.10", "5.12", "5.9", "5.13"]
    assert nearest("5.13")[:2] == ["5.12", "6.0"]
    assert "5.11" not in nearest("5.11")
    assert len(nearest("4.4")) == len(approach.VERSIONS)
