"""A harbour at a port of its own, the ships that come there, and ParaView behind it: all in the test's hands."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from pvlink.insitu import key
from pvlink.insitu.ferry import shore
from pvlink.insitu.ferry.shore import Shore, Streams
from pvlink.streamer.insitu.harbour import Harbour

T = TypeVar("T")
# Longer than anything takes on a busy machine.
PATIENCE = 20.0
HELLO: dict[str, Any] = {
    "kind": "simulation",
    "name": "gray-scott",
    "host": "node17",
    "pid": 4711,
    "began": 1000.5,
    "paraview": "5.13.3",
    "ranks": 4,
    "parameters": [{"name": "F", "low": 0.0, "high": 0.1, "start": 0.04}],
}
# What is no greeting; of each line the other side knows after it that nobody of ours is there.
GARBAGE: dict[str, bytes] = {
    "nothing": b"",
    "an empty line": b"\n",
    "a web browser": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "half a line": b'{"pvlink":"insitu","ver',
    "a list": b"[1,2,3]\n",
    "a number": b"17\n",
    "null": b"null\n",
    "an empty object": b"{}\n",
    "another program": b'{"pvlink":"stats","version":1,"nonce":"a"}\n',
    "no nonce": b'{"pvlink":"insitu","version":1}\n',
    "a nonce that is a number": b'{"pvlink":"insitu","version":1,"nonce":7}\n',
    "half a character": b'{"pvlink":"insitu","version":1,"nonce":"\\ud800"}\n',
    "no Unicode": b"\xff\xfe\x00\xd8\n",
    "a number without end": b'{"pvlink":' + b"9" * 5000 + b"}\n",
    "a line without end": b"x" * (3 << 20),
}


def line(facts: Any) -> bytes:
    return json.dumps(facts).encode() + b"\n"


def proof(secret: bytes, who: str, *nonces: str) -> str:
    """As the protocol has it; written here a second time on purpose."""
    return hmac.new(secret, "\0".join((who, *nonces)).encode(), hashlib.sha256).hexdigest()


async def soon(work: Awaitable[T]) -> T:
    async with asyncio.timeout(PATIENCE):
        return await work


class Ship:
    """A connection of a simulation's, that has been greeted."""

    def __init__(self, streams: Streams) -> None:
        self.reader, self.writer = streams
        self.heard: list[dict[str, Any]] = []

    def say(self, **facts: Any) -> None:
        self.writer.write(line(facts))

    async def say_in_pieces(self, **facts: Any) -> None:
        for byte in line(facts):
            self.writer.write(bytes([byte]))
            await self.writer.drain()

    async def line(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(await soon(self.reader.readuntil(b"\n")))
        return facts

    async def hear(self, name: str) -> Any:
        """The next line that has this; others are kept in `heard`."""
        while True:
            self.heard.append(facts := await self.line())
            if name in facts:
                return facts[name]

    async def ended(self) -> bool:
        """Whether the other side has hung up; waits for it."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while await self.reader.read(1 << 16):
                    pass
        return True

    async def leave(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def sink(self) -> None:
        """Without a word."""
        self.writer.transport.abort()


class ParaView:
    """Who listens where ParaView would wait for a simulation."""

    def __init__(self) -> None:
        self.links: asyncio.Queue[Ship] = asyncio.Queue()
        self._all: list[Ship] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self, host: str = "127.0.0.1") -> None:
        self._server = await asyncio.start_server(self._arrived, host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Ship((reader, writer))
        self._all.append(link)
        self.links.put_nowait(link)

    async def link(self) -> Ship:
        return await soon(self.links.get())

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in self._all:
            await link.leave()


class Coast:
    """One harbour, and whoever has come."""

    def __init__(self) -> None:
        # What ParaView's process was told, and what was thrown where nobody catches it.
        self.told: list[dict[str, Any]] = []
        self.thrown: list[dict[str, Any]] = []
        # Where a server of ParaView's would be, and its first process.
        self.server = ("", 0)
        self.harbour = Harbour(self.told.append, lambda: self.server)
        self.paraview = ParaView()
        self.port = 0
        self._ships: list[Ship] = []

    async def open(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.thrown.append(context))
        await self.paraview.open()
        await self.reopen(0)

    async def reopen(self, port: int) -> None:
        place = await self.harbour.open("127.0.0.1", port)
        host, _, number = place.rpartition(":")
        assert host == "127.0.0.1"
        self.port = int(number)

    async def comes(self, hello: dict[str, Any] = HELLO, **more: Any) -> Ship:
        """One that is proven; whether it may stay is another matter."""
        ship = Ship(await Shore("127.0.0.1", self.port).reach({**hello, **more}))
        self._ships.append(ship)
        return ship

    async def stays(self, hello: dict[str, Any] = HELLO, **more: Any) -> Ship:
        """A simulation that is there."""
        ship = await self.comes(hello, **more)
        await self.until(lambda: self.harbour._hello == {**hello, **more} and self.state()["there"])
        return ship

    async def linked(self, ticket: object, **more: Any) -> Ship:
        return await self.comes({"kind": "link", "ticket": ticket}, **more)

    async def raw(self, said: bytes = b"") -> Ship:
        """Anybody."""
        ship = Ship(await asyncio.open_connection("127.0.0.1", self.port))
        self._ships.append(ship)
        ship.writer.write(said)
        return ship

    def state(self, event: int = 0, point: int = 0) -> dict[str, Any]:
        return self.harbour.state(event, point)

    def kinds(self) -> list[str]:
        return [one["kind"] for _, one in self.state()["events"]]

    async def until(self, so: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while not so():
            assert loop.time() < deadline, "it did not happen in time"
            await asyncio.sleep(0.002)

    async def close(self) -> None:
        await self.harbour.close()
        for ship in self._ships:
            await ship.leave()
        await self.paraview.close()


@contextlib.asynccontextmanager
async def coast() -> AsyncIterator[Coast]:
    one = Coast()
    await one.open()
    try:
        yield one
    finally:
        await one.close()


def opened(secret: Path) -> None:
    """A key that others can read."""
    secret.write_bytes(bytes(key.LENGTH))
    secret.chmod(0o644)


def mode(secret: Path) -> int | None:
    return secret.stat().st_mode & 0o777 if secret.exists() else None


def another_key(monkeypatch: Any) -> None:
    """From now on whoever comes as a ferry has a key of its own."""
    secret = secrets.token_bytes(key.LENGTH)

    class Other:
        read = staticmethod(lambda: secret)
        nonce = staticmethod(key.nonce)
        proof = staticmethod(key.proof)
        proven = staticmethod(key.proven)
        place = staticmethod(key.place)

    monkeypatch.setattr(shore, "key", Other)
