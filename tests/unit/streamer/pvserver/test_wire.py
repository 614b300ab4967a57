"""The kernel's questions about ParaView servers, asked of a real streamer process."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import time
from typing import Any

import pytest

from pvlink.protocol import ViewState
from tests.unit.streamer.harness import Kernel, Viewer, until
from tests.unit.streamer.pvserver import nasty

pytestmark = pytest.mark.servers

ASKS = struct.pack("<iii", 1, 4, 1)


def wish(*ports: int, **more: Any) -> dict[str, Any]:
    lines = [{"way": "connect", "host": "127.0.0.1", "port": port} for port in ports]
    return {"lines": lines, "version": "5.11", "timeout": 5.0, "label": "cs://node17", **more}


async def reach(kernel: Kernel, *states: str, seconds: float = 5.0) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        answer, _ = await kernel.ask("server-state")
        server: dict[str, Any] = answer["server"]
        if server["state"] in states:
            return server
        assert time.monotonic() < deadline, server
        await asyncio.sleep(0.02)


async def live(kernel: Kernel, port: int) -> socket.socket:
    """A link with an engine at its end."""
    answer, _ = await kernel.ask("server-open", server=wish(port))
    assert answer == {"ok": True}
    ready = await reach(kernel, "ready")
    sock = await asyncio.to_thread(nasty.client, ready["ports"][0])
    await reach(kernel, "live")
    return sock


async def hears(watcher: socket.socket) -> dict[str, str]:
    watcher.settimeout(6)
    line = await asyncio.to_thread(watcher.recv, 4096)
    said: dict[str, str] = json.loads(line)
    return said


def one_word(sock: socket.socket) -> None:
    """A server that ends after the first thing it hears."""
    sock.recv(1)


async def watching(kernel: Kernel) -> socket.socket:
    ours, theirs = socket.socketpair()
    answer, _ = await kernel.ask("server-watch", theirs.fileno())
    theirs.close()
    assert answer == {"ok": True}
    return ours


async def test_a_session_without_a_server_says_so(kernel: Kernel) -> None:
    await until(kernel.path.exists)

    assert (await reach(kernel, "none"))["ports"] == []
    assert (await kernel.ask("server-cut", message="x"))[0] == {"ok": True}
    assert (await kernel.ask("server-close"))[0] == {"ok": True}


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        (None, "no ParaView server to open"),
        ({"lines": [], "version": "5.11"}, "lines"),
        ({"lines": [{"way": "swim"}], "version": "5.11"}, "swim"),
        ({"lines": [{"way": "connect", "host": "x"}], "version": "5.11"}, "a host and a port"),
        ({"lines": [{"way": "fd"}], "version": "5.11"}, "comes with its socket"),
        ({"lines": [{"way": "listen"}], "version": "new"}, "version"),
        ({"lines": [{"way": "listen"}], "version": "5.11", "timeout": 0}, "timeout"),
    ],
)
async def test_a_wish_that_makes_no_sense_is_answered_with_what_is_wrong(
    kernel: Kernel, server: object, sentence: str
) -> None:
    answer, _ = await kernel.ask("server-open", server=server)

    assert answer["ok"] is False
    assert sentence in answer["error"]
    assert (await reach(kernel, "none"))["label"] == ""


async def test_descriptors_go_to_the_request_they_came_with(kernel: Kernel) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        serving = asyncio.create_task(asyncio.to_thread(nasty.paraview(), ours))
        # A wish that is wrong otherwise takes its descriptor along, and the next one has its own.
        wrong, _ = await kernel.ask("server-open", ours.fileno(), server={"lines": [{"way": "fd"}], "version": ""})
        right, _ = await kernel.ask("server-open", theirs.fileno(), server={**wish(), "lines": [{"way": "fd"}]})
        theirs.close()
        await reach(kernel, "ready")
        assert (wrong["ok"], right["ok"]) == (False, True)
        await kernel.ask("server-close")
        await serving


async def test_when_a_server_is_lost_everybody_hears_why_and_a_new_one_leads_out(kernel: Kernel) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)
    watcher = await watching(kernel)
    with nasty.listening(nasty.paraview(then=one_word)) as port, await live(kernel, port) as paraview:
        paraview.sendall(ASKS)
        said = await hears(watcher)
        await until(lambda: viewer.states and viewer.states[-1].state == "lost")
        assert viewer.states[-1].message == said["lost"] == (await reach(kernel, "lost"))["message"]
        assert "cs://node17 has ended" in said["lost"]
        assert f":{port}" not in said["lost"]

    with nasty.listening(nasty.paraview()) as port, await live(kernel, port):
        await until(lambda: viewer.states[-1] == ViewState("live"))
        await kernel.ask("server-cut", message="It was cut.")
        await until(lambda: viewer.states[-1] == ViewState("lost", "It was cut."))
        await kernel.ask("restored")
        await until(lambda: viewer.states[-1] == ViewState("live"))
    watcher.close()
    await viewer.close()
    engine.die()


async def test_a_silent_server_is_named_while_the_engine_waits_for_it(kernel: Kernel) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine()
    viewer = await Viewer.watching(kernel.path)
    with nasty.listening(nasty.paraview()) as port, await live(kernel, port) as paraview:
        paraview.sendall(ASKS)
        engine.send({"op": "busy", "message": "ParaView is working."})
        await until(lambda: viewer.states[-1:] == [ViewState("busy", "ParaView is working.")])

        def seconds() -> int:
            found = re.search(r"cs://node17 has said nothing for (\d+) s", viewer.states[-1].message)
            return int(found[1]) if found else 0

        await until(lambda: seconds() >= 5, 10)
        first = seconds()
        await until(lambda: seconds() > first)
        engine.send({"op": "idle"})
        await until(lambda: viewer.states[-1] == ViewState("live"))
    await viewer.close()
    engine.die()


@pytest.mark.parametrize(
    ("signals", "at_least", "at_most"), [(b"\2", 2.4, 3.5), (b"\2\2", 0.0, 1.0)], ids=["once", "twice"]
)
async def test_an_interrupt_cuts_a_hung_server_off(
    kernel: Kernel, signals: bytes, at_least: float, at_most: float
) -> None:
    watcher = await watching(kernel)
    with watcher, nasty.listening(nasty.paraview()) as port, await live(kernel, port) as paraview:
        paraview.sendall(ASKS)
        await asyncio.sleep(0.1)
        begin = time.monotonic()
        watcher.sendall(signals)
        said = await hears(watcher)
        assert at_least < time.monotonic() - begin < at_most

    assert "and was cut off by the interrupt" in said["lost"]


@pytest.mark.parametrize("calls_off", ["taken", "goes on"])
async def test_an_interrupt_of_something_else_cuts_nothing(kernel: Kernel, calls_off: str) -> None:
    watcher = await watching(kernel)
    with watcher, nasty.listening(nasty.paraview()) as port, await live(kernel, port) as paraview:
        paraview.sendall(ASKS)
        await asyncio.sleep(0.1)
        watcher.sendall(b"\2")
        await asyncio.sleep(0.1)
        if calls_off == "taken":
            watcher.sendall(b"\0")
        else:
            paraview.sendall(ASKS)
        await asyncio.sleep(3.2)
        assert (await reach(kernel, "live", "lost"))["state"] == "live"


async def test_nothing_of_it_is_left_when_the_kernel_is_gone(kernel: Kernel) -> None:
    await until(kernel.path.exists)
    with nasty.listening(nasty.paraview()) as port, await live(kernel, port) as paraview:
        kernel.end()
        paraview.settimeout(5)
        assert paraview.recv(1) == b""
        assert kernel.process.returncode == 0


async def test_links_leave_no_descriptor_behind(kernel: Kernel) -> None:
    await until(kernel.path.exists)
    before = kernel.descriptors()
    with nasty.listening(nasty.paraview()) as port, nasty.listening(nasty.dies_after(21)) as dead:
        for _ in range(5):
            (await live(kernel, port)).close()
            await reach(kernel, "closed")
            await kernel.ask("server-open", server=wish(dead))
            await reach(kernel, "failed")
            await kernel.ask("server-open", server={**wish(), "lines": [{"way": "listen"}]})
            await kernel.ask("server-close")

    await until(lambda: kernel.descriptors() <= before)
