"""One link from a simulation to ParaView, and everything that can go wrong on it kept from the simulation.

    simulation's ranks --(loopback)--> crossing --(the shore)--> ParaView's processes

To the simulation the crossing is ParaView: it greets, and says at each step that nothing has changed, at once, unless
there is something new to ask for. To ParaView it is the simulation. Where ParaView is gone the data go nowhere, and the
simulation does not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Coroutine
from typing import Any, Callable, Optional

from pvlink.insitu import frames

# For the greeting of ParaView, which may be drawing meanwhile: nobody stands still for it, in seconds.
GREETING = 20.0
# How long the simulation stands still where ParaView was asked whether something has changed, in seconds.
PATIENCE = 2.0
# What is read at once.
CHUNK = 1 << 20

Place = Optional[tuple[str, int]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
# Makes a connection to the shore: for ParaView's first process, or for the one at that place.
Embark = Callable[[Place], Awaitable[Streams]]


class Crossing:
    """From the offer of a link to its end. What was delivered and is still on its way is in memory: one delivery."""

    def __init__(self, embark: Embark, processes: int, ranks: int, tell: Callable[[dict[str, Any]], None]) -> None:
        """`processes`: ParaView's. `tell`: `{"delivered": True}`, `{"open": True}`, `{"lost": why}`."""
        self._embark = embark
        self._tell = tell
        self._ranks = ranks
        self._processes = processes
        # Where both have several, these pairs send their part to each other; otherwise all goes through the first.
        self._pairs = max(1, min(processes, ranks))
        self._listeners: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._near: asyncio.StreamWriter | None = None
        # ParaView's sides, by pair.
        self._far: dict[int, asyncio.StreamWriter] = {}
        self._greeting = bytearray()
        self._names = 0
        self._greeted = asyncio.Event()
        # Of the other pairs: what they have greeted with.
        self._others: dict[int, asyncio.Future[bytes]] = {}
        # ParaView has something to say at the next step.
        self.ask = False
        # The simulation stands and waits for it; what it has said so far.
        self._standing: asyncio.TimerHandle | None = None
        self._reply = bytearray()
        self._orders = 0
        # The simulation's answer is to be swallowed: it was asked from here.
        self._alone = False
        self.open = False
        self.closed = False

    def begin(self) -> int:
        """Wait for the simulation; at which port."""
        loop = asyncio.get_running_loop()
        for number in range(self._pairs):
            listener = socket.create_server(("127.0.0.1", 0))
            listener.setblocking(False)
            self._listeners.append(listener)
            if number:
                self._others[number] = loop.create_future()
        self._run(self._main())
        return int(self._listeners[0].getsockname()[1])

    def close(self) -> None:
        """May be called twice. The simulation finds its link closed at the next step that is delivered."""
        if self.closed:
            return
        self.closed, self.open = True, False
        self._stand_no_more()
        for task in self._tasks:
            task.cancel()
        for listener in self._listeners:
            listener.close()
        for writer in (self._near, *self._far.values()):
            if writer is not None:
                writer.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._lose(str(error) or type(error).__name__)

    def _lose(self, why: str) -> None:
        """ParaView's side is no more; the simulation's stays, and leads nowhere."""
        if self.closed:
            return
        self.open = False
        if self._standing is not None:
            self._stand_no_more()
            self._answer_alone()
        for writer in self._far.values():
            writer.transport.abort()
        self._far.clear()
        self._tell({"lost": why})

    # -- the simulation's side ---------------------------------------------------------------------

    async def _main(self) -> None:
        reader, self._near = await self._accepted(0)
        self._run(self._arrive())
        messages = frames.Messages()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                for found in messages.feed(data):
                    self._heard(*found)
        self._lose("the simulation has closed its link")
        self.close()

    async def _accepted(self, number: int) -> Streams:
        """The first one that comes is the simulation's, and the only one."""
        listener = self._listeners[number]
        sock, _ = await asyncio.get_running_loop().sock_accept(listener)
        listener.close()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await asyncio.open_connection(sock=sock, limit=CHUNK)

    def _heard(self, tag: int, body: bytes | None, raw: bytes, ends: bool) -> None:
        """From the first rank."""
        assert self._near is not None
        if not self._greeted.is_set():
            self._greet(tag, raw, ends)
        elif tag == frames.RMI and body is not None and frames.remote_call(body) == frames.UPDATE:
            self._stand(raw)
        elif tag == frames.MAPPED and self._alone:
            self._alone = False
        else:
            self._pass(0, raw)
            if tag == frames.LAST and ends:
                self._tell({"delivered": True})

    def _greet(self, tag: int, raw: bytes, ends: bool) -> None:
        """As ParaView would; what it says is kept for ParaView."""
        assert self._near is not None
        if tag == frames.OWN_PROCESSES:
            if self._pairs > 1:
                places: list[Place] = [None]
                for number in self._others:
                    places.append(("127.0.0.1", self._listeners[number].getsockname()[1]))
                    self._run(self._other(number))
                self._near.write(frames.twice(frames.PLACES, frames.listed(places)))
            self._greeted.set()
            return
        self._greeting += raw
        if tag in frames.ECHOED:
            self._near.write(raw)
        elif tag == frames.NAMED:
            # Its length, and itself.
            self._names += 1
            if self._names == 2:
                self._near.write(frames.numbered(frames.GOOD, 0))
        elif tag == frames.STATE and ends:
            self._near.write(frames.numbered(frames.PROCESSES, self._pairs))

    def _stand(self, raw: bytes) -> None:
        """A step that is to be delivered: has something changed?"""
        if not (self.open and self.ask):
            self._answer_alone()
            return
        self.ask = False
        self._reply.clear()
        self._orders = 0
        self._standing = asyncio.get_running_loop().call_later(PATIENCE, self._impatient)
        self._pass(0, raw)

    def _answer_alone(self) -> None:
        assert self._near is not None
        self._alone = True
        self._near.write(frames.NOTHING_NEW)

    def _impatient(self) -> None:
        self._lose(f"ParaView did not answer within {PATIENCE:g} s; the simulation went on")

    def _stand_no_more(self) -> None:
        if self._standing is not None:
            self._standing.cancel()
            self._standing = None

    def _pass(self, pair: int, raw: bytes) -> None:
        far = self._far.get(pair)
        if far is not None and not far.is_closing():
            far.write(raw)

    async def _other(self, number: int) -> None:
        """One of the other ranks: greeted from here, or it would end the simulation; its data taken to its pair."""
        reader, near = await self._accepted(number)
        messages, greeting = frames.Messages(), bytearray()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                for tag, _, raw, _ in messages.feed(data):
                    if tag in frames.ECHOED and not self._others[number].done():
                        greeting += raw
                        near.write(raw)
                        # The last of the four.
                        if tag == frames.WIDTH_OF_IDS:
                            self._others[number].set_result(bytes(greeting))
                    else:
                        self._pass(number, raw)
        near.close()

    # -- ParaView's side ---------------------------------------------------------------------------

    async def _arrive(self) -> None:
        """Greet ParaView as the simulation has greeted us, and pass on what it says."""
        await self._greeted.wait()
        try:
            incoming = await asyncio.wait_for(self._meet(), GREETING)
        except asyncio.TimeoutError:
            self._lose(f"ParaView did not greet within {GREETING:g} s")
            return
        self.open = True
        self._tell({"open": True})
        while True:
            tag, _, raw, ends = await incoming.next()
            if self._standing is not None and tag in (frames.CHANGED, frames.CHANGES, frames.ORDERS):
                self._replied(tag, raw, ends)

    def _replied(self, tag: int, raw: bytes, ends: bool) -> None:
        """All of it at once: a half could not be taken back."""
        self._reply += raw
        if tag == frames.ORDERS and ends:
            self._orders += 1
        if self._orders == 2:
            self._stand_no_more()
            assert self._near is not None
            self._near.write(bytes(self._reply))

    async def _meet(self) -> Incoming:
        incoming, writer = await self._greeted_by(None, bytes(self._greeting))
        code = frames.number(await incoming.of(frames.GOOD))
        if code:
            raise frames.NoLive("ParaView is of another version than the simulation's")
        processes = frames.number(await incoming.of(frames.PROCESSES))
        if processes != self._processes:
            raise frames.NoLive(f"ParaView has {processes} processes, not {self._processes}")
        writer.write(frames.numbered(frames.OWN_PROCESSES, self._ranks))
        if self._pairs > 1:
            await incoming.of(frames.PLACES)
            places = frames.places(await incoming.of(frames.PLACES))
            for number, greeting in self._others.items():
                _, self._far[number] = await self._greeted_by(places[number], await greeting)
        self._far[0] = writer
        return incoming

    async def _greeted_by(self, place: Place, greeting: bytes) -> tuple[Incoming, asyncio.StreamWriter]:
        reader, writer = await self._embark(place)
        incoming = Incoming(reader)
        for tag, _, raw, _ in frames.Messages(len(greeting)).feed(greeting):
            writer.write(raw)
            if tag in frames.ECHOED:
                await incoming.of(tag)
        return incoming, writer


class Incoming:
    """ParaView's messages, as they come."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._messages = frames.Messages()
        self._ready: list[tuple[int, bytes | None, bytes, bool]] = []

    async def next(self) -> tuple[int, bytes | None, bytes, bool]:
        while not self._ready:
            data = await self._reader.read(CHUNK)
            if not data:
                raise EOFError("ParaView has closed the link")
            self._ready = self._messages.feed(data)
        return self._ready.pop(0)

    async def of(self, tag: int) -> bytes:
        """The next one, which has to be of this kind."""
        found, body, _, _ = await self.next()
        if found != tag or body is None:
            raise frames.NoLive(f"ParaView said {found} and not {tag}")
        return body
