"""Where the kernel asks for a ParaView server: one at a time, with those who want to hear of its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import struct
from collections.abc import Callable

from pvlink.protocol import ViewState
from pvlink.streamer.pvserver import failure
from pvlink.streamer.pvserver.impatience import Impatience
from pvlink.streamer.pvserver.link import Link, State
from pvlink.streamer.pvserver.wish import ServerWish

SIGINT = 2
# A watcher whose interpreter runs, and takes the interrupt by itself, says so with this byte.
TAKEN = 0
# It runs a cell; it runs none.
CELL, NO_CELL = ord("C"), ord("E")
# A server that has been silent for so long, while ParaView waits, deserves to be named.
SILENCE_SECONDS = 5.0
TICK_SECONDS = 1.0
# Watchers: a kernel has one.
MAX_WATCHERS = 8
log = logging.getLogger(__name__)

NOTHING: dict[str, object] = {
    "state": "none", "label": "", "reason": "", "message": "", "server_version": "", "ports": [], "listening": "",
    "heard": None, "said": None, "waiting": False, "received": 0, "sent": 0, "messages": 0, "rtt": None, "strangers": 0,
    "peer": "",
}  # fmt: skip


class ServerDesk:
    """Of one session."""

    def __init__(self, lost: Callable[[str], None], live: Callable[[], None], tell: Callable[[], None]) -> None:
        """For the viewers: a server is lost, another is there, what is known of them may have changed."""
        self._lost = lost
        self._live = live
        self._tell = tell
        self._link: Link | None = None
        self._former: list[Link] = []
        self._watchers: list[Watcher] = []
        self._ticking: asyncio.TimerHandle | None = None
        # What those are told who watch a view that is live: that the server's time is nearly over.
        self._notice = ""

    def open(self, wish: ServerWish, sockets: list[socket.socket]) -> None:
        self.close_link()
        self._former = [link for link in self._former if not link.is_gone]
        if self._link is not None:
            self._former.append(self._link)
        self._link = Link(wish, sockets, self._changed)

    def state(self) -> dict[str, object]:
        return NOTHING if self._link is None else self._link.report()

    def at(self) -> tuple[str, int]:
        """Its host, if that is another one, and the number of its first process, if it was started here."""
        return ("", 0) if self._link is None else (self._link.host, self._link.wish.pid)

    def cut(self, message: str = "") -> None:
        if self._link is not None:
            self._link.cut(message)

    def close_link(self) -> None:
        if self._link is not None:
            self._link.close()

    def notice(self, message: str) -> None:
        """A sentence below all live views, until another one, or none, takes its place."""
        self._notice = message
        self._tell()

    def watch(self, sock: socket.socket) -> None:
        """From now on whoever has its other end hears of a loss before anything else happens."""
        if len(self._watchers) >= MAX_WATCHERS:
            self._watchers[0].close()
        self._watchers.append(Watcher(sock, self))

    def forget(self, watcher: Watcher) -> None:
        with contextlib.suppress(ValueError):
            self._watchers.remove(watcher)

    def named(self, state: ViewState) -> ViewState:
        """What viewers are told while the engine works, when it is the server that it waits for; or of its end."""
        link = self._link
        if state.state == "live" and self._notice:
            return ViewState("live", self._notice)
        if state.state != "busy" or link is None:
            return state
        silence, now = link.silence, asyncio.get_running_loop().time()
        seconds = now - silence.since
        if not (silence.live and silence.waiting and seconds > SILENCE_SECONDS):
            return state
        # Whole seconds that have passed: each tick has another number.
        said = f"The ParaView server at {link.wish.name} has said nothing for {int(seconds)} s."
        message = f"{said} To cut it off, interrupt the kernel."
        return ViewState("busy", message, state.progress)

    async def close(self) -> None:
        """With the session."""
        links = [*self._former, *([self._link] if self._link else [])]
        for watcher in list(self._watchers):
            watcher.close()
        for link in links:
            link.close()
        await asyncio.gather(*(link.ended() for link in links))
        self._rest()

    @property
    def link(self) -> Link | None:
        return self._link

    def _changed(self, link: Link) -> None:
        if link is not self._link:
            return
        match link.state:
            case State.LIVE:
                self._live()
                self._tick()
            case State.LOST:
                # Who is in ParaView's process first: it has until the end of file to get ready.
                for watcher in list(self._watchers):
                    watcher.lost(link.progress.message, waiting=link.silence.waiting)
                # What viewers see is not on a server that was never there.
                if link.was_live:
                    self._lost(link.progress.message)

    def _tick(self) -> None:
        self._rest()
        if self._link is None or self._link.state is not State.LIVE:
            return
        self._link.look()
        self._tell()
        self._ticking = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _rest(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None


class Watcher:
    """A ParaView in the kernel: it hears of a loss, and says when its user interrupts."""

    def __init__(self, sock: socket.socket, desk: ServerDesk) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._desk = desk
        self._impatience = Impatience()
        self._timer: asyncio.TimerHandle | None = None
        self._pid = _other_end(sock)
        self._in_cell = False
        sock.setblocking(False)
        self._loop.add_reader(sock, self._read)

    def lost(self, message: str, *, waiting: bool) -> None:
        """`waiting`: ParaView sits in a call that will end with nothing."""
        line = json.dumps({"lost": message, "waiting": waiting}).encode() + b"\n"
        try:
            self._socket.send(line)
        except BlockingIOError:
            log.warning("a watcher reads nothing; it was not told that a server is lost")
        except OSError:
            self.close()
        else:
            self._ring()

    def _ring(self) -> None:
        """In a cell nobody reads what was just written; a signal is felt at the next line of Python."""
        if self._in_cell and self._pid > 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._pid, signal.SIGINT)

    def close(self) -> None:
        """May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()
        self._desk.forget(self)

    def _read(self) -> None:
        try:
            signals = self._socket.recv(64)
        except BlockingIOError:
            return
        except OSError:
            signals = b""
        if not signals:
            self.close()
            return
        for number in signals:
            if number == SIGINT:
                self._interrupt()
            elif number == TAKEN:
                self._impatience.call_off()
            elif number in (CELL, NO_CELL):
                self._in_cell = number == CELL

    def _interrupt(self) -> None:
        link = self._desk.link
        if link is None:
            return
        if self._impatience.interrupt(self._loop.time(), link.silence):
            self._cut(link)
        self._wait()

    def _look(self) -> None:
        link = self._desk.link
        if link is not None and self._impatience.look(self._loop.time(), link.silence):
            self._cut(link)
        self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._impatience.due
        self._timer = None if due is None else self._loop.call_at(due, self._look)

    def _cut(self, link: Link) -> None:
        seconds = self._loop.time() - link.silence.since
        what = f"had said nothing for {seconds:.0f} s and was cut off by the interrupt"
        link.cut(failure.way_on(link.wish.name, what))


def _other_end(sock: socket.socket) -> int:
    """The process that made the pair, which is the kernel; 0 for a socket that has none."""
    try:
        pid, _, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    except OSError:
        return 0
    return int(pid)
