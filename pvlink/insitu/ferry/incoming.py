"""What ParaView says on a link, message by message."""

from __future__ import annotations

import asyncio

from pvlink.insitu import frames

# What is read at once.
CHUNK = 1 << 20


class Incoming:
    """ParaView's messages, as they come."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._messages = frames.Messages()
        self._ready: list[tuple[int, bytes | None, bytes, bool]] = []

    async def next(self) -> tuple[int, bytes | None, bytes, bool]:
        while not self._ready:
            data = await self._reader.read(CHUNK)
            if not data:
                raise EOFError("ParaView has closed the link")
            self._ready = self._messages.feed(data)
        return self._ready.pop(0)

    async def of(self, tag: int) -> bytes:
        """The next one, which has to be of this kind."""
        found, body, _, _ = await self.next()
        if found != tag or body is None:
            raise frames.NoLive(f"ParaView said {found} and not {tag}")
        return body
