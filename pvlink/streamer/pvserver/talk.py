"""Leads a handshake over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from pvlink.streamer.pvserver.handshake import Answerer, Caller, NotParaViewError

# Who has said something that no ParaView says may finish the sentence, so that it can be quoted.
QUOTE_SECONDS = 0.1
# A web server says nothing before it has a line.
NUDGE = b"\r\n\r\n"


class ClosedError(Exception):
    """The other side has closed; `heard`: after it had said something."""

    def __init__(self, why: str, *, heard: bool) -> None:
        super().__init__(why)
        self.why = why
        self.heard = heard


async def talk(sock: socket.socket, side: Caller | Answerer, *, nudge: float | None = None) -> None:
    """To its end; whoever calls bounds the time. Raises ClosedError, and what the side raises.

    `nudge`: when the other side has said nothing by then (on the loop's clock), it gets what makes a web server speak.
    A ParaView server that slept till then drops such a handshake, and waits for the next one.
    """
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(sock, side.begin())
        while not side.done:
            data = await _received(sock, None if side.heard else nudge)
            if not data:
                raise ClosedError("end of file", heard=side.heard)
            try:
                answer = side.feed(data)
            except NotParaViewError as error:
                raise NotParaViewError(error.said + await _more(sock)) from None
            if answer:
                await loop.sock_sendall(sock, answer)
    except OSError as error:
        raise ClosedError(error.strerror or str(error), heard=side.heard) from None


async def _received(sock: socket.socket, nudge: float | None) -> bytes:
    loop = asyncio.get_running_loop()
    if nudge is not None:
        try:
            async with asyncio.timeout_at(nudge):
                return await loop.sock_recv(sock, 4096)
        except TimeoutError:
            await loop.sock_sendall(sock, NUDGE)
    return await loop.sock_recv(sock, 4096)


async def _more(sock: socket.socket) -> bytes:
    """What else it says."""
    more = b""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(QUOTE_SECONDS):
            while len(more) < 64:
                data = await asyncio.get_running_loop().sock_recv(sock, 64)
                if not data:
                    break
                more += data
    return more
