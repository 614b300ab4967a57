"""A simulation and a ParaView that speak Catalyst Live over real sockets, and a crossing between them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from pvlink.insitu import frames
from pvlink.insitu.ferry.crossing import Crossing, Place, Streams
from tests.unit.insitu.notebook import until

# For all that a test waits for; nothing here takes a tenth of it.
SECONDS = 20.0
# What a simulation of ParaView 5.11 says first, each of which is said back.
ECHOED = [
    (0x3C3C3C3C, b"\1"),
    (0x3E3E3E3E, b"d\0\0\0"),
    (0x3F3F3F3F, b"5e7a24e1e7033d8c49830a3775623523\0"),
    (0x3D3D3D3D, b"\1\0\0\0"),
]
NAME = b"paraview-5.11.renderingbackend.opengl2\0"
# Longer than what a crossing gathers.
XML = b"<ServerManagerState>" + b"x" * 200_000 + b"</ServerManagerState>\0"
GREETING = [
    *ECHOED,
    (frames.NAMED, struct.pack("<i", len(NAME))),
    (frames.NAMED, NAME),
    (frames.STATE_LENGTH, struct.pack("<i", len(XML))),
    (frames.STATE, XML),
]
UPDATE = struct.pack("<iid", frames.UPDATE, 17, 0.5)
POSTPROCESS = struct.pack("<iid", frames.POSTPROCESS, 17, 0.5)
NOTHING_NEW = [
    (frames.CHANGED, b"\0\0\0\0"),
    (frames.ORDERS, b"\x0b\0\0\0"),
    (frames.ORDERS, b"\1\0\0\0\0\0\0\0\0\0\0"),
]
# That a filter was changed, and what is to be delivered: three messages, and a text of any length.
CHANGED = [
    (frames.CHANGED, b"\5\0\0\0"),
    (frames.CHANGES, b"<a/>\0"),
    (frames.ORDERS, b"\x0b\0\0\0"),
    (frames.ORDERS, b"\1\0\0\0\0\0\0\1\0\0\0"),
]
# As ParaView is asked before the simulation has asked for the first time, and after that; what follows its answer.
QUESTION, QUESTION_AGAIN = (frames.RMI, frames.update(0, 0.0)[8:]), (frames.RMI, UPDATE)
UNMAPPED = (frames.MAPPED, b"\0\0\0\0")
# More than sockets and readers take by themselves.
MUCH = random.Random(1).randbytes(32 << 20)
SOME = MUCH[: 3 << 20]
Message = tuple[int, bytes]


def bytes_of(messages: Sequence[Message]) -> bytes:
    return b"".join(struct.pack("<ii", tag, len(body)) + body for tag, body in messages)


def delivery(data: bytes) -> list[Message]:
    """A step, as the first rank sends it."""
    return [(frames.RMI, POSTPROCESS), (12000, data), (674523, b"\4\0\0\0"), (frames.LAST, b"what is known of it")]


class Talk:
    """One end of a connection, message by message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, *messages: Message) -> None:
        self.writer.write(bytes_of(messages))

    async def hear(self) -> Message:
        tag, length = struct.unpack("<ii", await self.reader.readexactly(8))
        return tag, await self.reader.readexactly(length)

    async def hears(self, count: int) -> list[Message]:
        return [await self.hear() for _ in range(count)]

    async def rest(self) -> bytes:
        """All that comes until the other side has closed, or has gone."""
        found = b""
        with contextlib.suppress(ConnectionError):
            while data := await self.reader.read(1 << 16):
                found += data
        return found

    async def quiet(self) -> bool:
        """Nothing comes for a while."""
        try:
            await asyncio.wait_for(self.reader.read(1), 0.15)
        except TimeoutError:
            return True
        return False

    async def push(self, data: bytes, size: int = 1 << 20) -> None:
        """Sent to the last byte, and taken."""
        for at in range(0, len(data), size):
            self.writer.write(data[at : at + size])
            await self.writer.drain()


class Simulation(Talk):
    """Its first rank, which stands still wherever a real one does."""

    processes = 0
    places: bytes = b""

    async def greet(self, ranks: int = 1, piece: int = 1 << 20) -> None:
        for tag, body in ECHOED:
            await self.push(bytes_of([(tag, body)]), piece)
            assert await self.hear() == (tag, body)
        await self.push(bytes_of(GREETING[4:6]), piece)
        assert await self.hear() == (frames.GOOD, b"\0\0\0\0")
        await self.push(bytes_of(GREETING[6:]), max(piece, 1000))
        tag, body = await self.hear()
        assert tag == frames.PROCESSES
        (self.processes,) = struct.unpack("<i", body)
        self.say((frames.OWN_PROCESSES, struct.pack("<i", ranks)))
        if self.processes > 1 and ranks > 1:
            (_, length), (tag, self.places) = await self.hears(2)
            assert (tag, length) == (frames.PLACES, struct.pack("<i", len(self.places)))

    async def update(self, *mapping: Message) -> list[Message]:
        """What it is answered, before it may go on. `mapping`: what it says then."""
        self.say((frames.RMI, UPDATE))
        found = [await self.hear()]
        while [tag for tag, _ in found].count(frames.ORDERS) < 2:
            found.append(await self.hear())
        self.say(*(mapping or [UNMAPPED]))
        return found

    async def deliver(self, data: bytes) -> None:
        await self.push(bytes_of(delivery(data)))


