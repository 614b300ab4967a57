"""One connection between the engine and a ParaView server, from the wish to its end. Both lines, if there are two."""

from __future__ import annotations

import asyncio
import enum
import errno
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from pvlink.streamer.pvserver import arrivals, failure
from pvlink.streamer.pvserver.approach import Approach, Reached, remember
from pvlink.streamer.pvserver.arrivals import Expected, Strangers
from pvlink.streamer.pvserver.failure import Failure
from pvlink.streamer.pvserver.handshake import Answerer, Code, Introduction
from pvlink.streamer.pvserver.impatience import Silence
from pvlink.streamer.pvserver.line import Line
from pvlink.streamer.pvserver.peers import is_loopback
from pvlink.streamer.pvserver.wish import LineWish, ServerWish

# The kernel lets the engine connect as soon as it hears of the ports; a busy engine has so long to get there.
ENGINE_SECONDS = 20.0
_VANISHED = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH)
log = logging.getLogger(__name__)


class State(enum.StrEnum):
    OPENING = "opening"
    READY = "ready"
    LIVE = "live"
    LOST = "lost"
    FAILED = "failed"
    CLOSED = "closed"


_MOVES: dict[State, tuple[State, ...]] = {
    State.OPENING: (State.READY, State.FAILED, State.LOST, State.CLOSED),
    State.READY: (State.LIVE, State.FAILED, State.LOST, State.CLOSED),
    State.LIVE: (State.LOST, State.CLOSED),
}


@dataclass
class Progress:
    """What is known of a connection besides its lines."""

    reason: str = ""
    message: str = ""
    server_version: str = ""
    ports: list[int] = field(default_factory=list)
    # Where a server that comes to us is waited for.
    listening: list[str] = field(default_factory=list)


