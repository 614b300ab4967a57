"""Bytes between a browser's websocket and the streamer's, untouched, each side at the pace of the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from pathlib import Path
from typing import Any, Protocol

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.tcpclient import TCPClient
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from pvlink import rendezvous
from pvlink.protocol import CLOSE_GONE

# The largest message of the streamer; it cuts what is longer.
MAX_FRAME_BYTES = 64 << 20
CONNECT_SECONDS = 5.0
# tornado itself gives the other side 5 s to answer a goodbye.
FAREWELL_SECONDS = 10.0
GONE = "The process that sends the pictures went away. pvlink.session().restart() brings the view back."
NOT_YOURS = "The process that answers for this session is not yours."
log = logging.getLogger(__name__)


class StreamerGoneError(Exception):
    """The streamer cannot be reached; the message is for the user."""


class Browser(Protocol):
    """The relay's other side."""

    def write_message(self, message: str | bytes, binary: bool = False) -> asyncio.Future[None]: ...
    def on_streamer_gone(self, code: int, reason: str) -> None: ...


class _UnixResolver(Resolver):
    """Whatever the name, the address is this path."""

    def initialize(self, path: Path) -> None:
        self._path = path

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        return [(socket.AF_UNIX, str(self._path))]


class _OurStreamer(TCPClient):
    """Connects to a process of the same user only, before anything is said."""

    async def connect(self, *args: Any, **kwargs: Any) -> IOStream:
        stream = await super().connect(*args, **kwargs)
        if rendezvous.peer_uid(stream.socket) != os.getuid():
            stream.close()
            raise StreamerGoneError(NOT_YOURS)
        return stream


class _OneRequest(SimpleAsyncHTTPClient):
    """tornado's plain client on a unix socket."""

    def initialize(self, path: Path) -> None:  # type: ignore[override]
        super().initialize(max_clients=1, max_body_size=1 << 16)
        self.tcp_client = _OurStreamer(resolver=_UnixResolver(path=path))


async def ask_for_ticket(path: Path, asks: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The streamer's answer to one of Jupyter's users who wants to see a view: a status and what it says."""
    client = _OneRequest(path=path, force_instance=True)
    request = HTTPRequest(
        "http://pvlink/ticket",
        method="POST",
        body=json.dumps(asks),
        connect_timeout=CONNECT_SECONDS,
        request_timeout=CONNECT_SECONDS,
    )
    try:
        answer = await client.fetch(request, raise_error=False)
        said = json.loads(answer.body or b"{}") if answer.error is None or answer.code < 599 else None
    except StreamerGoneError:
        raise
    except (HTTPError, OSError, StreamClosedError, ValueError) as error:
        log.info("no ticket from %s", path, exc_info=error)
        raise StreamerGoneError(GONE) from error
    finally:
        client.close()
    # 599 is tornado's own word for no answer.
    if not isinstance(said, dict):
        raise StreamerGoneError(GONE) from answer.error
    return answer.code, said


class Relay:
    """One websocket to the streamer."""

    def __init__(self, streamer: WebSocketClientConnection, browser: Browser) -> None:
        self._streamer = streamer
        self._browser = browser
        self._at_end = False
        self._pump = asyncio.create_task(self._to_browser())
        self._rest: asyncio.Task[None] | None = None

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
            raise StreamerGoneError(NOT_YOURS)
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
            self._at_end = True
        except (WebSocketClosedError, StreamClosedError):
            log.debug("the browser closed while the streamer wrote")
        code, reason = self._streamer.close_code, self._streamer.close_reason
        # The streamer's own words are for the user; anything else is an end without one.
        if code is not None and 4000 <= code <= 4999:
            self._browser.on_streamer_gone(code, reason or "")
        else:
            self._browser.on_streamer_gone(CLOSE_GONE, GONE)

    def close(self) -> None:
        """May be called twice."""
        self._pump.cancel()
        self._streamer.close()
        if not self._at_end and self._rest is None:
            self._rest = asyncio.create_task(self._read_the_rest())

    async def _read_the_rest(self) -> None:
        """tornado keeps a message until it is read, and with it this whole connection, for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                while await self._streamer.read_message() is not None:
                    pass


def _is_ours(streamer: WebSocketClientConnection) -> bool:
    stream = None if streamer.protocol is None else streamer.protocol.stream
    return isinstance(stream, IOStream) and rendezvous.peer_uid(stream.socket) == os.getuid()
