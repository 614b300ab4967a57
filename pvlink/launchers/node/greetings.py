"""Those who greet: the server that comes to us, and clients at the door. Whoever is right is handed on."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable

from pvlink.streamer.pvserver.handshake import Answerer, Code, NotParaViewError

# A greeting takes some milliseconds; whoever needs longer is no ParaView.
GREETING_SECONDS = 10.0
# Clients that greet; one more, and the one that has waited longest is sent away.
MAX_CLIENTS = 16
# Who has a wrong id waits so long for his answer: 31 bits are not guessed at that pace.
WRONG_SECONDS = 1.0


class Visitor:
    """One of them. `rest`: what it has said after its greeting."""

    def __init__(self, sock: socket.socket, answerer: Answerer, deadline: float, *, client: bool) -> None:
        self.sock = sock
        self.answerer = answerer
        self.deadline = deadline
        self.client = client
        self.rest = b""
        # An answer that waits, and until when.
        self.late = b""
        self.until = 0.0


class Greetings:
    """All of them at a time, on one selector."""

    def __init__(self, watch: selectors.BaseSelector, right: Callable[[Visitor], None]) -> None:
        self._watch = watch
        self._right = right
        self._visitors: list[Visitor] = []

    def __len__(self) -> int:
        return len(self._visitors)

    def add(self, sock: socket.socket, answerer: Answerer, *, client: bool) -> None:
        clients = [visitor for visitor in self._visitors if visitor.client]
        if client and len(clients) >= MAX_CLIENTS:
            self._forget(clients[0])
        sock.setblocking(False)
        visitor = Visitor(sock, answerer, time.monotonic() + GREETING_SECONDS, client=client)
        self._visitors.append(visitor)
        self._watch.register(sock, selectors.EVENT_READ, lambda _: self._hear(visitor))

    def look(self, now: float) -> None:
        """What time brings."""
        for visitor in list(self._visitors):
            if visitor.late and now >= visitor.until:
                self._answer(visitor, visitor.late)
            elif now >= visitor.deadline:
                self._forget(visitor)

    def send_away(self, *, clients: bool) -> None:
        """Those of one kind."""
        for visitor in [one for one in self._visitors if one.client is clients]:
            self._forget(visitor)

    def _hear(self, visitor: Visitor) -> None:
        try:
            data = visitor.sock.recv(65536)
            answer = visitor.answerer.feed(data) if data else b""
        except BlockingIOError:
            return
        except (OSError, NotParaViewError):
            data = answer = b""
        if not data:
            self._forget(visitor)
        elif visitor.answerer.done and visitor.answerer.code is Code.ID:
            visitor.late, visitor.until = answer, time.monotonic() + WRONG_SECONDS
            self._watch.unregister(visitor.sock)
        else:
            self._answer(visitor, answer)

    def _answer(self, visitor: Visitor, answer: bytes) -> None:
        # Some bytes on a fresh connection: they fit, or nobody is there.
        with contextlib.suppress(OSError):
            visitor.sock.send(answer)
        if not visitor.answerer.done:
            return
        good = visitor.answerer.code is Code.GOOD
        self._forget(visitor, keep=good)
        if good:
            visitor.rest = visitor.answerer.rest
            self._right(visitor)

    def _forget(self, visitor: Visitor, *, keep: bool = False) -> None:
        self._visitors.remove(visitor)
        with contextlib.suppress(KeyError):
            self._watch.unregister(visitor.sock)
        if not keep:
            visitor.sock.close()
