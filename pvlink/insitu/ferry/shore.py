"""The way to whoever watches: found again and again, proven both ways, and never waited for by the simulation."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

from pvlink.insitu import key
from pvlink.insitu.terms import MAX_LINE, VERSION

# To reach it and to prove who both are, in seconds.
REACH = 5.0
# Nobody listens there most of the time; a simulation runs for days.
AGAIN, SELDOM = 0.5, 2.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NoShore(Exception):
    """Nobody is there, or somebody else; the sentence says who."""


class Shore:
    """One place, at which a notebook listens or not."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def reach(self, hello: dict[str, Any]) -> Streams:
        """A connection on which both sides know each other. Raises NoShore."""
        try:
            return await asyncio.wait_for(self._reached(hello), REACH)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError) as error:
            raise NoShore(str(error) or type(error).__name__) from None

    async def _reached(self, hello: dict[str, Any]) -> Streams:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=MAX_LINE)
        try:
            await self._prove(reader, writer, hello)
        except BaseException:
            writer.transport.abort()
            raise
        return reader, writer

    async def _prove(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: dict[str, Any]) -> None:
        secret, ours = key.read(), key.nonce()
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        writer.write(line({"pvlink": "insitu", "version": VERSION, "nonce": ours}))
        answer = read(await reader.readline())
        theirs = answer.get("nonce")
        if answer.get("version") != VERSION and "version" in answer:
            raise NoShore(f"{self._host}:{self._port} is another version of pvlink's")
        if not isinstance(theirs, str) or not key.proven(answer.get("proof"), key.proof(secret, "shore", ours, theirs)):
            raise NoShore(f"{self._host}:{self._port} has another key than {key.place()}")
        writer.write(line({"proof": key.proof(secret, "ferry", ours, theirs), **hello}))
        await writer.drain()


def line(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def read(said: bytes) -> dict[str, Any]:
    """Raises ValueError."""
    try:
        facts = json.loads(said) if said.endswith(b"\n") else None
    except RecursionError:
        facts = None
    if not isinstance(facts, dict):
        raise ValueError("it says nothing that pvlink says")
    return facts


async def lines(reader: asyncio.StreamReader, patience: float | None = None) -> AsyncIterator[dict[str, Any]]:
    """Until the other side has gone, or has said nothing for so long."""
    while True:
        try:
            said = await asyncio.wait_for(reader.readline(), patience)
            facts = read(said)
        except (asyncio.TimeoutError, OSError, ValueError):
            return
        yield facts
