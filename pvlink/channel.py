"""One viewer's websocket to the streamer, carried by the widget's messages. The kernel understands no byte of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import Resolver
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from pvlink import rendezvous
from pvlink.protocol import CLOSE_DENIED, CLOSE_GONE, CLOSE_NO_SESSION, CommNews, CommWord

# The largest message of the streamer; it cuts what is longer.
MAX_FRAME_BYTES = 64 << 20
CONNECT_SECONDS = 5.0
# What a viewer has said and the streamer has not taken. More is a viewer that does not wait for answers; it is cut.
MAX_WAITING = 1024
# What may be on its way to a viewer that says nothing: a few pictures. Then the streamer is not read.
MAX_UNHEARD_BYTES = 16 << 20
# What was taken is said with the next message, or after this time by itself.
SEEN_SECONDS = 0.005
GONE = "The process that sends the pictures went away. pvlink.session().restart() brings the view back."
ENDED = "This session has ended. Run the cells again for a live view."
log = logging.getLogger(__name__)


class _Resolver(Resolver):
    """Whatever the name, the address is this path."""

    def initialize(self, path: Path) -> None:
        self._path = path

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        return [(socket.AF_UNIX, str(self._path))]


Tell = Callable[[CommWord, list[bytes]], None]


class Channel:
    """One viewer's websocket, as far as the streamer."""

    def __init__(
        self, name: str, session: str, tell: Tell, ended: Callable[[Channel], None], *, plain: bool = False
    ) -> None:
        self.name = name
        # Nothing in buffers.
        self._plain = plain
        self.silent_ticks = 0
        self._session = session
        self._tell = tell
        self._ended = ended
        self._seen = 0
        self._said_seen = 0
        self._waiting: deque[str | bytes] = deque()
        self._news = asyncio.Event()
        self._heard = asyncio.Event()
        self._unheard = 0
        self._at_end = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    def heard(self, seq: int) -> None:
        """A sign of life, and the number of what was taken."""
        self.silent_ticks = 0
        self._unheard = 0
        self._heard.set()
        self._seen = max(self._seen, seq)
        if self._seen == seq:
            asyncio.get_running_loop().call_later(SEEN_SECONDS, self._say_seen)

    def send(self, message: str | bytes) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self.close(CLOSE_DENIED, "This page said more than was taken.")
            return
        self._waiting.append(message)
        self._news.set()

    def say(self, news: CommNews, buffers: Iterable[bytes] = (), **facts: Any) -> None:
        self._said_seen = self._seen
        self._tell(CommWord(news, self.name, self._seen, **facts), list(buffers))

    def close(self, code: int = 0, message: str = "") -> None:
        """May be called twice."""
        self._task.cancel()
        self._say_closed(code, message)

    def _say_closed(self, code: int, message: str) -> None:
        if code:
            self.say("closed", code=code, message=message)
        self._ended(self)

    def _say_seen(self) -> None:
        if self._said_seen != self._seen and not self._task.done():
            self.say("seen")

    async def _run(self) -> None:
        streamer: WebSocketClientConnection | None = None
        stream: IOStream | None = None
        writing: asyncio.Task[None] | None = None
        code, message = CLOSE_GONE, GONE
        try:
            path = rendezvous.find(self._session)
            if path is None:
                code, message = CLOSE_NO_SESSION, ENDED
                return
            streamer, stream = await _connect(path)
            self.say("open")
            writing = asyncio.create_task(self._write(streamer))
            await self._read(streamer)
            if streamer.close_code is not None and 4000 <= streamer.close_code <= 4999:
                code, message = streamer.close_code, streamer.close_reason or ""
        except asyncio.CancelledError:
            code = 0
            raise
        except (OSError, ValueError, WebSocketClosedError, StreamClosedError) as error:
            log.info("a channel to %s failed", self._session[:8], exc_info=error)
        finally:
            if writing is not None:
                writing.cancel()
            if streamer is not None and stream is not None:
                _let_go(streamer, stream, self._at_end)
            if code:
                self._say_closed(code, message)

    async def _read(self, streamer: WebSocketClientConnection) -> None:
        """One message at a time: a viewer that says nothing any more gets a few pictures, and no more."""
        while (message := await streamer.read_message()) is not None:
            while self._unheard > MAX_UNHEARD_BYTES:
                self._heard.clear()
                await self._heard.wait()
            self._unheard += len(message)
            if isinstance(message, str):
                self.say("data", text=message)
            elif self._plain:
                self.say("data", base64=base64.b64encode(message).decode())
            else:
                self.say("data", [message])
        self._at_end = True

    async def _write(self, streamer: WebSocketClientConnection) -> None:
        # The reader sees it, too, and says so.
        with contextlib.suppress(WebSocketClosedError, StreamClosedError):
            while True:
                await self._news.wait()
                self._news.clear()
                while self._waiting:
                    message = self._waiting.popleft()
                    await streamer.write_message(message, binary=isinstance(message, bytes))


async def _connect(path: Path) -> tuple[WebSocketClientConnection, IOStream]:
    request = HTTPRequest("ws://pvlink/ws", connect_timeout=CONNECT_SECONDS, request_timeout=CONNECT_SECONDS)
    try:
        streamer = await websocket_connect(request, resolver=_Resolver(path=path), max_message_size=MAX_FRAME_BYTES)
    except Exception as error:
        # Whatever tornado makes of a socket that nobody answers.
        raise OSError(str(error)) from error
    stream = None if streamer.protocol is None else streamer.protocol.stream
    if not isinstance(stream, IOStream) or rendezvous.peer_uid(stream.socket) != os.getuid():
        streamer.close()
        raise OSError("the process that answers for this session is somebody else's")
    return streamer, stream


# Connections whose end is awaited.
farewells: set[asyncio.Task[None]] = set()


def _let_go(streamer: WebSocketClientConnection, stream: IOStream, at_end: bool) -> None:
    streamer.close()
    if at_end:
        # tornado would leave it to the other side, for five seconds.
        stream.close()
        return
    # tornado keeps a message until it is read, and with it the whole connection.
    task = asyncio.create_task(_read_the_rest(streamer, stream))
    farewells.add(task)
    task.add_done_callback(farewells.discard)


async def _read_the_rest(streamer: WebSocketClientConnection, stream: IOStream) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2 * CONNECT_SECONDS):
            while await streamer.read_message() is not None:
                pass
    stream.close()
