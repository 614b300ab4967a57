"""Stands between a connection and what serves it until the visitor is known: so many bytes, so many seconds, then out.

A stranger that sends a byte now and then would otherwise hold a descriptor for ever, and 200 of them all that the
process has. One that is let in is not looked at again.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Callable

STRANGER_BYTES = 64 << 10
STRANGER_SECONDS = 5.0
# An answer that is on its way to a slow line: the page has about 30 KB.
ANSWER_SECONDS = 30.0
# Strangers at a time; one more sends away the one that has waited longest, of the address that has most.
MAX_STRANGERS = 64


class Stranger(asyncio.Protocol):
    """One connection, from its first byte."""

    def __init__(self, inner: asyncio.Protocol, hall: Hall) -> None:
        self._inner = inner
        self._hall = hall
        self._transport: asyncio.Transport | None = None
        self._bytes = 0
        self._known = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._hall.enter(transport, self)
        self.wait(STRANGER_SECONDS)
        self._inner.connection_made(transport)

    def wait(self, seconds: float) -> None:
        """From now on this long."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._known:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.turn_away)

    def let_in(self) -> None:
        self._known = True
        self.wait(0)

    def turn_away(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self._known:
            self._bytes += len(data)
            if self._bytes > STRANGER_BYTES:
                self.turn_away()
                return
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._hall.leave(self._transport)
        self._inner.connection_lost(exc)


class Hall:
    """The strangers of one door, and the loop that takes them in."""

    def __init__(
        self,
        factory: Callable[[], asyncio.Protocol],
        *,
        strangers: int = MAX_STRANGERS,
        guard: Callable[[socket.socket], bool] | None = None,
    ) -> None:
        """`factory` makes what serves a connection; `guard` says who may have one at all."""
        self._factory = factory
        self._limit = strangers
        self._guard = guard
        self._strangers: dict[asyncio.BaseTransport, Stranger] = {}
        # Connections not let in yet, the oldest first: how to be rid of each, and where it comes from.
        self._waiting: dict[object, tuple[Callable[[], object], str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None

    def open(self, listener: socket.socket, context: ssl.SSLContext | None = None) -> None:
        listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept(listener, context))

    def take(self, sock: socket.socket) -> None:
        """A connection that was made elsewhere."""
        sock.setblocking(False)
        self._begin(sock, None)

    def let_in(self, transport: asyncio.BaseTransport) -> None:
        """Nothing more is asked of this connection."""
        self._waiting.pop(transport, None)
        if stranger := self._strangers.get(transport):
            stranger.let_in()

    def answering(self, transport: asyncio.BaseTransport) -> None:
        """It has asked for something, and may take its time to read it."""
        if stranger := self._strangers.get(transport):
            stranger.wait(ANSWER_SECONDS)

    def enter(self, transport: asyncio.Transport, stranger: Stranger) -> None:
        self._strangers[transport] = stranger
        self._admit(transport, stranger.turn_away, _address(transport.get_extra_info("peername")))

    def leave(self, transport: asyncio.BaseTransport) -> None:
        self._strangers.pop(transport, None)
        self._waiting.pop(transport, None)

    async def close(self) -> None:
        """Takes nobody in any more; those who are in stay with whoever serves them."""
        tasks = [*self._tasks, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _admit(self, key: object, turn_away: Callable[[], object], address: str) -> None:
        self._waiting[key] = (turn_away, address)
        if len(self._waiting) > self._limit:
            crowd = Counter(address for _, address in self._waiting.values()).most_common(1)[0][0]
            oldest = next(one for one, (_, address) in self._waiting.items() if address == crowd)
            self._waiting.pop(oldest)[0]()

    async def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                try:
                    sock, address = await loop.sock_accept(listener)
                except OSError:
                    # The one who knocked has gone already, or there are no descriptors left for a moment.
                    await asyncio.sleep(0.05)
                    continue
                if self._guard is not None and not self._guard(sock):
                    sock.close()
                    continue
                task = self._begin(sock, context)
                if context is not None:
                    # In its TLS handshake a connection has no transport of ours yet.
                    self._admit(task, task.cancel, _address(address))

    def _begin(self, sock: socket.socket, context: ssl.SSLContext | None) -> asyncio.Task[None]:
        task = asyncio.create_task(self._welcome(sock, context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _welcome(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        patience = None if context is None else STRANGER_SECONDS
        # Strangers fail at handshakes all day long; that is no news.
        with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
            await loop.connect_accepted_socket(
                lambda: Stranger(self._factory(), self), sock, ssl=context, ssl_handshake_timeout=patience
            )
        task = asyncio.current_task()
        self._waiting.pop(task, None)


def _address(peername: object) -> str:
    return str(peername[0]) if isinstance(peername, tuple) and peername else "here"
