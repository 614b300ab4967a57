"""A port of ours where one is expected: a server that comes to us, or this session's ParaView.

Strangers come to ports. They are turned away and counted, several may be looked at side by side, and none of them ends
the wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pvlink.streamer.pvserver import failure, peers
from pvlink.streamer.pvserver.failure import Failure
from pvlink.streamer.pvserver.handshake import Answerer, Code, Introduction, NotParaViewError
from pvlink.streamer.pvserver.talk import ClosedError, talk

# For the whole handshake; ParaView needs some milliseconds.
GREETING_SECONDS = 5.0
# Who is being looked at; one more, and the one that has waited longest is sent away.
MAX_STRANGERS = 16
Arrived = tuple[socket.socket, Answerer]


@dataclass
class Strangers:
    """Who was turned away."""

    count: int = 0
    # Why the last one was.
    last: str = ""

    def turned_away(self, why: str) -> None:
        self.count += 1
        self.last = why


@dataclass
class Expected:
    """Who is let in."""

    judge: Callable[[Introduction | None], Code]
    # Whether one from this machine must be the user's own.
    own: bool = True
    ids: int = 1
    # May end the wait: it is called with who was refused, and returns why there is nothing to wait for any more.
    hopeless: Callable[[Answerer], Failure | None] = lambda _: None
    strangers: Strangers = field(default_factory=Strangers)


def listen(host: str, port: int) -> socket.socket:
    """A socket to wait at. Raises Failure."""
    host = host or "127.0.0.1"
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        raise failure.port_in_use(place, f"{host} is not the number of an address of this machine") from None
    family, kind, _, _, address = found[0]
    sock = socket.socket(family, kind)
    try:
        # A port that was used a moment ago is free again; one that somebody listens on stays his.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(8)
    except OSError as error:
        sock.close()
        raise failure.port_in_use(place, _why_not(error, host, port)) from None
    sock.setblocking(False)
    return sock


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        with contextlib.suppress(OSError):
            table = peers.read()
            rows = peers.listeners(table, (host, port)) or [
                row for row in table if row.state == peers.LISTENING and row.local[1] == port
            ]
            if rows:
                return f"{peers.holder(rows[0])} listens on that port already"
        return "somebody has that port already"
    return error.strerror or str(error)


async def first(listener: socket.socket, expected: Expected) -> Arrived:
    """The first one that is right. The listener is closed then, and at any other end. Raises what `hopeless` says."""
    # Those who are looked at, the one that came first in front.
    waiting: list[asyncio.Task[Arrived | None]] = []
    knocking = asyncio.create_task(_next(listener))
    try:
        while True:
            await asyncio.wait({knocking, *waiting}, return_when=asyncio.FIRST_COMPLETED)
            for task in [one for one in waiting if one.done()]:
                # Not yet out of the list: what it holds if this one raises is let go below.
                arrived = None if task.cancelled() else task.result()
                waiting.remove(task)
                if arrived is not None:
                    return arrived
            if knocking.done():
                waiting.append(asyncio.create_task(_greeted(knocking.result(), expected)))
                if len(waiting) > MAX_STRANGERS:
                    waiting[0].cancel()
                    expected.strangers.turned_away("It said nothing, and others came.")
                knocking = asyncio.create_task(_next(listener))
    finally:
        listener.close()
        await _ended([knocking, *waiting])


async def _ended(tasks: Sequence[asyncio.Task[socket.socket] | asyncio.Task[Arrived | None]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        # One that had just come when another was taken.
        if isinstance(result, socket.socket):
            result.close()
        elif isinstance(result, tuple):
            result[0].close()


async def _next(listener: socket.socket) -> socket.socket:
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock, _ = await loop.sock_accept(listener)
        except OSError:
            # The one who knocked has gone already, or there are no descriptors left for a moment.
            await asyncio.sleep(0.05)
        else:
            return sock


async def _greeted(sock: socket.socket, expected: Expected) -> Arrived | None:
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if expected.own and await asyncio.to_thread(_is_foreign, sock):
            expected.strangers.turned_away("It was another user's process.")
            sock.close()
            return None
        side = Answerer(expected.judge, expected.ids)
        async with asyncio.timeout(GREETING_SECONDS):
            await talk(sock, side)
        if side.code is Code.GOOD:
            return sock, side
    except (TimeoutError, ClosedError, NotParaViewError, OSError):
        expected.strangers.turned_away("It was no ParaView.")
        sock.close()
        return None
    except BaseException:
        sock.close()
        raise
    sock.close()
    expected.strangers.turned_away(_why(side))
    if problem := expected.hopeless(side):
        raise problem
    return None


def _is_foreign(sock: socket.socket) -> bool:
    return peers.is_local(sock) and peers.uid(sock) != os.getuid()


def _why(side: Answerer) -> str:
    who = side.introduction
    if who is None:
        return "It was a ParaView of an unknown kind."
    number = f"the connection id {who.connect_id}" if who.connect_id else "no connection id"
    return f"It was ParaView {who.version} with {number}."
