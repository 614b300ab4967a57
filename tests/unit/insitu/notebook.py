"""Who may be at the shore: a notebook with the same key, with another one, or somebody who is none."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

Greet = Callable[["Guest"], Any]
SECRET = bytes(range(32))


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for what another side does. How soon is no matter here."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


def proof(secret: bytes, who: str, *nonces: str) -> str:
    """As both sides have it; written here a second time on purpose."""
    return hmac.new(secret, b"\0".join(one.encode() for one in (who, *nonces)), hashlib.sha256).hexdigest()


class Guest:
    """A ferry's connection, as the shore sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        # All lines that it has said.
        self.said: list[dict[str, Any]] = []
        self.gone = False

    async def hear(self) -> dict[str, Any]:
        line = await self.reader.readline()
        if not line:
            self.gone = True
            raise EOFError
        facts: dict[str, Any] = json.loads(line)
        self.said.append(facts)
        return facts

    def say(self, **facts: Any) -> None:
        self.writer.write(json.dumps(facts).encode() + b"\n")


class Notebook:
    """At one port; each of its guests is greeted and then listened to until it goes."""

    def __init__(self, greet: Greet) -> None:
        self.port = 0
        self.guests: list[Guest] = []
        self._greet = greet

    async def met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = Guest(reader, writer)
        self.guests.append(guest)
        with contextlib.suppress(EOFError, OSError):
            await self._greet(guest)
            while True:
                await guest.hear()


@contextlib.asynccontextmanager
async def listening(greet: Greet) -> AsyncIterator[Notebook]:
    """All of its connections are closed at the end."""
    notebook = Notebook(greet)
    tasks: set[asyncio.Task[None]] = set()

    def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(notebook.met(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(come, "127.0.0.1", 0, limit=1 << 20)
    notebook.port = server.sockets[0].getsockname()[1]
    try:
        yield notebook
    finally:
        server.close()
        for guest in notebook.guests:
            guest.writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def knows(secret: bytes = SECRET, version: int = 1) -> Greet:
    """One that has this key, and asks for it."""

    async def greet(guest: Guest) -> None:
        first = await guest.hear()
        assert (first["pvlink"], first["version"]) == ("insitu", 1)
        ours = "5eed" * 8
        guest.say(nonce=ours, version=version, proof=proof(secret, "shore", first["nonce"], ours))
        hello = await guest.hear()
        assert hello["proof"] == proof(secret, "ferry", first["nonce"], ours)

    return greet


def says(text: bytes, *, closes: bool = False) -> Greet:
    """One that says this and nothing else."""

    async def greet(guest: Guest) -> None:
        guest.writer.write(text)
        if closes:
            guest.writer.close()

    return greet
