"""A client that keeps to nothing: bytes as they come, websocket frames that no library would send."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.chaos.proxy import Address

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
CONTINUED = 0


@dataclass(frozen=True)
class Door:
    """One way to a streamer's websocket."""

    where: Address
    path: str = "/ws"
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return "pvlink" if isinstance(self.where, Path) else f"{self.where[0]}:{self.where[1]}"


def frame(
    kind: int, data: bytes = b"", *, end: bool = True, masked: bool = True, size: int | None = None, spare: int = 0
) -> bytes:
    """One websocket frame. `size` is what it claims to hold, `spare` the three bits that mean nothing."""
    claimed = len(data) if size is None else size
    head = bytes([(0x80 if end else 0) | spare << 4 | kind])
    mark = 0x80 if masked else 0
    if claimed < 126:
        head += bytes([mark | claimed])
    elif claimed < 1 << 16:
        head += struct.pack(">BH", mark | 126, claimed)
    else:
        head += struct.pack(">BQ", mark | 127, claimed)
    # A mask of zeros is a mask.
    return head + (bytes(4) if masked else b"") + data


class Raw:
    """A connection as bytes."""

    def __init__(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.door = door
        self.reader = reader
        self.writer = writer
        self.began = time.monotonic()
        self._end: asyncio.Task[float] | None = None

    @classmethod
    async def connect(cls, door: Door) -> Self:
        if isinstance(door.where, Path):
            return cls(door, *await asyncio.open_unix_connection(door.where))
        return cls(door, *await asyncio.open_connection(*door.where, ssl=door.tls))

    def request(self) -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        headers = {
            "Host": self.door.host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            **self.door.headers,
        }
        lines = [f"GET {self.door.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    async def upgrade(self) -> Self:
        self.send(self.request())
        try:
            answer = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        except BaseException:
            self.writer.transport.abort()
            raise
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return self

    def send(self, data: bytes) -> None:
        """Into the socket, however full it is: whether anybody reads is not our business."""
        if not self.writer.is_closing():
            self.writer.write(data)

    @property
    def over(self) -> bool:
        """Whether the other side has ended it."""
        if self._end is None:
            self._end = asyncio.create_task(self._until_end())
        return self._end.done()

    async def ended(self, patience: float) -> float:
        """When the other side ended it, in seconds from the connection's begin."""
        _ = self.over
        assert self._end is not None
        return await asyncio.wait_for(asyncio.shield(self._end), patience)

    async def _until_end(self) -> float:
        try:
            while await self.reader.read(1 << 16):
                pass
        except (ConnectionError, ssl.SSLError):
            pass
        return time.monotonic() - self.began

    async def close(self) -> None:
        if self._end is not None:
            self._end.cancel()
            await asyncio.gather(self._end, return_exceptions=True)
        self.writer.transport.abort()
        await asyncio.sleep(0)


def trusting() -> ssl.SSLContext:
    """Takes any certificate, as somebody does who has not been told a fingerprint."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
