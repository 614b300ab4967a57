"""Bytes between a browser's websocket and the streamer's, untouched, each side at the pace of the other."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Any, Protocol

from tornado.httpclient import HTTPRequest
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import Resolver
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from pvlink import rendezvous

# The largest message of the streamer; it cuts what is longer.
MAX_FRAME_BYTES = 64 << 20
CONNECT_SECONDS = 5.0
GONE = "The process that sends the pictures went away."
log = logging.getLogger(__name__)


class StreamerGoneError(Exception):
    """The streamer cannot be reached; the message is for the user."""


class Browser(Protocol):
    """The relay's other side."""

    def write_message(self, message: str | bytes, binary: bool = False) -> asyncio.Future[None]: ...
    def on_streamer_gone(self, reason: str) -> None: ...


class _UnixResolver(Resolver):
    """Whatever the name, the address is this path."""

    def initialize(self, path: Path) -> None:
        self._path = path

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        return [(socket.AF_UNIX, str(self._path))]


class Relay:
    """One websocket to the streamer."""

    def __init__(self, streamer: WebSocketClientConnection, browser: Browser) -> None:
        self._streamer = streamer
        self._browser = browser
        self._pump = asyncio.create_task(self._to_browser())

    @classmethod
    async def connect(cls, path: Path, browser: Browser) -> Relay:
        request = HTTPRequest("ws://pvlink/ws", connect_timeout=CONNECT_SECONDS, request_timeout=CONNECT_SECONDS)
        try:
            streamer = await websocket_connect(
                request, resolver=_UnixResolver(path=path), max_message_size=MAX_FRAME_BYTES
            )
        except Exception as error:
            log.info("no streamer at %s", path, exc_info=error)
            raise StreamerGoneError(GONE) from error
        if not _is_ours(streamer):
            streamer.close()
            raise StreamerGoneError("The process that answers for this session is not yours.")
        return cls(streamer, browser)

    async def send(self, message: str | bytes) -> None:
        """Returns when the streamer's socket has taken it."""
        try:
            await self._streamer.write_message(message, binary=isinstance(message, bytes))
        except (WebSocketClosedError, StreamClosedError):
            # The pump sees it too, and says so.
            log.debug("the streamer closed while the browser wrote")

    async def _to_browser(self) -> None:
        """One message at a time: while the browser is slow, the streamer is not read, and its pacing sees that."""
        try:
            while (message := await self._streamer.read_message()) is not None:
                await self._browser.write_message(message, binary=isinstance(message, bytes))
        except (WebSocketClosedError, StreamClosedError):
            log.debug("the browser closed while the streamer wrote")
        self._browser.on_streamer_gone(GONE)

    def close(self) -> None:
        self._pump.cancel()
        self._streamer.close()


def _is_ours(streamer: WebSocketClientConnection) -> bool:
    stream = None if streamer.protocol is None else streamer.protocol.stream
    return isinstance(stream, IOStream) and rendezvous.peer_uid(stream.socket) == os.getuid()