class Link:
    """Works in the background; `changed` is called after each step, `state` says which."""

    def __init__(self, wish: ServerWish, sockets: list[socket.socket], changed: Callable[[Link], None]) -> None:
        """`sockets`: those of the lines that came with one, in their order. They are the link's from now on."""
        self.wish = wish
        self.state = State.OPENING
        self.was_live = False
        self.progress = Progress()
        self._sockets = sockets
        self._changed = changed
        self._strangers = Strangers()
        self._lines: list[Line] = []
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.create_task(self._open())
        self._parting: asyncio.Task[None] | None = None

    # What others ask.

    def cut(self, message: str = "") -> None:
        """The server's sides go at once, the engine's a moment later."""
        self._lose(message or failure.way_on(self.wish.name, "was cut off"))

    def close(self) -> None:
        """In order, and nobody is told of a loss."""
        self._leave(State.CLOSED, f"The connection to the ParaView server at {self.wish.name} was closed.")

    async def ended(self) -> None:
        """Nothing of it is left."""
        await asyncio.gather(self._work, *([self._parting] if self._parting else []), return_exceptions=True)

    def look(self) -> None:
        """Now and then."""
        for line in self._lines:
            line.look()

    @property
    def is_gone(self) -> bool:
        """Nothing of it is left."""
        return self.state not in _MOVES and (self._parting is None or self._parting.done())

    @property
    def host(self) -> str:
        """Of its other end; empty: this machine, or nobody knows."""
        peer = next((line.peer for line in self._lines if line.peer), "").rpartition(":")[0].strip("[]")
        return "" if not peer or is_loopback(peer) else peer

    @property
    def silence(self) -> Silence:
        heard = max((line.heard for line in self._lines if line.heard is not None), default=0.0)
        said = max((line.said for line in self._lines if line.said is not None), default=0.0)
        waiting = any(line.talk.awaited for line in self._lines)
        return Silence(self.state is State.LIVE, waiting, heard, said)

    def report(self) -> dict[str, object]:
        """As docs/wire.md has it."""
        now, lines = self._loop.time(), self._lines
        heard = [line.heard for line in lines if line.heard is not None]
        said = [line.said for line in lines if line.said is not None]
        return {
            "state": self.state.value,
            "label": self.wish.name,
            "reason": self.progress.reason,
            "message": self.progress.message,
            "server_version": self.progress.server_version,
            "ports": self.progress.ports,
            "listening": ", ".join(self.progress.listening),
            "heard": now - max(heard) if heard else None,
            "said": now - max(said) if said else None,
            "waiting": self.silence.waiting,
            "received": sum(line.received for line in lines),
            "sent": sum(line.sent for line in lines),
            "messages": sum(line.messages for line in lines),
            "rtt": max((line.rtt for line in lines if line.rtt is not None), default=None),
            "strangers": self._strangers.count,
            "peer": ", ".join(line.peer for line in lines if line.peer),
        }

    # The way to it.

    async def _open(self) -> None:
        try:
            await self._reach()
            self._move(State.READY)
            await self._meet()
            self._move(State.LIVE)
        except Failure as error:
            self._fail(error)
        except ExceptionGroup as group:
            # Two lines, and the first that failed.
            failed, other = group.split(Failure)
            if other is not None:
                log.error("the relay to %s failed", self.wish.name, exc_info=other)
            self._fail(_broken(self.wish.name) if failed is None else _first(failed))
        except (OSError, RuntimeError) as error:
            log.exception("the relay to %s failed", self.wish.name)
            self._fail(_broken(self.wish.name, error))
        finally:
            for sock in self._sockets:
                sock.close()

    async def _reach(self) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._line(line)) for line in self.wish.lines]
        self._lines = [task.result() for task in tasks]
        self.progress.server_version = self.wish.short_version
        self.progress.listening = []

    async def _line(self, wish: LineWish) -> Line:
        reached = await self._reached(wish)
        # In a group whose other half fails, this one's result would be lost with its socket.
        line = Line(reached, self._on_end)
        self._lines.append(line)
        return line

    async def _reached(self, line: LineWish) -> Reached:
        match line.way:
            case "connect":
                return await Approach(line, self.wish).connect()
            case "fd":
                return await Approach(line, self.wish).greet(self._sockets.pop(0))
            case "path":
                return await Approach(line, self.wish).call()
        return await self._awaited(line)

    async def _awaited(self, line: LineWish) -> Reached:
        listener = arrivals.listen(line.host, line.port)
        port = listener.getsockname()[1]
        place = LineWish("listen", line.host, port).place
        self.progress.listening.append(place)
        self._changed(self)
        own = Introduction(self.wish.short_version, self.wish.connect_id)
        expected = Expected(
            own.judged, own=not self.wish.trust, hopeless=lambda side: _hopeless(side, own), strangers=self._strangers
        )
        try:
            async with asyncio.timeout(self.wish.timeout):
                sock, side = await arrivals.first(listener, expected)
        except TimeoutError:
            who = self._strangers
            turned = f" Turned away: {who.count}, the last one because: {who.last}" if who.count else ""
            raise failure.nobody(place, self.wish.timeout, turned) from None
        remember(own.version, side.digest)
        host, remote = sock.getpeername()[:2]
        return Reached(sock, 1, side.rest, None, f"[{host}]:{remote}" if ":" in host else f"{host}:{remote}")

    async def _meet(self) -> None:
        """The engine takes the ports of ours for its servers."""
        listeners = [arrivals.listen("127.0.0.1", 0) for _ in self._lines]
        self.progress.ports = [listener.getsockname()[1] for listener in listeners]
        self._changed(self)
        try:
            async with asyncio.timeout(ENGINE_SECONDS), asyncio.TaskGroup() as group:
                for line, listener in zip(self._lines, listeners, strict=True):
                    group.create_task(self._engine(line, listener))
        except TimeoutError:
            raise failure.engine(ENGINE_SECONDS) from None
        finally:
            self.progress.ports = []
            for listener in listeners:
                listener.close()

    async def _engine(self, line: Line, listener: socket.socket) -> None:
        expected = Expected(self._judge_engine, ids=line.ids, strangers=self._strangers)
        sock, side = await arrivals.first(listener, expected)
        remember(self.wish.short_version, side.digest)
        line.join(sock, side.rest)

    def _judge_engine(self, who: Introduction | None) -> Code:
        """Whatever id it has: the server's own was asked for already."""
        if who is None:
            return Code.UNKNOWN
        return Code.GOOD if who.version == self.wish.short_version else Code.VERSION

    # Its end.

    def _on_end(self, server: bool, error: OSError | None) -> None:
        """Of one line, by one side."""
        if not server and self.state is State.LIVE:
            message = f"ParaView closed its connection to the server at {self.wish.name}."
            self._leave(State.CLOSED, message, at_once=True)
        elif not server:
            self._fail(failure.engine_left(self.wish.name))
        elif self.state in (State.OPENING, State.READY):
            self._fail(failure.died_early(self.wish.name, _why(error)))
        else:
            self._lose(failure.way_on(self.wish.name, _why(error)))

    def _lose(self, message: str) -> None:
        self._leave(State.LOST, message)

    def _fail(self, error: Failure) -> None:
        log.info("no ParaView server: %s", error.message)
        self.progress.server_version = error.server_version
        self._leave(State.FAILED, error.message, reason=error.reason, at_once=True)

    def _leave(self, state: State, message: str, *, reason: str = "", at_once: bool = False) -> None:
        if state not in _MOVES.get(self.state, ()):
            # It has ended already, and has said why.
            return
        # First of all: this may be called in the middle of a read.
        for line in self._lines:
            line.drop_server()
        self.progress.message = message
        self.progress.reason = reason
        self.progress.listening = []
        self._move(state)
        if asyncio.current_task() is not self._work:
            self._work.cancel()
        if at_once:
            for line in self._lines:
                line.close()
        else:
            self._parting = self._loop.create_task(self._part())

    async def _part(self) -> None:
        await asyncio.gather(*(line.let_go() for line in self._lines))

    def _move(self, state: State) -> None:
        if state not in _MOVES.get(self.state, ()):
            message = f"a link that is {self.state} cannot become {state}"
            raise RuntimeError(message)
        self.state = state
        self.was_live = self.was_live or state is State.LIVE
        self._changed(self)


def _hopeless(side: Answerer, own: Introduction) -> Failure | None:
    """The right server, that will never fit."""
    who = side.introduction
    if who is None or who.connect_id != own.connect_id:
        return None
    if side.code is Code.VERSION:
        return failure.wrong_version("the other end", who.version, own.version)
    return failure.backend("the other end") if side.code is Code.BACKEND else None


def _first(group: BaseExceptionGroup[Failure]) -> Failure:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Failure)
    return error


def _broken(name: str, error: Exception | None = None) -> Failure:
    what = f" ({error})" if error else ""
    return Failure(
        "failed", f"The way to the ParaView server at {name} failed{what}; the streamer's log has the details."
    )


def _why(error: OSError | None) -> str:
    if error is None:
        return "has ended"
    if error.errno in _VANISHED:
        return f"cannot be reached any more ({os.strerror(error.errno)}): its machine or the network is down"
    return f"has ended ({error.strerror or error})"
