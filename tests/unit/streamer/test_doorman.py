"""The hall before a door: so many bytes, so many seconds, so many strangers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from pvlink.streamer import doorman
from pvlink.streamer.doorman import STRANGER_BYTES, Hall
from tests.unit.streamer.harness import until

pytestmark = pytest.mark.trust

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo(asyncio.Protocol):
    """What stands behind the hall."""

    def __init__(self, served: list[Echo]) -> None:
        served.append(self)
        self.heard = 0
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += len(data)


class Place:
    """A hall on a port, and those who come."""

    def __init__(self, **options: object) -> None:
        self.served: list[Echo] = []
        self.hall = Hall(lambda: Echo(self.served), **options)  # type: ignore[arg-type]
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = listener.getsockname()
        self.hall.open(listener)
        self.callers: list[Pipe] = []

    async def come(self) -> Pipe:
        pipe = await asyncio.open_connection(*self.address)
        self.callers.append(pipe)
        count = len(self.callers)
        await until(lambda: len(self.served) >= count and self.served[-1].transport is not None)
        return pipe

    async def close(self) -> None:
        await self.hall.close()
        for _, writer in self.callers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        for echo in self.served:
            if isinstance(echo.transport, asyncio.Transport):
                echo.transport.abort()
        await asyncio.sleep(0.01)


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(doorman, "STRANGER_SECONDS", 0.2)
    monkeypatch.setattr(doorman, "ANSWER_SECONDS", 0.6)
    one = Place(strangers=4)
    yield one
    await one.close()


async def ended(pipe: Pipe) -> bool:
    """Whether the other side has hung up; waits for it."""
    try:
        return await asyncio.wait_for(pipe[0].read(1), 5) == b""
    except ConnectionError:
        return True


async def test_a_silent_stranger_is_sent_away(place: Place) -> None:
    began = asyncio.get_running_loop().time()
    assert await ended(await place.come())
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_byte_now_and_then_buys_no_time(place: Place) -> None:
    pipe = await place.come()

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                pipe[1].write(b".")
                await pipe[1].drain()
                await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    assert await ended(pipe)
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)


async def test_one_byte_too_many_and_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "STRANGER_SECONDS", 60.0)
    pipe = await place.come()
    pipe[1].write(bytes(STRANGER_BYTES))
    await until(lambda: place.served[0].heard == STRANGER_BYTES)
    pipe[1].write(b".")
    assert await ended(pipe)
    assert place.served[0].heard == STRANGER_BYTES


async def test_whoever_is_let_in_may_stay_and_talk(place: Place) -> None:
    pipe = await place.come()
    transport = place.served[0].transport
    assert transport is not None
    place.hall.let_in(transport)
    await asyncio.sleep(0.3)
    pipe[1].write(bytes(2 * STRANGER_BYTES))
    await until(lambda: place.served[0].heard == 2 * STRANGER_BYTES)


async def test_whoever_reads_an_answer_gets_longer_not_for_ever(place: Place) -> None:
    began = asyncio.get_running_loop().time()
    pipe = await place.come()
    transport = place.served[0].transport
    assert transport is not None
    place.hall.answering(transport)
    assert await ended(pipe)
    assert asyncio.get_running_loop().time() - began >= 0.6


async def test_one_stranger_too_many_sends_the_oldest_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "STRANGER_SECONDS", 60.0)
    known = await place.come()
    transport = place.served[0].transport
    assert transport is not None
    place.hall.let_in(transport)
    callers = [await place.come() for _ in range(5)]
    assert await ended(callers[0])
    # Neither who is in already nor the newer ones.
    for pipe in (known, *callers[1:]):
        assert not pipe[0].at_eof()


async def test_a_guard_says_who_may_have_a_connection_at_all() -> None:
    place = Place(guard=lambda sock: False)
    pipe = await asyncio.open_connection(*place.address)
    place.callers.append(pipe)
    assert await ended(pipe)
    assert place.served == []
    await place.close()
