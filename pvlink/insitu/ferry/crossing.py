"""One link from a simulation to ParaView, and everything that can go wrong on it kept from the simulation.

    simulation's ranks --(loopback)--> crossing --(the shore)--> ParaView's processes

To the simulation the crossing is ParaView: it greets, and what it will say at the next step that is delivered lies in
the simulation's socket before that is told of. To ParaView it is the simulation. Neither waits for the other; where
ParaView is gone the data go nowhere, and the simulation does not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Coroutine
from typing import Any, Callable, Optional

from pvlink.insitu import frames
from pvlink.insitu.ferry.answers import Answers
from pvlink.insitu.ferry.incoming import CHUNK, Incoming

# For ParaView's greeting and its answers. It may be drawing, or be far away; nobody stands still meanwhile, in seconds.
PATIENCE = 20.0

Place = Optional[tuple[str, int]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
# Makes a connection to the shore: for ParaView's first process, or for the one at that place.
Embark = Callable[[Place], Awaitable[Streams]]


class Crossing:
    """From the offer of a link to its end. What was delivered and is still on its way is in memory: one delivery."""

    def __init__(self, embark: Embark, processes: int, ranks: int, tell: Callable[[dict[str, Any]], None]) -> None:
        """`processes`: ParaView's.

        `tell`: `{"open": True}`, `{"answered": bytes}` once the simulation may deliver, `{"delivered": True}`,
        `{"lost": why}`. With `"more"`, an answer waits that what was asked for lies behind.
        """
        self._embark = embark
        self._tell = tell
        self._ranks = ranks
        self._processes = processes
        # Where both have several, these pairs send their part to each other; otherwise all goes through the first.
        self._pairs = max(1, min(processes, ranks))
        self._listeners: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._near: asyncio.StreamWriter | None = None
        # All connections of both sides that are open.
        self._writers: list[asyncio.StreamWriter] = []
        # Of them ParaView's.
        self._theirs: list[asyncio.StreamWriter] = []
        self._awaited: set[socket.socket] = set()
        self._is_lost = False
        # ParaView's sides, by pair.
        self._far: dict[int, asyncio.StreamWriter] = {}
        self._greeting = bytearray()
        self._names = 0
        self._greeted = asyncio.Event()
        # Of the other pairs: what they have greeted with.
        self._others: dict[int, asyncio.Future[bytes]] = {}
        self._answers = Answers()
        # ParaView was asked, until when it has to answer, and is to be asked once more.
        self._asking: asyncio.TimerHandle | None = None
        self._again = False
        # It is in the middle of a delivery, or of an answer: neither goes into the other.
        self._delivering = False
        self._kept: list[bytes] = []
        # The simulation is to deliver: as soon as ParaView has answered, and it has heard its last answer.
        self._invited = self._answered = False
        # The newest invitation has something new behind it; the size of the answer that lies there.
        self._pressing = False
        self._size = 0
        # What ParaView's proxies are called in the simulation; ParaView is told when it is asked the next time.
        self._mapping = frames.numbered(frames.MAPPED, 0)
        self._mapped = b""
        self._update = frames.update(0, 0.0)
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
        self._ask_no_more()
        # A listener that somebody waits at is closed by the one who waits, once the loop looks at it no longer.
        for task in self._tasks:
            task.cancel()
        for listener in self._listeners:
            if listener not in self._awaited:
                listener.close()
        for writer in self._writers:
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
        if self.closed or self._is_lost:
            return
        self._kept.clear()
        self.open, self._is_lost = False, True
        self._ask_no_more()
        for writer in self._theirs:
            writer.transport.abort()
        self._theirs.clear()
        self._far.clear()
        self._tell({"lost": why})

    # -- the simulation's side ---------------------------------------------------------------------

    async def _main(self) -> None:
        reader, self._near = await self._accepted(0)
        self._run(self._arrive())
        messages = frames.Messages()
        try:
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(CHUNK):
                    for found in messages.feed(data):
                        self._heard(*found)
            self._lose("the simulation has closed its link")
        except frames.NoLive as error:
            self._lose(f"the simulation said {error}")
        finally:
            self.close()

    async def _accepted(self, number: int) -> Streams:
        """The first one that comes is the simulation's, and the only one."""
        listener = self._listeners[number]
        self._awaited.add(listener)
        try:
            sock, _ = await asyncio.get_running_loop().sock_accept(listener)
        finally:
            listener.close()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        streams = await asyncio.open_connection(sock=sock, limit=CHUNK)
        self._writers.append(streams[1])
        return streams

    def _heard(self, tag: int, body: bytes | None, raw: bytes, ends: bool) -> None:
        """From the first rank."""
        assert self._near is not None
        if not self._greeted.is_set():
            self._greet(tag, raw, ends)
        elif tag == frames.RMI and body is not None and frames.remote_call(body) == frames.UPDATE:
            self._update, self._answered = raw, False
        elif tag == frames.MAPPED and body is not None:
            self._mapped = raw if frames.number(body) else b""
        elif tag == frames.MAP:
            self._mapped += raw
            if ends:
                self._mapping, self._again = self._mapped, True
        else:
            self._delivering = True
            if self._asking is None:
                self._pass(0, raw)
            else:
                self._kept.append(raw)
            if tag == frames.LAST and ends:
                self._delivering = False
                self._tell({"delivered": True})
                if self._again:
                    self._ask()
                self._answer()

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

    # -- what is asked, and answered -----------------------------------------------------------------

    def invite(self, ask: bool) -> None:
        """Have the simulation deliver a step. `ask`: ParaView has something new to say."""
        self._invited = True
        if ask:
            self._pressing = True
            self._ask()
        self._answer()

    def _ask(self) -> None:
        self._again = self._asking is not None or self._delivering or not self.open
        if not self._again:
            self._asking = asyncio.get_running_loop().call_later(PATIENCE, self._impatient)
            self._pass(0, self._update)

    def _answer(self) -> None:
        """Into the simulation's socket, before it asks."""
        if not self._invited or self._asking is not None or self._again or not self.open:
            return
        if self._answered:
            # One lies there still, perhaps untold: what is told can be lost. Where there is news, which is not in it, a
            # simulation that stands takes it for that, and then the news.
            self._tell({"answered": self._size, "more": self._pressing})
            return
        assert self._near is not None
        self._invited, self._answered, self._pressing = False, True, False
        answer = self._answers.take()
        self._size = len(answer)
        self._near.write(answer)
        self._tell({"answered": self._size})

    def _replied(self) -> None:
        """ParaView's answer is there; it waits for what its proxies are called in the simulation, but not for long."""
        self._ask_no_more()
        mapping, self._mapping = self._mapping, frames.numbered(frames.MAPPED, 0)
        self._pass(0, mapping)
        kept, self._kept = self._kept, []
        for raw in kept:
            self._pass(0, raw)
        if self._again:
            self._ask()
        self._answer()

    def _impatient(self) -> None:
        self._lose(f"ParaView did not answer within {PATIENCE:g} s")

    def _ask_no_more(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _pass(self, pair: int, raw: bytes) -> None:
        far = self._far.get(pair)
        if far is not None and not far.is_closing():
            far.write(raw)

    async def _other(self, number: int) -> None:
        """One of the other ranks: greeted from here, or it would end the simulation; its data taken to its pair."""
        reader, near = await self._accepted(number)
        messages, greeting = frames.Messages(), bytearray()
        try:
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
        finally:
            near.close()

    # -- ParaView's side ---------------------------------------------------------------------------

    async def _arrive(self) -> None:
        """Greet ParaView as the simulation has greeted us, and pass on what it says."""
        await self._greeted.wait()
        try:
            incoming = await asyncio.wait_for(self._meet(), PATIENCE)
        except asyncio.TimeoutError:
            self._lose(f"ParaView did not greet within {PATIENCE:g} s")
            return
        self.open = True
        self._tell({"open": True})
        if self._again:
            self._ask()
        self._answer()
        while True:
            # Nobody waits for anything else that it may say.
            if self._answers.feed(*await incoming.next()) and self._asking is not None:
                self._replied()

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
        self._writers.append(writer)
        self._theirs.append(writer)
        incoming = Incoming(reader)
        for tag, _, raw, _ in frames.Messages(len(greeting)).feed(greeting):
            writer.write(raw)
            if tag in frames.ECHOED:
                await incoming.of(tag)
        return incoming, writer
