"""Bytes between two sockets, both ways, with a bound on what waits."""

from __future__ import annotations

import contextlib
import selectors
import socket

# What may wait for the other side; then its source is not read any more. A picture of 1080p has 8 MB.
MOST = 1 << 22
CHUNK = 1 << 18


class Pipe:
    """Two sockets that do not block, watched by a selector. When one ends, what it has said still gets to the other."""

    def __init__(self, watch: selectors.BaseSelector, one: socket.socket, other: socket.socket) -> None:
        self.over = False
        self._watch = watch
        self._other = {one: other, other: one}
        # What waits to be written to each, and whom nothing more comes from.
        self._waiting = {one: bytearray(), other: bytearray()}
        self._ended: set[socket.socket] = set()
        self._watched: dict[socket.socket, int] = {}
        for sock in self._other:
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._arm(sock)

    def push(self, to_other: bytes, to_one: bytes) -> None:
        """What each has said already."""
        one, other = self._other
        for sock, data in ((other, to_other), (one, to_one)):
            self._waiting[sock] += data
            self._write(sock)
            self._arm(sock)

    def flush(self) -> None:
        """A last look at what is there."""
        for sock in self._other:
            self._read(sock)
            self._write(self._other[sock])

    def close(self) -> None:
        self.over = True
        for sock in self._other:
            if sock in self._watched:
                self._watch.unregister(sock)
                del self._watched[sock]
            sock.close()

    def _happens(self, sock: socket.socket, mask: int) -> None:
        if self.over:
            return
        if mask & selectors.EVENT_READ:
            self._read(sock)
            # Most of it can go at once.
            self._write(self._other[sock])
        if mask & selectors.EVENT_WRITE:
            self._write(sock)
        for each in self._other:
            self._arm(each)
        self.over = any(one in self._ended and not self._waiting[other] for one, other in self._other.items())

    def _read(self, sock: socket.socket) -> None:
        waiting = self._waiting[self._other[sock]]
        try:
            while len(waiting) < MOST and sock not in self._ended:
                if not (data := sock.recv(CHUNK)):
                    self._ended.add(sock)
                waiting += data
                if len(data) < CHUNK:
                    return
        except BlockingIOError:
            return
        except OSError:
            self._ended.add(sock)

    def _write(self, sock: socket.socket) -> None:
        waiting = self._waiting[sock]
        try:
            while waiting:
                del waiting[: sock.send(memoryview(waiting)[:CHUNK])]
        except BlockingIOError:
            return
        except OSError:
            # Nobody reads any more: nothing waits for him.
            waiting.clear()
            self._ended.add(sock)

    def _arm(self, sock: socket.socket) -> None:
        reads = sock not in self._ended and len(self._waiting[self._other[sock]]) < MOST
        mask = (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if self._waiting[sock] else 0)
        if mask == self._watched.get(sock, 0):
            return
        with contextlib.suppress(KeyError, ValueError):
            if not mask:
                self._watch.unregister(sock)
            elif sock in self._watched:
                self._watch.modify(sock, mask, self._data(sock))
            else:
                self._watch.register(sock, mask, self._data(sock))
        self._watched.pop(sock, None)
        if mask:
            self._watched[sock] = mask

    def _data(self, sock: socket.socket) -> object:
        return lambda mask: self._happens(sock, mask)
