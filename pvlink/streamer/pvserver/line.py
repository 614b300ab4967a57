"""One line: a socket to the server, one to the engine's ParaView, and what goes between them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable

from pvlink.streamer.pvserver.approach import Reached
from pvlink.streamer.pvserver.framing import NO_IMAGE, Conversation
from pvlink.streamer.pvserver.pipe import Pipe

# Between the news that a server is lost and the end of file for its client: so much a watcher needs to get ready.
NOTICE_SECONDS = 0.06
# A client that is in the middle of something gets so long to say its next word: only then it is known where it waits.
WORD_SECONDS = 0.3
# After "no image" the client speaks on, and may ask for an image again.
AFTERWORD_SECONDS = 0.15
QUIET_SECONDS = 0.04
_STEP = 0.01
# A network server that vanished while nothing was said is noticed within 10 + 3 * 3 s.
KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
# And one that vanished in the middle of a conversation: nothing acknowledged for so long, after so many more tries. Not
# by TCP_USER_TIMEOUT: that ends a server, too, which computes and takes nothing meanwhile (set to 2 s, after 2.5).
VANISHED_MS = 20_000
VANISHED_TRIES = 3
# Called with whether it was the server that ended, and its error, if there was one.
Ended = Callable[[bool, OSError | None], None]


class Line:
    """From the handshake with the server on, to the end of both sides."""

    def __init__(self, server: Reached, ended: Ended) -> None:
        """`ended` is called once, for whichever side ends first."""
        self._loop = asyncio.get_running_loop()
        self._server = server.sock
        self._reached = server
        self._engine: socket.socket | None = None
        self._ended = ended
        self._over = False
        self.talk = Conversation()
        self._down: Pipe | None = None
        self._up: Pipe | None = None
        # Not all of it is for a socket within this machine, or a Linux of before 2.6.37.
        with contextlib.suppress(OSError):
            for level, option, value in (*KEEPALIVE, (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)):
                self._server.setsockopt(level, option, value)
        # Nobody reads yet, but its end is to be seen.
        self._loop.add_reader(self._server, self._peek)

    @property
    def ids(self) -> int:
        return self._reached.ids

    @property
    def rtt(self) -> float | None:
        return self._reached.rtt

    @property
    def peer(self) -> str:
        return self._reached.peer

    @property
    def heard(self) -> float | None:
        """When the server said something last."""
        return self._down.at if self._down else None

    @property
    def said(self) -> float | None:
        """When the engine did."""
        return self._up.at if self._up else None

    @property
    def received(self) -> int:
        return self._down.bytes if self._down else 0

    @property
    def sent(self) -> int:
        return self._up.bytes if self._up else 0

    @property
    def messages(self) -> int:
        return self.talk.client.messages + self.talk.server.messages

    def join(self, engine: socket.socket, rest: bytes) -> None:
        """The engine is here; from now on both hear each other."""
        if self._over:
            engine.close()
            return
        self._loop.remove_reader(self._server)
        self._engine = engine
        self._down = Pipe(self._server, engine, self.talk.heard, self._end_of_server)
        self._up = Pipe(engine, self._server, self.talk.said, self._end_of_engine)
        self._down.start(self._reached.rest)
        self._up.start(rest)

    def look(self) -> None:
        """Now and then: the server's machine may have vanished."""
        if not self._over and self._server.family != socket.AF_UNIX:
            info = self._server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            if vanished(info):
                self._end(True, OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))

    def drop_server(self) -> None:
        """The server's side is closed now; the engine may speak on, to nobody."""
        self._over = True
        if self._server.fileno() < 0:
            return
        self._loop.remove_reader(self._server)
        if self._down is not None:
            self._down.stop_reading()
        if self._up is not None:
            self._up.pour_away()
        self._server.close()

    async def let_go(self) -> None:
        """Ends the engine's side, in a moment in which its ParaView can bear it. The server's is closed already."""
        if self._engine is None:
            return
        begin = self._loop.time()
        await asyncio.sleep(NOTICE_SECONDS)
        while not self._settled() and self._loop.time() < begin + WORD_SECONDS:  # noqa: ASYNC110 - waits for quiet
            await asyncio.sleep(_STEP)
        end = self._loop.time() + AFTERWORD_SECONDS
        while self.talk.waits_for_image and self._answer_no_image():
            while not self._settled() and self._loop.time() < end:  # noqa: ASYNC110 - as above
                await asyncio.sleep(_STEP)
        self.close()

    def close(self) -> None:
        """All of it, at once. May be called twice."""
        self.drop_server()
        for pipe in (self._down, self._up):
            if pipe is not None:
                pipe.close()
        if self._engine is not None:
            with contextlib.suppress(OSError):
                self._engine.shutdown(socket.SHUT_RDWR)
            self._engine.close()
            self._engine = None

    def _settled(self) -> bool:
        """Whether the client has had the last word, and nothing more comes."""
        if self._engine is None or self._up is None:
            return True
        quiet = self._up.at is not None and self._loop.time() - self._up.at > QUIET_SECONDS
        return self.talk.client_spoke_last and quiet and self.talk.client.whole

    def _answer_no_image(self) -> bool:
        if self._engine is None or self._down is None or self._down.blocked:
            return False
        try:
            sent = self._engine.send(NO_IMAGE)
        except OSError:
            return False
        self.talk.heard(NO_IMAGE, len(NO_IMAGE))
        return sent == len(NO_IMAGE)

    def _peek(self) -> None:
        try:
            said = self._server.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(True, error)
            return
        # What it says is for the engine.
        self._loop.remove_reader(self._server)
        if not said:
            self._end(True, None)

    def _end_of_server(self, by_source: bool, error: OSError | None) -> None:
        """Of the way down: the server has ended, or the engine takes nothing any more."""
        self._end(by_source, error)

    def _end_of_engine(self, by_source: bool, error: OSError | None) -> None:
        self._end(not by_source, error)

    def _end(self, server: bool, error: OSError | None) -> None:
        if not self._over:
            self._over = True
            self._ended(server, error)


def vanished(info: bytes) -> bool:
    """Whether nobody is at the other end any more, from Linux's struct tcp_info."""
    retransmits, probes = info[2], info[3]
    (since_last_ack,) = struct.unpack_from("=I", info, 56)
    return max(retransmits, probes) >= VANISHED_TRIES and int(since_last_ack) > VANISHED_MS
