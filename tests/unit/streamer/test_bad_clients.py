"""Whoever knocks at a door without a right to: so many bytes, so many seconds, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from pvlink.protocol import Ping
from tests.chaos.crowd import Onlooker
from tests.chaos.figures import note
from tests.chaos.raw import BINARY, CLOSE, CONTINUED, PING, TEXT, Door, Raw, frame, trusting
from tests.unit.streamer.harness import Kernel, Viewer, until

pytestmark = pytest.mark.trust

CROWD = 200
# What a stranger may take, and what a busy machine may add.
STRANGER_SECONDS, SLACK_SECONDS = 5.0, 4.0
STRANGER_BYTES = 64 << 10
DOORS = pytest.mark.parametrize("way", ["jupyter's", "link's"])


@asynccontextmanager
async def opened(kernel: Kernel, way: str) -> AsyncIterator[Door]:
    """A door of a streamer whose one view turns."""
    await until(kernel.path.exists)
    engine = await kernel.engine(render=0.02)
    engine.change(frames=10_000_000)
    door = Door(kernel.path)
    if way == "link's":
        wish: dict[str, Any] = {
            "view": "1",
            "role": "view",
            "expires": 600.0,
            "password": "",
            "host": "127.0.0.1",
            "port": 0,
        }
        answer, _ = await kernel.ask("share", **wish, certificate="", key="")
        assert answer["ok"], answer
        url = urlsplit(answer["share"]["url"])
        assert url.port is not None
        origin = {"Origin": f"https://{url.netloc}"}
        door = replace(door, where=("127.0.0.1", url.port), tls=trusting(), headers=origin)
        door = replace(door, headers={"Origin": f"https://{door.host}"})
    try:
        yield door
    finally:
        engine.die()


async def more(viewer: Onlooker) -> None:
    """It still gets frames."""
    before = len(viewer.seen)
    await until(lambda: len(viewer.seen) > before + 2)


async def strangers(door: Door) -> list[Raw]:
    """A crowd that has come so far and goes on very slowly: some with their request, some after it."""

    async def one(number: int) -> Raw | None:
        # A door may send the first away while the last are coming.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            raw = await Raw.connect(door)
            return await raw.upgrade() if number % 4 == 0 else raw
        return None

    came = await asyncio.gather(*(one(number) for number in range(CROWD)))
    return [raw for raw in came if raw is not None]


async def dawdle(crowd: list[Raw]) -> None:
    """Each says one byte more of something right, now and then; a third say nothing at all."""
    requests = [raw.request() for raw in crowd]
    for step in range(10_000):
        for number, raw in enumerate(crowd):
            if number % 3 != 1 and not raw.over:
                raw.send(b"\x81" if number % 4 == 0 else requests[number][step % 90 : step % 90 + 1])
        await asyncio.sleep(0.2)


@DOORS
async def test_two_hundred_dawdlers_keep_nobody_out_and_are_sent_away(kernel: Kernel, way: str) -> None:
    async with opened(kernel, way) as door:
        steady = await Onlooker.watching(kernel.path)
        crowd = await strangers(door)
        slowly = asyncio.create_task(dawdle(crowd))

        began = time.monotonic()
        owner = await Viewer.watching(kernel.path)
        await until(lambda: owner.frames)
        owners = time.monotonic() - began
        ends = [await raw.ended(STRANGER_SECONDS + SLACK_SECONDS) for raw in crowd]
        slowly.cancel()
        note("200 half-open connections", door=way, owner_s=owners, cut_s=[min(ends), max(ends)])

        assert owners < 1.0
        assert max(ends) < STRANGER_SECONDS + SLACK_SECONDS
        # None of those who are in was taken for one of them.
        await more(steady)
        for raw in crowd:
            await raw.close()
        for viewer in (owner, steady):
            await viewer.close()


@DOORS
@pytest.mark.parametrize("what", ["a header", "a path", "many headers", "a message", "many messages", "fragments"])
async def test_a_stranger_has_64_kilobytes(kernel: Kernel, way: str, what: str) -> None:
    """Of whatever never ends. Sent in pieces, until the other side has had enough."""
    async with opened(kernel, way) as door:
        raw = await Raw.connect(door)
        piece = b"x" * 1000
        if what in ("a message", "many messages", "fragments"):
            await raw.upgrade()
        if what == "a header":
            raw.send(raw.request()[:-2] + b"X-Long: ")
        elif what == "a path":
            raw.send(b"GET /")
        elif what == "many headers":
            raw.send(raw.request()[:-2])
            piece = b"X-Header: " + b"x" * 80 + b"\r\n"
        elif what == "a message":
            raw.send(frame(TEXT, size=1 << 40))
        elif what == "fragments":
            raw.send(frame(TEXT, b"{", end=False))
            piece = frame(CONTINUED, b" " * 100, end=False)
        elif what == "many messages":
            piece = frame(PING, b"x" * 100)
        sent = 0
        while not raw.over and sent < 4 * STRANGER_BYTES:
            raw.send(piece)
            sent += len(piece)
            # One after the other: what counts is what was read, not what lies in buffers.
            await asyncio.sleep(0.001)
        took = await raw.ended(STRANGER_SECONDS - 1)
        assert took < STRANGER_SECONDS - 1
        await raw.close()


JUNK = random.Random(5)
STRANGE: dict[str, bytes] = {
    "random bytes": JUNK.randbytes(3000),
    "not JSON": frame(TEXT, b"hello?"),
    "JSON of something else": frame(TEXT, b'{"protocol": 2, "ticket": [], "nonce": 5}'),
    "JSON without an end": frame(TEXT, b"[" * 4000),
    "no UTF-8": frame(TEXT, b"\xff\xfe{}"),
    "a binary greeting": frame(BINARY, b'{"protocol": 2, "ticket": "x", "nonce": "xxxxxxxxxxxxxxxxxxxx"}'),
    "an unknown ticket": frame(TEXT, b'{"protocol": 2, "ticket": "x", "nonce": "xxxxxxxxxxxxxxxxxxxx"}'),
    "unmasked": frame(TEXT, b"{}", masked=False),
    "reserved bits": frame(TEXT, b"{}", spare=5),
    "an opcode that is none": frame(5, b"{}"),
    "a continuation of nothing": frame(CONTINUED, b"{}"),
    "a long ping": frame(PING, b"x" * 200),
    "a ping in pieces": frame(PING, b"x", end=False),
    "a close of one byte": frame(CLOSE, b"x"),
    "a close with a code that is none": frame(CLOSE, struct.pack(">H", 77)),
    "a negative length": frame(TEXT, size=(1 << 64) - 1),
    "a hello of wslink's, too early": frame(BINARY, struct.pack("<III", 1, 0, 2) + b"\x80\x80"),
}


async def thrown_out(door: Door, said: bytes) -> None:
    raw = await (await Raw.connect(door)).upgrade()
    raw.send(said)
    await raw.ended(STRANGER_SECONDS + SLACK_SECONDS)
    await raw.close()


@DOORS
async def test_what_a_stranger_says_ends_its_own_connection_and_nothing_else(kernel: Kernel, way: str) -> None:
    async with opened(kernel, way) as door:
        steady = await Onlooker.watching(kernel.path)
        async with asyncio.TaskGroup() as group:
            for name, said in STRANGE.items():
                group.create_task(thrown_out(door, said), name=name)
        await more(steady)
        await steady.close()
    assert "Traceback" not in kernel.end()


def chunk(offset: int, total: int, data: bytes, number: int = 7) -> bytes:
    return frame(BINARY, struct.pack("<III", number, offset, total) + data)


def whole(message: object) -> bytes:
    text = msgspec.msgpack.encode(message)
    return chunk(0, len(text), text)


FAMILIAR: dict[str, bytes] = {
    **STRANGE,
    "text": frame(TEXT, b"hello?"),
    "a chunk of four gigabytes": chunk(0, 0xFFFFFFFF, b"x" * 100),
    "a chunk beyond its end": chunk(50, 10, b"x" * 100),
    "more than it said": chunk(0, 10, b"x" * 100),
    "a chunk of nothing": chunk(0, 0, b""),
    "chunks without an end": b"".join(chunk(0, 1000, b"x", number) for number in range(200)),
    "a message of two megabytes": frame(BINARY, b"x" * (2 << 20)),
    "fragments without an end": frame(BINARY, b"x", end=False) + frame(CONTINUED, b"x" * 1000, end=False) * 2000,
    "a map of four thousand million": chunk(0, 5, b"\xdf\xff\xff\xff\xff"),
    "ten thousand brackets": chunk(0, 10_000, b"\x91" * 10_000),
    "a number": whole(5),
    "no method": whole({"id": "rpc:c0:1", "method": "pvlink.sing", "args": []}),
    "many arguments": whole({"id": "rpc:c0:1", "method": "pvlink.size", "args": [{}] * 1000}),
    "five thousand pings": frame(PING, b"x" * 100) * 5000,
}


@pytest.mark.parametrize("how", ["at once", "in pieces"])
async def test_what_a_viewer_says_harms_nobody_else(kernel: Kernel, how: str) -> None:
    async with opened(kernel, "jupyter's"):
        steady = await Onlooker.watching(kernel.path)
        await until(lambda: len(steady.seen) > 20)
        memory = kernel.rss()
        for name, said in FAMILIAR.items():
            viewer = await Viewer.watching(kernel.path)
            connection = viewer.ws._response.connection
            assert connection is not None
            assert connection.transport is not None
            wire = connection.transport
            cuts = sorted(JUNK.sample(range(len(said)), min(20, len(said) - 1))) if how == "in pieces" else []
            for begin, end in zip([0, *cuts], [*cuts, len(said)], strict=True):
                wire.write(said[begin:end])
                await asyncio.sleep(0)
            await more(steady)
            assert (await steady.call(Ping(1.0)))["result"] == {"time": 1.0}, name
            await viewer.close()
        grown = kernel.rss() - memory
        note("what a viewer may say", how=how, grown_kb=grown)
        assert grown < 20_000
        await steady.close()
    assert "Traceback" not in kernel.end()
