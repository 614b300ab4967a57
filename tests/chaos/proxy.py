"""A bad network of our own: passes bytes on between two sockets, and does to them what networks do.

Nothing here knows what the bytes mean. A line never loses, doubles or swaps bytes, for TCP would not either: it delays,
splits, throttles, stops, or ends. What it does at random follows from the seed, the number of the connection and the
direction, so that a run can be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import socket
import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

Address = tuple[str, int] | Path
# reset: an RST, what was on the way is lost. close: an orderly end, as of a proxy that restarts.
Cut = Literal["reset", "close"]
# hold: bytes stay where they are and arrive later; swallow: they are taken and never arrive (only a cut can follow).
Silence = Literal["hold", "swallow"]

# up: from the client to the server.
Direction = Literal["up", "down"]

READ_BYTES = 1 << 16
# A throttled line delivers this often, not all of a second's bytes at once.
TICK_SECONDS = 0.01
# While bytes go out one by one, others get a turn this often.
TURN_BYTES = 32
# Linux doubles what is asked for.
LEAST_BUFFER = 2048
# A socket that is to be ended by an RST.
LINGER_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Way:
    """What happens to bytes in one direction. May be changed while they flow."""

    # Seconds; each read gets `delay` and up to `jitter` more, and nothing overtakes.
    delay: float = 0.0
    jitter: float = 0.0
    # Bytes a second.
    rate: float = math.inf
    # Bytes on the way at most; then the sender is not read any more.
    queue: int = 1 << 20
    # Each byte by itself.
    split: bool = False


class Bytes:
    """What is on its way in one direction, and when it is due. Pure: time is passed in."""

    def __init__(self, way: Way, chance: random.Random) -> None:
        self.way = way
        self.size = 0
        self._chance = chance
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        # When the line is free for the next byte.
        self._free = 0.0

    @property
    def room(self) -> int:
        return max(0, self.way.queue - self.size)

    def add(self, data: bytes, now: float) -> None:
        jitter = self._chance.uniform(0, self.way.jitter) if self.way.jitter else 0.0
        self._last = max(self._last, now + self.way.delay + jitter)
        self._waiting.append((self._last, data))
        self.size += len(data)

    def wait(self, now: float) -> float | None:
        """Until something may go; none if there is nothing."""
        if not self._waiting:
            return None
        return max(0.0, self._waiting[0][0] - now, self._free - now)

    def take(self, now: float) -> bytes:
        """What goes now, after `wait` has passed."""
        due, data = self._waiting.popleft()
        if self.way.rate < math.inf:
            most = max(1, int(self.way.rate * TICK_SECONDS))
            if len(data) > most:
                self._waiting.appendleft((due, data[most:]))
                data = data[:most]
            self._free = max(self._free, now) + len(data) / self.way.rate
        self.size -= len(data)
        return data


class Connection:
    """One client's socket, tied to one of the server's."""

    def __init__(self, client: socket.socket, server: socket.socket, up: Bytes, down: Bytes, idle: float | None):
        # Its first line, which tells what a connection is for where it speaks HTTP.
        self.request = ""
        self.passed = {"up": 0, "down": 0}
        self.over = False
        # Ended because one side was silent for too long.
        self.lost_patience = False
        self._sides = (client, server)
        self._bytes = {"up": up, "down": down}
        self._idle = idle
        self._silence: Silence | None = None
        self._sounds = asyncio.Event()
        self._sounds.set()
        self._moved = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._tasks: list[asyncio.Task[None]] = []

    def silence(self, how: Silence = "hold") -> None:
        """From now on nothing arrives on either side, and both sides look open."""
        self._silence = how
        self._sounds.clear()

    def resume(self) -> None:
        self._silence = None
        self._sounds.set()

    async def run(self) -> None:
        client, server = self._sides
        work = [self._read("up", client), self._write("up", server), self._read("down", server)]
        self._tasks = [asyncio.create_task(each) for each in [*work, self._write("down", client)]]
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cut("close")
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, how: Cut) -> None:
        if self.over:
            return
        self.over = True
        loop = asyncio.get_running_loop()
        for side in self._sides:
            # Before the tasks that wait for them: the numbers of these sockets may be given out again at once.
            loop.remove_reader(side)
            loop.remove_writer(side)
        for task in self._tasks:
            task.cancel()
        for side in self._sides:
            if how == "close":
                _drain(side)
            elif side.family != socket.AF_UNIX:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
            side.close()

    async def _read(self, name: Direction, source: socket.socket) -> None:
        """Ends with the other side's last byte delivered, or with an error."""
        loop, line, moved = asyncio.get_running_loop(), self._bytes[name], self._moved[name]
        with contextlib.suppress(OSError):
            while data := await self._heard(source, line.room):
                if name == "up" and not self.request:
                    self.request = data.partition(b"\r\n")[0].decode(errors="replace")
                if self._silence == "swallow":
                    continue
                line.add(data, loop.time())
                moved.set()
                while not line.room or self._silence == "hold":
                    moved.clear()
                    await (self._sounds.wait() if self._silence else moved.wait())
        if self.lost_patience:
            return
        # Nor does the end of one side reach the other before its last bytes, or over a silent line.
        while line.size or self._silence:
            moved.clear()
            await (self._sounds.wait() if self._silence else moved.wait())

    async def _heard(self, source: socket.socket, room: int) -> bytes:
        loop = asyncio.get_running_loop()
        try:
            # Each direction for itself, as nginx counts (proxy_read_timeout, proxy_send_timeout).
            return await asyncio.wait_for(loop.sock_recv(source, min(READ_BYTES, room)), self._idle)
        except TimeoutError:
            self.lost_patience = True
            return b""

    async def _write(self, name: Direction, sink: socket.socket) -> None:
        loop, line, moved = asyncio.get_running_loop(), self._bytes[name], self._moved[name]
        with contextlib.suppress(OSError):
            while True:
                await self._sounds.wait()
                wait = line.wait(loop.time())
                if wait is None:
                    moved.clear()
                    await moved.wait()
                elif wait > 0:
                    await asyncio.sleep(wait)
                else:
                    data = line.take(loop.time())
                    await self._send(sink, data, split=line.way.split)
                    self.passed[name] += len(data)
                    moved.set()

    async def _send(self, sink: socket.socket, data: bytes, *, split: bool) -> None:
        loop = asyncio.get_running_loop()
        if not split:
            await loop.sock_sendall(sink, data)
            return
        for number in range(len(data)):
            await loop.sock_sendall(sink, data[number : number + 1])
            if number % TURN_BYTES == 0:
                await asyncio.sleep(0)


