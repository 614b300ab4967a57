"""Who comes to the harbour, and whether it is the user's own."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

from pvlink.insitu import key
from pvlink.insitu.terms import SILENCE, VERSION

# For the whole greeting, in seconds.
GREETING = 5.0
NONSENSE = "it says nothing that pvlink says"
HUNG_UP = "it has hung up"


class Stranger(Exception):
    """Not one of ours; the sentence says why."""


class Visitor:
    """A connection, as lines of JSON."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def greet(self) -> dict[str, Any]:
        """Prove to each other that both are this user's; what it wants. Raises Stranger."""
        try:
            async with asyncio.timeout(GREETING):
                return await self._greeted()
        except TimeoutError:
            raise Stranger(f"it has not said within {GREETING:g} s who it is") from None
        except OSError as error:
            raise Stranger(error.strerror or str(error) or HUNG_UP) from None
        except ValueError:
            raise Stranger(NONSENSE) from None

    async def _greeted(self) -> dict[str, Any]:
        theirs = await self.read()
        nonce = theirs.get("nonce")
        if theirs.get("pvlink") != "insitu" or not isinstance(nonce, str):
            raise Stranger(NONSENSE)
        if theirs.get("version") != VERSION:
            self.say(version=VERSION)
            raise Stranger("the simulation has another version of pvlink")
        secret, ours = key.read(), key.nonce()
        self.say(nonce=ours, version=VERSION, proof=key.proof(secret, "shore", nonce, ours))
        try:
            hello = await self.read()
        except ConnectionError:
            # A ferry looks at our proof before it shows its own.
            raise Stranger(f"{HUNG_UP}, and may have another key than {key.place()}") from None
        if not key.proven(hello.get("proof"), key.proof(secret, "ferry", nonce, ours)):
            raise Stranger(f"the simulation has another key than {key.place()}")
        return hello

    async def read(self) -> dict[str, Any]:
        """Raises ValueError, OSError."""
        said = await self.reader.readline()
        if not said:
            raise ConnectionResetError(HUNG_UP)
        return _facts(said)

    async def lines(self) -> AsyncIterator[dict[str, Any]]:
        """Until it has gone, or has said nothing for too long."""
        while True:
            try:
                async with asyncio.timeout(SILENCE):
                    facts = await self.read()
            except (OSError, ValueError, TimeoutError):
                return
            yield facts

    def say(self, **facts: Any) -> None:
        if not self.writer.is_closing():
            self.writer.write(json.dumps(facts, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        self.writer.close()


def _facts(said: bytes) -> dict[str, Any]:
    """A line. Raises ValueError."""
    try:
        facts = json.loads(said) if said.endswith(b"\n") else None
        if b"\\u" in said:
            # Half a character, such as Python makes of a file's name that is no text, could be told to no kernel.
            facts = json.loads(json.dumps(facts, ensure_ascii=False).encode(errors="replace"))
    except RecursionError:
        facts = None
    if not isinstance(facts, dict):
        raise ValueError(NONSENSE)
    return facts
