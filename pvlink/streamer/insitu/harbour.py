"""Where a simulation comes to: one at a time, with what is known of it, and its link on to ParaView.

    ferry --(lines of JSON)--> harbour --> kernel (asks), engine (is told)
    ferry --(Catalyst Live)--> harbour --> the port at which ParaView waits for a simulation

The kernel may be in a cell, ParaView may be drawing: who pauses a simulation is there all the same, as long as this
process is, which ends with its kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hmac
import logging
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

from pvlink.insitu import key
from pvlink.insitu.frames import NoLive
from pvlink.insitu.parameters import Refused, received
from pvlink.insitu.terms import MAX_LINE, TICK
from pvlink.streamer.engine_port import Live, Next
from pvlink.streamer.insitu.paraview import CHUNK, Waiting
from pvlink.streamer.insitu.sluice import Sluice
from pvlink.streamer.insitu.visitor import Stranger, Visitor

# What has happened, for a kernel that asks late.
MAX_EVENTS = 2_000
# Steps at which quantities were measured.
MAX_POINTS = 50_000
# Connections that are being greeted or carried.
MAX_VISITORS = 64
# What ParaView is told where there is none.
NOBODY: dict[str, Any] = {"op": "simulation", "hello": None}
log = logging.getLogger(__name__)


class HarbourError(Exception):
    """The sentence goes to the user."""


class Harbour:
    """Of one session."""

    def __init__(self, tell_engine: Callable[[dict[str, Any]], None], server_at: Callable[[], tuple[str, int]]) -> None:
        """`tell_engine`: a packet for ParaView's process, if there is one. `server_at`: see `ServerDesk.at`."""
        self._tell_engine = tell_engine
        self._server_at = server_at
        self._server: asyncio.Server | None = None
        self._place = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._simulation: Visitor | None = None
        # What it has said of itself, and of how it is.
        self._hello: dict[str, Any] | None = None
        self._status: dict[str, Any] = {}
        self._standing = ""
        self._ended = ""
        self._link = "none"
        self._strangers = ""
        # With the number of each, so that whoever asks hears what it does not know.
        self._events: deque[tuple[int, dict[str, Any]]] = deque(maxlen=MAX_EVENTS)
        self._points: deque[tuple[int, Any]] = deque(maxlen=MAX_POINTS)
        self._numbers = 0
        # The same simulation has come again, and says first how it was at last.
        self._again = False
        self._ticking: asyncio.TimerHandle | None = None
        self._paraview: Waiting | None = None
        self._ticket = ""
        self._sluice = Sluice()
        self._heard = 0.0

    async def open(self, host: str, port: int) -> str:
        """Wait for a simulation there. Raises HarbourError."""
        self.leave()
        try:
            key.read()
            self._server = await asyncio.start_server(self._arrived, host, port, limit=MAX_LINE)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise HarbourError(
                    f"Another one waits for a simulation at {host}:{port} already, or something else has this port. "
                    "session.monitor('localhost:22223') takes another one; the simulation is told the same."
                ) from None
            raise HarbourError(f"No simulation can come to {host}:{port}: {error.strerror or error}") from None
        place, number = self._server.sockets[0].getsockname()[:2]
        self._place = f"{place}:{number}"
        self._tick()
        return self._place

    def leave(self) -> None:
        """No simulation is waited for any more; the one that is there goes on without us."""
        for task in self._tasks:
            task.cancel()
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        if self._simulation is not None:
            self._tell_engine(NOBODY)
        if self._server is not None:
            self._server.close()
            self._server = None
        self._place = ""
        self._forget()

    async def close(self) -> None:
        self.leave()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- the kernel --------------------------------------------------------------------------------

    def state(self, event: int, point: int) -> dict[str, Any]:
        """How things are, and what has come since the numbers that the kernel knows."""
        now = asyncio.get_running_loop().time()
        return {
            "place": self._place,
            "there": self._simulation is not None,
            "simulation": self._hello,
            "status": {name: value for name, value in self._status.items() if name != "points"},
            "standing": self._standing,
            "ended": self._ended,
            "link": self._link,
            "strangers": self._strangers,
            "silent": now - self._heard if self._simulation is not None else 0.0,
            "events": [[number, one] for number, one in self._events if number > event],
            "points": [[number, one] for number, one in self._points if number > point],
        }

    def order(self, order: dict[str, Any]) -> None:
        """Raises HarbourError."""
        if self._simulation is None:
            raise HarbourError(f"No simulation is there. One that says Bridge(live={self._place!r}) comes by itself.")
        self._simulation.say(order=order)

    # -- the engine --------------------------------------------------------------------------------

    def on_packet(self, packet: Live | Next) -> None:
        """ParaView waits at a port for a simulation, or takes another step."""
        match packet:
            case Live(port, processes, server):
                where = self._server_at() if server else ("", 0)
                self._paraview = Waiting(port, processes, *where) if port else None
                self._offer()
            case Next(wanted, ask) if self._simulation is not None:
                self._simulation.say(next={"wanted": wanted, "ask": ask})

    def engine_came(self) -> None:
        self._tell()

    def engine_left(self) -> None:
        self._paraview = None
        self._offer()

    def _tell(self) -> None:
        """Which simulation is there, as far as ParaView has to know."""
        if not self._place:
            return
        if self._simulation is None or self._hello is None:
            self._tell_engine(NOBODY)
            return
        hello = {name: self._hello.get(name) for name in ("host", "pid", "began", "paraview")}
        parameters = received(self._hello.get("parameters"))
        definition = parameters.definition if parameters else ""
        self._tell_engine({"op": "simulation", "hello": hello, "definition": definition})

    def _offer(self) -> None:
        if self._simulation is None:
            return
        there = self._paraview
        self._ticket = secrets.token_hex(16) if there is not None else ""
        self._sluice = Sluice()
        live = {"ticket": self._ticket, "processes": there.processes} if there is not None else None
        self._simulation.say(live=live)
        self._link = "offered" if there is not None else "none"

    # -- who comes ---------------------------------------------------------------------------------

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visitor = Visitor(reader, writer)
        if len(self._tasks) >= MAX_VISITORS:
            visitor.close()
            return
        self._tasks.add(task)
        try:
            hello = await visitor.greet()
            if hello.get("kind") == "link":
                await self._carry(visitor, hello)
            else:
                await self._stay(visitor, hello)
        except Stranger as error:
            # The same one comes again and again.
            if str(error) != self._strangers:
                log.warning("a connection was turned away: %s", error)
            self._strangers = str(error)
        except asyncio.CancelledError:
            # Whoever has started this task wants to hear nothing of its end.
            pass
        finally:
            self._tasks.discard(task)
            visitor.close()

    async def _stay(self, visitor: Visitor, hello: dict[str, Any]) -> None:
        """A simulation, until it goes."""
        if self._simulation is not None:
            raise Stranger("another simulation is here already")
        try:
            received(hello.get("parameters"))
        except Refused as error:
            raise Stranger(str(error)) from None
        hello.pop("proof", None)
        self._begin(visitor, hello)
        try:
            async for facts in visitor.lines():
                self._heard = asyncio.get_running_loop().time()
                self._take(facts)
        finally:
            self._gone(visitor)

    def _begin(self, visitor: Visitor, hello: dict[str, Any]) -> None:
        same = self._hello is not None and all(hello.get(k) == self._hello.get(k) for k in ("host", "pid", "began"))
        if not same:
            self._forget()
        self._again = same
        self._simulation, self._hello = visitor, hello
        self._heard = asyncio.get_running_loop().time()
        self._standing = self._ended = ""
        self._note({"kind": "came", "again": same})
        self._tell()
        self._offer()

    def _take(self, facts: dict[str, Any]) -> None:
        if isinstance(status := facts.get("status"), dict) and status:
            self._status = status
            self._measured(status.get("points"))
        if isinstance(event := facts.get("event"), dict):
            self._note(event)
        if isinstance(standing := facts.get("standing"), str):
            self._standing = "" if standing == "running" else standing
        if isinstance(crossing := facts.get("crossing"), dict):
            self._crossed(crossing)
        if isinstance(ended := facts.get("ended"), str):
            self._ended = ended
            self._note({"kind": "ended", "how": ended})

    def _measured(self, points: object) -> None:
        good = [one for one in points if _is_point(one)] if isinstance(points, list) else []
        if self._again and self._points:
            # Only then: a simulation may count its steps anew in the middle of its life.
            last = self._points[-1][1][0]
            good = [one for one in good if one[0] > last]
        self._again = False
        for point in good:
            self._numbers += 1
            self._points.append((self._numbers, point))

    def _crossed(self, crossing: dict[str, Any]) -> None:
        if "lost" in crossing:
            self._link = f"lost: {crossing['lost']}"
            self._note({"kind": "unlinked", "why": str(crossing["lost"])})
            self._tell_engine({"op": "link-lost", "why": str(crossing["lost"])})
        elif "open" in crossing:
            self._link = "open"

    def _gone(self, visitor: Visitor) -> None:
        """It has ended, or its connection was cut: whether it comes again is not known."""
        if self._simulation is not visitor:
            return
        self._simulation = None
        self._link, self._ticket = "none", ""
        if not self._ended:
            self._note({"kind": "left"})
        self._tell()

    def _forget(self) -> None:
        self._simulation, self._hello, self._status = None, None, {}
        self._events.clear()
        self._points.clear()
        self._standing = self._ended = ""
        self._link, self._ticket = "none", ""

    def _note(self, event: dict[str, Any]) -> None:
        self._numbers += 1
        self._events.append((self._numbers, event))

    def _tick(self) -> None:
        if self._server is None:
            return
        if self._simulation is not None:
            self._simulation.say(tick=True)
        self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)

    # -- its link ----------------------------------------------------------------------------------

    async def _carry(self, visitor: Visitor, hello: dict[str, Any]) -> None:
        """Catalyst Live, to ParaView's port, or to the place that ParaView itself has named on that link."""
        given = str(hello.get("ticket")).encode()
        if self._paraview is None or not self._ticket or not hmac.compare_digest(given, self._ticket.encode()):
            raise Stranger("that link is over")
        # Of the offer that this ticket is for: there may be another one by the time that ParaView is reached.
        sluice = self._sluice
        match hello.get("place"):
            case [str(host), int(port)]:
                place: tuple[str, int] | None = (host, port)
            case _:
                place = None
        try:
            reader, writer = await self._paraview.reach(place)
        except OSError as error:
            log.warning("a simulation does not reach ParaView: %s", error)
            return
        gate = sluice.gate(writer.write, first=place is None)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pour(visitor.reader, gate.feed, writer))
                group.create_task(_pour(reader, visitor.writer.write, visitor.writer))
        finally:
            writer.close()


def _is_point(one: object) -> bool:
    """Step, time, values by name."""
    match one:
        case [int(), int() | float(), dict()]:
            return True
        case _:
            return False


async def _pour(reader: asyncio.StreamReader, take: Callable[[bytes], object], other: asyncio.StreamWriter) -> None:
    """Until one of them has gone; then both are to go."""
    with contextlib.suppress(OSError, NoLive):
        while data := await reader.read(CHUNK):
            take(data)
            await other.drain()
    other.close()
