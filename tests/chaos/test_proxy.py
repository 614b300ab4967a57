"""The proxy itself: what it promises of a bad network, it keeps."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.proxy import Address, Bytes, Proxy, Way

pytestmark = pytest.mark.trust

BLOB = random.Random(1).randbytes(300_000)


class Server:
    """Echoes; remembers what it heard and how each connection ended."""

    def __init__(self) -> None:
        self.heard = b""
        self.reads = 0
        self.accepted = 0
        self.ends: list[str] = []
        self.echoes = True

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            while data := await reader.read(1 << 16):
                self.heard += data
                self.reads += 1
                if self.echoes:
                    writer.write(data)
                    await writer.drain()
            self.ends.append("close")
        except ConnectionResetError:
            self.ends.append("reset")
        finally:
            writer.transport.abort()


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pv") as folder:
        yield Path(folder)


@asynccontextmanager
async def served(server: Server, at: Path | None = None) -> AsyncIterator[Address]:
    if at is None:
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        address: Address = listening.sockets[0].getsockname()[:2]
    else:
        listening, address = await asyncio.start_unix_server(server, at), at
    async with listening:
        yield address


@asynccontextmanager
async def client(address: Address) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    opening = asyncio.open_unix_connection(address) if isinstance(address, Path) else asyncio.open_connection(*address)
    reader, writer = await opening
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in sockets
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("front", ["tcp", "unix"])
@pytest.mark.parametrize("back", ["tcp", "unix"])
@pytest.mark.parametrize(
    "way",
    [
        Way(),
        Way(delay=0.05, jitter=0.02),
        Way(rate=2_000_000),
        Way(queue=1),
        Way(queue=4096, delay=0.001, jitter=0.002, rate=3_000_000),
        Way(split=True),
    ],
    ids=["plain", "late", "narrow", "short", "all", "split"],
)
async def test_every_byte_arrives_once_and_in_order(front: str, back: str, way: Way, short: Path) -> None:
    server = Server()
    blob = BLOB[:3000] if way.queue == 1 else BLOB[:60_000]
    async with (
        served(server, short / "back" if back == "unix" else None) as address,
        Proxy(address, short / "front" if front == "unix" else None, up=way, down=way) as proxy,
        client(proxy.address) as (reader, writer),
    ):
        writer.write(blob)
        async with asyncio.timeout(20):
            assert await reader.readexactly(len(blob)) == blob
    assert server.heard == blob


async def test_a_delay_is_at_least_what_was_asked_for_and_no_order_is_lost() -> None:
    loop = asyncio.get_running_loop()
    async with (
        served(Server()) as address,
        Proxy(address, up=Way(delay=0.1), down=Way(delay=0.05, jitter=0.05)) as proxy,
        client(proxy.address) as (reader, writer),
    ):
        began = loop.time()
        for number in range(20):
            writer.write(bytes([number]))
            await asyncio.sleep(0.002)
        assert await reader.readexactly(20) == bytes(range(20))
        assert loop.time() - began >= 0.15


async def test_each_way_has_its_own_rate() -> None:
    loop = asyncio.get_running_loop()
    server = Server()
    async with (
        served(server) as address,
        Proxy(address, down=Way(rate=100_000)) as proxy,
        client(proxy.address) as (reader, writer),
    ):
        began = loop.time()
        writer.write(BLOB[:50_000])
        await until(lambda: len(server.heard) == 50_000)
        up = loop.time() - began
        await reader.readexactly(50_000)
        down = loop.time() - began
    assert down >= 0.45
    assert up < down


async def test_a_full_queue_stops_the_sender() -> None:
    server = Server()
    async with (
        served(server) as address,
        Proxy(address, up=Way(delay=60, queue=10_000)) as proxy,
        client(proxy.address) as (_, writer),
    ):
        await until(lambda: proxy.connections)
        (connection,) = proxy.connections
        writer.write(bytes(64 << 20))
        await asyncio.sleep(0.2)
        assert connection._bytes["up"].size == 10_000
        assert writer.transport.get_write_buffer_size() > 0
    assert server.heard == b""


async def test_split_bytes_are_writes_of_their_own() -> None:
    server = Server()
    server.echoes = False
    # One byte in each tick: the reader cannot see two at once.
    async with (
        served(server) as address,
        Proxy(address, up=Way(split=True, rate=100)) as proxy,
        client(proxy.address) as (_, writer),
    ):
        writer.write(b"twelve bytes")
        await until(lambda: len(server.heard) == 12)
    assert server.reads >= 10


@pytest.mark.parametrize(("how", "end"), [("reset", "reset"), ("close", "close")])
async def test_a_cut_ends_both_sides_as_asked(how: str, end: str) -> None:
    server = Server()
    async with served(server) as address, Proxy(address) as proxy, client(proxy.address) as (reader, writer):
        writer.write(b"hello")
        await reader.readexactly(5)

        proxy.cut(how)  # type: ignore[arg-type]
        try:
            seen = "close" if await reader.read() == b"" else "data"
        except ConnectionResetError:
            seen = "reset"
        await until(lambda: server.ends)

        assert (seen, server.ends) == (end, [end])
        assert proxy.connections == []
        # The line is well again.
        async with client(proxy.address) as (reader, writer):
            writer.write(b"again")
            assert await reader.readexactly(5) == b"again"


async def test_a_silent_line_looks_open_and_what_was_held_arrives_afterwards() -> None:
    server = Server()
    async with served(server) as address, Proxy(address) as proxy, client(proxy.address) as (reader, writer):
        writer.write(b"one")
        await reader.readexactly(3)

        proxy.silence()
        writer.write(b"two")
        async with client(proxy.address) as (late, late_writer):
            late_writer.write(b"late")
            await asyncio.sleep(0.2)
            assert server.heard == b"one"
            assert not reader.at_eof()

            proxy.resume()
            assert await reader.readexactly(3) == b"two"
            assert await late.readexactly(4) == b"late"


async def test_a_silent_line_tells_nobody_that_the_other_left() -> None:
    server = Server()
    async with served(server) as address, Proxy(address) as proxy:
        async with client(proxy.address) as (reader, writer):
            writer.write(b"one")
            await reader.readexactly(3)
            proxy.silence("swallow")
            writer.write(b"two")
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)
        assert (server.heard, server.ends) == (b"one", [])

        proxy.cut("close")
        await until(lambda: server.ends)
        assert server.heard == b"one"


async def test_one_connection_may_fall_silent_and_the_others_not() -> None:
    async with (
        served(Server()) as address,
        Proxy(address) as proxy,
        client(proxy.address) as (one, one_writer),
        client(proxy.address) as (other, other_writer),
    ):
        one_writer.write(b"GET /one HTTP/1.1\r\n")
        await one.readline()
        other_writer.write(b"GET /other HTTP/1.1\r\n")
        await other.readline()
        (chosen,) = [each for each in proxy.connections if "/one" in each.request]

        chosen.silence()
        one_writer.write(b"1")
        other_writer.write(b"2")
        assert await other.readexactly(1) == b"2"
        assert chosen.passed == {"up": 19, "down": 19}
        chosen.resume()
        assert await one.readexactly(1) == b"1"


async def test_new_connections_may_be_refused_and_a_server_may_be_away(short: Path) -> None:
    server = Server()
    async with served(server) as address, Proxy(address) as proxy:
        proxy.down_for_all()
        async with client(proxy.address) as (reader, _):
            assert await reader.read() == b""
        proxy.refuses = False
        async with client(proxy.address) as (reader, writer):
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
    assert server.accepted == 1

    async with Proxy(short / "nobody") as proxy, client(proxy.address) as (reader, _):
        assert await reader.read() == b""


async def test_a_proxy_loses_patience_with_who_says_nothing() -> None:
    async with served(Server()) as address, Proxy(address, idle=0.2) as proxy, client(proxy.address) as (reader, _):
        assert await reader.read() == b""
        await until(lambda: proxy.lost_patience == 1)


async def test_it_leaves_nothing_behind(short: Path) -> None:
    before = descriptors()
    async with served(Server(), short / "back") as address:
        async with Proxy(address, short / "front", up=Way(delay=60)) as proxy:
            socks = [socket.socket(socket.AF_UNIX) for _ in range(5)]
            for sock in socks:
                sock.connect(str(short / "front"))
                sock.sendall(b"x")
            await until(lambda: len(proxy.connections) == 5)
            proxy.silence()
        for sock in socks:
            sock.close()
    await until(lambda: descriptors() == before)
    assert not (short / "front").exists()


def schedule(seed: str) -> list[float]:
    """When each of ten pieces arrives, on a line that dawdles at random."""
    line = Bytes(Way(delay=0.1, jitter=0.5, rate=1000), random.Random(seed))
    for number in range(10):
        line.add(b"x", number * 0.1)
    now, times = 0.0, []
    while (wait := line.wait(now)) is not None:
        now += wait
        line.take(now)
        times.append(now)
    return times


def test_the_same_seed_is_the_same_network() -> None:
    assert schedule("7/1/up") == schedule("7/1/up")
    assert schedule("7/1/up") != schedule("8/1/up")
    assert schedule("7/1/up") == sorted(schedule("7/1/up"))
