"""Bytes that pass, and each end that a link can have."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import struct
import time

import pytest

from pvlink.streamer.pvserver.framing import NO_IMAGE
from pvlink.streamer.pvserver.line import vanished
from tests.unit.streamer.harness import until
from tests.unit.streamer.pvserver import nasty
from tests.unit.streamer.pvserver.conftest import Desk

pytestmark = pytest.mark.servers

ASKS_FOR_IMAGE = struct.pack("<iii", 10, 4, 1)
PUSHES = struct.pack("<iii", 1, 4, 1)


def everything(sock: socket.socket) -> bytes:
    """All that comes until the end."""
    data = b""
    sock.settimeout(5)
    while more := sock.recv(1 << 16):
        data += more
    return data


def answers(*replies: bytes, end: nasty.Serve = lambda sock: None) -> nasty.Serve:
    """A server that answers whatever it is asked, and ends then."""

    def then(sock: socket.socket) -> None:
        for reply in replies:
            sock.recv(4096)
            sock.sendall(reply)
        sock.recv(4096)
        end(sock)

    return nasty.paraview(then=then)


async def test_what_one_says_the_other_hears_whole_and_in_order(desk: Desk) -> None:
    block = bytes(range(256)) * 4096
    sent = struct.pack("<ii", 7, 16 * len(block)) + 16 * block

    with nasty.listening(nasty.paraview(then=nasty.echo)) as port:
        desk.connect(port)
        with await desk.client() as engine:
            sending = asyncio.create_task(asyncio.to_thread(engine.sendall, sent))
            received = hashlib.sha256()
            left = len(sent)
            while left:
                data = await asyncio.to_thread(engine.recv, min(left, 1 << 20))
                received.update(data)
                left -= len(data)
            await sending
            state = desk.state

    assert received.digest() == hashlib.sha256(sent).digest()
    assert state["sent"] == state["received"] == len(sent)
    assert state["messages"] == 2
    assert state["heard"] < 2.0


async def test_who_does_not_read_is_not_written_to_without_end(desk: Desk) -> None:
    stop = asyncio.Event()
    sent = 0

    def flood(sock: socket.socket) -> None:
        nonlocal sent
        while not stop.is_set():
            sent += sock.send(bytes(1 << 20))

    with nasty.listening(nasty.paraview(then=flood)) as port:
        desk.connect(port)
        with await desk.client():
            await until(lambda: desk.state["received"] > 1 << 20)
            await asyncio.sleep(0.3)
            before = desk.state["received"]
            await asyncio.sleep(0.2)
            assert desk.state["received"] == before
            stop.set()


@pytest.mark.parametrize("by_reset", [False, True], ids=["end of file", "reset"])
async def test_a_server_that_ends_is_lost_at_once_and_the_engine_hears_it_a_moment_later(
    desk: Desk, by_reset: bool
) -> None:
    with nasty.listening(answers(end=nasty.reset if by_reset else socket.socket.close)) as port:
        desk.connect(port, label="cs://node17:11111")
        with await desk.client() as engine:
            begin = time.monotonic()
            engine.sendall(PUSHES)
            await until(lambda: desk.lost)
            assert desk.state["state"] == "lost"
            assert await asyncio.to_thread(everything, engine) == b""
            assert 0.06 < time.monotonic() - begin < 1.0

    assert desk.lost == [desk.state["message"]]
    assert desk.lost[0].startswith("The ParaView server at cs://node17:11111 has ended")
    assert "pvlink.session().reconnect()" in desk.lost[0]


async def test_a_client_that_waits_for_an_image_gets_none_before_the_end(desk: Desk) -> None:
    with nasty.listening(answers()) as port:
        desk.connect(port)
        with await desk.client() as engine:
            engine.sendall(ASKS_FOR_IMAGE)
            assert await asyncio.to_thread(everything, engine) == NO_IMAGE


async def test_one_that_asks_again_gets_none_again(desk: Desk) -> None:
    with nasty.listening(answers()) as port:
        desk.connect(port)
        with await desk.client() as engine:
            engine.settimeout(5)
            engine.sendall(ASKS_FOR_IMAGE)
            assert await asyncio.to_thread(engine.recv, 100) == NO_IMAGE
            engine.sendall(PUSHES + ASKS_FOR_IMAGE)
            assert await asyncio.to_thread(everything, engine) == NO_IMAGE


async def test_one_that_is_just_about_to_ask_is_waited_for(desk: Desk) -> None:
    with nasty.listening(answers(PUSHES)) as port:
        desk.connect(port)
        with await desk.client() as engine:
            engine.sendall(PUSHES)
            assert await asyncio.to_thread(engine.recv, 100) == PUSHES
            desk.desk.cut("enough")
            await asyncio.sleep(0.15)
            engine.sendall(ASKS_FOR_IMAGE)
            assert await asyncio.to_thread(everything, engine) == NO_IMAGE


@pytest.mark.parametrize("by_reset", [False, True], ids=["end of file", "reset"])
async def test_in_the_middle_of_an_image_nothing_is_made_up(desk: Desk, by_reset: bool) -> None:
    half = struct.pack("<ii", 0x23430, 1 << 20) + bytes(1000)

    def end(sock: socket.socket) -> None:
        sock.sendall(half)
        time.sleep(0.1)
        if by_reset:
            nasty.reset(sock)

    with nasty.listening(answers(end=end)) as port:
        desk.connect(port)
        with await desk.client() as engine:
            engine.sendall(ASKS_FOR_IMAGE)
            assert await asyncio.to_thread(everything, engine) == half


async def test_a_hung_server_is_cut_off_while_the_engine_sends_without_end(desk: Desk) -> None:
    with nasty.listening(nasty.paraview(then=lambda sock: time.sleep(2.0))) as port:
        desk.connect(port)
        with await desk.client() as engine:

            def send() -> None:
                while True:
                    engine.sendall(struct.pack("<ii", 5, 1 << 20) + bytes(1 << 20))

            sending = asyncio.create_task(asyncio.to_thread(send))
            await until(lambda: desk.state["sent"] > 1 << 20)
            begin = time.monotonic()
            desk.desk.cut("It hung.")
            assert (desk.state["state"], desk.lost) == ("lost", ["It hung."])
            with pytest.raises(OSError, match=r"Broken pipe|reset"):
                await asyncio.wait_for(sending, 2)
            assert time.monotonic() - begin < 1.0


async def test_an_engine_that_ends_takes_the_servers_side_along(desk: Desk) -> None:
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def then(sock: socket.socket) -> None:
        nasty.silent(sock)
        loop.call_soon_threadsafe(gone.set)

    with nasty.listening(nasty.paraview(then=then)) as port:
        desk.connect(port)
        (await desk.client()).close()
        await asyncio.wait_for(gone.wait(), 2)

    assert (desk.state["state"], desk.lost) == ("closed", [])


async def test_two_lines_belong_together(desk: Desk) -> None:
    with (
        nasty.listening(answers()) as data,
        nasty.listening(nasty.paraview(then=nasty.silent)) as render,
    ):
        desk.connect(data, render)
        first, second = await desk.clients()
        with first, second:
            assert desk.state["peer"] == f"127.0.0.1:{data}, 127.0.0.1:{render}"
            second.sendall(ASKS_FOR_IMAGE)
            await until(lambda: desk.state["sent"])
            first.sendall(PUSHES)
            ends = await asyncio.gather(asyncio.to_thread(everything, first), asyncio.to_thread(everything, second))

    assert list(ends) == [b"", NO_IMAGE]
    assert len(desk.lost) == 1


async def test_one_line_that_cannot_be_made_leaves_the_other_to_nobody(desk: Desk) -> None:
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def then(sock: socket.socket) -> None:
        nasty.silent(sock)
        loop.call_soon_threadsafe(gone.set)

    with nasty.listening(nasty.paraview(then=then)) as good, nasty.listening(nasty.paraview("5.9")) as bad:
        desk.connect(good, bad)
        assert (await desk.failed())["reason"] == "wrong-version"
        await asyncio.wait_for(gone.wait(), 2)


async def test_a_server_that_ends_before_the_engine_comes_has_died(desk: Desk) -> None:
    with nasty.listening(nasty.paraview(then=lambda sock: time.sleep(0.1))) as port:
        desk.connect(port)
        state = await desk.failed()

    assert (state["reason"], desk.lost) == ("died", [])
    assert "before the session's ParaView was connected" in state["message"]


async def test_a_new_wish_ends_the_former_link_and_closing_tells_nobody_of_a_loss(desk: Desk) -> None:
    with nasty.listening(nasty.paraview()) as port:
        desk.connect(port)
        with await desk.client() as first:
            desk.connect(port)
            with await desk.client():
                assert await asyncio.to_thread(everything, first) == b""
                desk.desk.close_link()
                desk.desk.close_link()
                desk.desk.cut("too late")

    assert (desk.state["state"], desk.lost, desk.live) == ("closed", [], 2)


async def test_nothing_to_cut_or_close_is_no_fault(desk: Desk) -> None:
    desk.desk.cut("x")
    desk.desk.close_link()

    assert desk.state["state"] == "none"


async def test_a_link_that_is_being_made_can_be_cut_off(desk: Desk) -> None:
    with nasty.listening(nasty.silent) as port:
        desk.connect(port)
        await asyncio.sleep(0.05)
        desk.desk.cut("no more")
        await asyncio.sleep(0.05)

    assert (desk.state["state"], desk.state["message"]) == ("lost", "no more")
    # What viewers see was never on that server.
    assert desk.lost == []


@pytest.mark.parametrize(
    ("retransmits", "probes", "silent_ms", "gone"),
    [(0, 0, 90_000, False), (5, 0, 20_001, True), (0, 3, 30_000, True), (2, 1, 30_000, False), (9, 0, 19_000, False)],
    ids=["idle", "data", "probes", "an answer may be on its way", "not so long"],
)
def test_a_machine_that_vanished_is_known_by_what_it_does_not_acknowledge(
    retransmits: int, probes: int, silent_ms: int, gone: bool
) -> None:
    info = bytes((1, 0, retransmits, probes)).ljust(56, b"\0") + struct.pack("=I", silent_ms) + bytes(44)

    assert vanished(info) is gone
