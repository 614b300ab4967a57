"""A port of ours: a server that comes to it, this session's ParaView, and all the others."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import Any

import pytest

from pvlink.streamer.pvserver import arrivals, link, peers
from tests.unit.streamer.harness import until
from tests.unit.streamer.pvserver import nasty
from tests.unit.streamer.pvserver.conftest import Desk

pytestmark = pytest.mark.servers


async def listening(desk: Desk, **wish: Any) -> int:
    """Waits for a server; the port."""
    desk.open({"way": "listen"}, **wish)
    await until(lambda: desk.state["listening"])
    host, port = desk.state["listening"].rsplit(":", 1)
    assert host == "127.0.0.1"
    return int(port)


async def come(port: int, version: str = "5.11", connect_id: int = 0) -> socket.socket:
    return await asyncio.to_thread(nasty.client, port, version, connect_id)


async def test_a_server_that_comes_to_us_is_taken_and_the_door_shut(desk: Desk) -> None:
    port = await listening(desk, connect_id=7)
    with await come(port, connect_id=7) as server:
        state = await desk.reach("ready")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
        assert state["peer"] == f"127.0.0.1:{server.getsockname()[1]}"
        assert (state["listening"], state["rtt"], state["strangers"]) == ("", None, 0)

        with await desk.client() as engine:
            engine.sendall(b"\1\0\0\0\3\0\0\0abc")
            assert await asyncio.to_thread(server.recv, 100) == b"\1\0\0\0\3\0\0\0abc"


async def test_who_is_not_expected_is_told_so_and_the_wait_goes_on(desk: Desk) -> None:
    port = await listening(desk, connect_id=7)
    with pytest.raises(ConnectionRefusedError, match="3"):
        await come(port, connect_id=8)
    with pytest.raises(ConnectionRefusedError, match="2"):
        await come(port, "5.10", 8)
    with socket.create_connection(("127.0.0.1", port)) as web:
        web.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert await asyncio.to_thread(web.recv, 100) == b""
    # One that says nothing stands in nobody's way.
    with socket.create_connection(("127.0.0.1", port)), await come(port, connect_id=7):
        state = await desk.reach("ready")

    assert state["strangers"] == 3


async def test_the_right_server_of_a_wrong_version_ends_the_wait(desk: Desk) -> None:
    port = await listening(desk, connect_id=7)
    with pytest.raises(ConnectionRefusedError, match="2"):
        await come(port, "5.9", 7)

    state = await desk.failed()
    assert (state["reason"], state["server_version"]) == ("wrong-version", "5.9")


async def test_nobody_comes_and_the_last_stranger_is_named(desk: Desk) -> None:
    begin = time.monotonic()
    port = await listening(desk, connect_id=7, timeout=0.5)
    with pytest.raises(ConnectionRefusedError):
        await come(port, connect_id=8)
    state = await desk.failed()

    assert 0.4 < time.monotonic() - begin < 1.2
    assert state["reason"] == "timeout"
    assert (
        "within 0.5 s. Turned away: 1, the last one because: It was ParaView 5.11 with the connection id 8."
        in (state["message"])
    )
    assert "pvserver -rc" in state["message"]


async def test_a_crowd_of_silent_strangers_does_not_keep_the_server_out(desk: Desk) -> None:
    port = await listening(desk)
    crowd: list[socket.socket] = []
    try:
        for _ in range(3 * arrivals.MAX_STRANGERS):
            crowd.append(await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port), 3))
        await until(lambda: desk.state["strangers"] == 2 * arrivals.MAX_STRANGERS)
        assert await asyncio.to_thread(crowd[0].recv, 1) == b""
        with await come(port):
            await desk.reach("ready")
    finally:
        for sock in crowd:
            sock.close()


async def test_a_port_in_use_is_said_with_who_has_it(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        desk.open({"way": "listen", "host": "127.0.0.1", "port": taken.getsockname()[1]})
        state = await desk.failed()

    assert state["reason"] == "port-in-use"
    assert f"(process {os.getpid()}) listens on that port already" in state["message"]


async def test_an_address_that_is_not_ours_is_said(desk: Desk) -> None:
    desk.open({"way": "listen", "host": "192.0.2.1"})

    assert (await desk.failed())["reason"] == "port-in-use"


async def test_another_user_on_loopback_is_turned_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    port = await listening(desk, timeout=3.0)
    monkeypatch.setattr(peers, "uid", lambda sock: os.getuid() + 1)
    with socket.create_connection(("127.0.0.1", port), 3) as foreign:
        assert await asyncio.to_thread(foreign.recv, 1) == b""
    assert desk.state["strangers"] == 1

    monkeypatch.undo()
    with await come(port):
        await desk.reach("ready")


async def test_another_user_never_takes_the_engines_port_also_where_servers_are_trusted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nasty.listening(nasty.paraview()) as port:
        desk.connect(port, trust=True)
        state = await desk.reach("ready")
        monkeypatch.setattr(peers, "uid", lambda sock: None)
        with socket.create_connection(("127.0.0.1", state["ports"][0]), 3) as foreign:
            assert await asyncio.to_thread(foreign.recv, 1) == b""
        assert (desk.state["state"], desk.state["strangers"]) == ("ready", 1)

        monkeypatch.undo()
        with await desk.client():
            pass


async def test_an_engine_with_whatever_id_is_taken_and_one_of_another_version_is_not(desk: Desk) -> None:
    with nasty.listening(nasty.paraview(connect_id=7)) as port:
        desk.connect(port, connect_id=7)
        ready = await desk.reach("ready")
        with pytest.raises(ConnectionRefusedError, match="2"):
            await come(ready["ports"][0], "5.10")
        with await come(ready["ports"][0], connect_id=99):
            live = await desk.reach("live")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", ready["ports"][0]), 1)

    assert (live["ports"], desk.live) == ([], 1)


async def test_an_engine_that_does_not_come_costs_the_server_its_client(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "ENGINE_SECONDS", 0.3)
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def then(sock: socket.socket) -> None:
        nasty.silent(sock)
        loop.call_soon_threadsafe(gone.set)

    with nasty.listening(nasty.paraview(then=then)) as port:
        desk.connect(port)
        state = await desk.failed()
        await asyncio.wait_for(gone.wait(), 2)

    assert state["reason"] == "engine"
    assert desk.lost == []