async def goes_on(simulation: Simulation, data: bytes = SOME) -> None:
    """Another step, all of which is taken, as if somebody were there."""
    simulation.say((frames.RMI, UPDATE), UNMAPPED)
    await simulation.deliver(data)
    assert not simulation.reader.at_eof()
    assert await simulation.quiet()


class ParaView(Talk):
    """One of its processes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.heard: list[Message] = []

    async def greet(self, code: int = 0, processes: int = 1, places: bytes | None = None) -> int:
        """As many ranks as the simulation has."""
        await self.echo()
        self.heard += await self.hears(2)
        self.say((frames.GOOD, struct.pack("<i", code)))
        self.heard += await self.hears(2)
        self.say((frames.PROCESSES, struct.pack("<i", processes)))
        tag, body = await self.hear()
        assert tag == frames.OWN_PROCESSES
        if places is not None:
            self.say((frames.PLACES, struct.pack("<i", len(places))), (frames.PLACES, places))
        return int(struct.unpack("<i", body)[0])

    async def echo(self) -> None:
        """The part of the greeting that each of its processes has."""
        for _ in ECHOED:
            message = await self.hear()
            self.heard.append(message)
            self.say(message)


class Strait:
    """A crossing, whoever is at its ends, and what it tells."""

    def __init__(self, processes: int, ranks: int, embark: Callable[[Place], Awaitable[Streams]] | None) -> None:
        self.told: list[dict[str, Any]] = []
        self.places: list[Place] = []
        self.crossing = Crossing(embark or self._embark, processes, ranks, self.told.append)
        self.ranks = ranks
        self._came: asyncio.Queue[ParaView] = asyncio.Queue()
        # Of both ends of every connection: none is closed because nobody knows it any more.
        self._writers: list[asyncio.StreamWriter] = []
        accepted = self.crossing._accepted

        async def kept(number: int) -> Streams:
            streams = await accepted(number)
            self._writers.append(streams[1])
            return streams

        self.crossing._accepted = kept  # type: ignore[method-assign]
        self.port = self.crossing.begin()
        self._server: asyncio.Server | None = None

    @property
    def lost(self) -> list[str]:
        return [facts["lost"] for facts in self.told if "lost" in facts]

    @property
    def answers(self) -> list[int]:
        """How long each was that the simulation was told of."""
        return [facts["answered"] for facts in self.told if "answered" in facts]

    @property
    def deliveries(self) -> int:
        return self.told.count({"delivered": True})

    async def simulation(self, *, greets: bool = True) -> Simulation:
        """Its first rank."""
        one = await self.rank(self.port)
        if greets:
            await one.greet(self.ranks)
        return one

    async def rank(self, port: int) -> Simulation:
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 22)
        self._writers.append(writer)
        return Simulation(reader, writer)

    async def paraview(self) -> ParaView:
        """The next of its processes that is reached."""
        return await self._came.get()

    async def both(self, processes: int = 1) -> tuple[Simulation, ParaView]:
        """After their greetings."""
        simulation = await self.simulation()
        paraview = await self.paraview()
        await paraview.greet(processes=processes)
        await until(lambda: self.crossing.open)
        return simulation, paraview

    async def asks(self, paraview: ParaView, *said: Message, question: Message = QUESTION) -> None:
        """ParaView has something new to say, which is this."""
        self.crossing.invite(True)
        assert await paraview.hear() == question
        paraview.say(*said)
        assert await paraview.hear() == UNMAPPED

    async def gone(self) -> None:
        """ParaView's side is lost, as far as anybody was told."""
        await until(lambda: self.lost)

    async def begin(self) -> None:
        def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.append(writer)
            self._came.put_nowait(ParaView(reader, writer))

        self._server = await asyncio.start_server(met, "127.0.0.1", 0, limit=1 << 22)

    async def _embark(self, place: Place) -> Streams:
        assert self._server is not None
        self.places.append(place)
        streams = await asyncio.open_connection(*self._server.sockets[0].getsockname()[:2], limit=1 << 20)
        self._writers.append(streams[1])
        return streams

    async def close(self) -> None:
        self.crossing.close()
        assert self._server is not None
        self._server.close()
        await until(lambda: not self.crossing._tasks)
        # Whoever is on the way still comes.
        await asyncio.sleep(0.01)
        for writer in self._writers:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def strait(
    processes: int = 1, ranks: int = 1, embark: Callable[[Place], Awaitable[Streams]] | None = None
) -> AsyncIterator[Strait]:
    """All of its connections are closed at the end, and nothing in it waits for ever."""
    async with asyncio.timeout(SECONDS):
        one = Strait(processes, ranks, embark)
        await one.begin()
        try:
            yield one
        finally:
            await one.close()