@dataclass(eq=False)
class Proxy:
    """Listens in front of one address. TCP on 127.0.0.1, or a unix socket where `listen` names a path."""

    target: Address
    listen: Path | None = None
    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)
    seed: int = 0
    # A reverse proxy closes what says nothing for so long.
    idle: float | None = None
    # New connections are ended at once.
    refuses: bool = False
    connections: list[Connection] = field(default_factory=list, init=False)
    # How many were closed because nothing was said for `idle`.
    lost_patience: int = field(default=0, init=False)
    _number: int = field(default=0, init=False)
    _silence: Silence | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    @property
    def address(self) -> Address:
        return self.listen or self._listener.getsockname()[:2]

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    async def __aenter__(self) -> Self:
        if self.listen is None:
            self._listener = socket.socket()
            # Before it listens: so that what is not read stands with the sender, not in a buffer of ours.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, max(LEAST_BUFFER, self.up.queue // 2))
            self._listener.bind(("127.0.0.1", 0))
            self._listener.listen(512)
        else:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(str(self.listen))
            self._listener.listen(512)
        self._listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [self._accepting, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()
        if self.listen is not None:
            self.listen.unlink(missing_ok=True)

    def cut(self, how: Cut = "reset", only: Iterable[Connection] | None = None) -> None:
        for connection in list(self.connections if only is None else only):
            connection.cut(how)
            self._forget(connection)

    def silence(self, how: Silence = "hold") -> None:
        """The whole line, for who is there and who comes, until `resume`."""
        self._silence = how
        for connection in self.connections:
            connection.silence(how)

    def resume(self) -> None:
        self._silence = None
        for connection in self.connections:
            connection.resume()

    def down_for_all(self) -> None:
        """Cuts everything and takes nothing new, until `refuses` is false again."""
        self.refuses = True
        self.cut()

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
            self.lost_patience += connection.lost_patience

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self._listener)
            self._number += 1
            task = asyncio.create_task(self._serve(client, self._number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket, number: int) -> None:
        server = None
        try:
            if not self.refuses:
                server = await _connected(self.target, self.down.queue)
        except OSError:
            # As from a proxy whose upstream is down.
            pass
        finally:
            if server is None:
                client.close()
        if server is None:
            return
        for side in (client, server):
            side.setblocking(False)
            if side.family != socket.AF_UNIX:
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chances = (random.Random(f"{self.seed}/{number}/{name}") for name in ("up", "down"))
        up, down = (Bytes(way, chance) for way, chance in zip((self.up, self.down), chances, strict=True))
        connection = Connection(client, server, up, down, self.idle)
        if self._silence is not None:
            connection.silence(self._silence)
        self.connections.append(connection)
        try:
            await connection.run()
        finally:
            self._forget(connection)


async def _connected(address: Address, queue: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        if not isinstance(address, Path):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, max(LEAST_BUFFER, queue // 2))
            await loop.sock_connect(sock, address)
            return sock
        while True:
            try:
                sock.connect(str(address))
                return sock
            except BlockingIOError:
                # The listener's queue is full; a unix socket does not tell when it no longer is.
                await asyncio.sleep(0.01)
    except BaseException:
        sock.close()
        raise


def _drain(side: socket.socket) -> None:
    """A socket that is closed with bytes unread would send an RST."""
    with contextlib.suppress(OSError):
        while side.recv(READ_BYTES):
            pass
