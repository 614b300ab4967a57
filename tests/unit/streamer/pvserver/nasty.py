"""Servers and ParaViews that are nastier than real ones: they die at each step, dawdle, lie, and never read."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from pvlink.streamer.pvserver.handshake import Answerer, Caller, Code, Introduction

Serve = Callable[[socket.socket], None]
# How many bytes of the greeting a server has said after each of its steps.
STEPS = (0, 9, 21, 62, 74)


@contextlib.contextmanager
def listening(serve: Serve, *, host: str = "127.0.0.1") -> Iterator[int]:
    """Each connection is served in a thread of its own; all are closed at the end, whatever they are at."""
    listener = socket.create_server((host, 0))
    threads: list[threading.Thread] = []
    taken: list[socket.socket] = []

    def work(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError, Exception):
            serve(sock)

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            taken.append(sock)
            threads.append(threading.Thread(target=work, args=(sock,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for sock in taken:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


def reset(sock: socket.socket) -> None:
    """As a process that is killed with unread bytes does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def lead(sock: socket.socket, side: Caller | Answerer, *, pause: float = 0.0, until: int | None = None) -> int:
    """The greeting, a byte at a time if there is a pause, and no further than so many bytes; how many were said."""
    said = 0

    def say(data: bytes) -> None:
        nonlocal said
        data = data if until is None else data[: max(0, until - said)]
        said += len(data)
        for piece in [data[at : at + 1] for at in range(len(data))] if pause else [data]:
            sock.sendall(piece)
            time.sleep(pause)

    say(side.begin())
    while not side.done and (until is None or said < until):
        data = sock.recv(4096)
        if not data:
            break
        say(side.feed(data))
    return said


def silent(sock: socket.socket) -> None:
    while sock.recv(4096):
        pass


def paraview(
    version: str = "5.11",
    connect_id: int = 0,
    *,
    backend: str = "opengl2",
    pause: float = 0.0,
    digest: bytes = b"",
    then: Serve = silent,
    met: list[Introduction | None] | None = None,
) -> Serve:
    """A pvserver that listens; `then` is what it does once it has a client."""
    own = Introduction(version, connect_id, backend)

    def serve(sock: socket.socket) -> None:
        side = Particular(own, digest) if digest else Answerer(own.judged)
        lead(sock, side, pause=pause)
        if met is not None:
            met.append(side.introduction)
        if side.done and side.code is Code.GOOD:
            then(sock)

    return serve


class Particular(Answerer):
    """One that has a digest of its own, and closes when the other's differs."""

    def __init__(self, own: Introduction, digest: bytes) -> None:
        super().__init__(own.judged)
        self._own_digest = digest

    def feed(self, data: bytes) -> bytes:
        answer = super().feed(data)
        if self.digest and self.digest != self._own_digest:
            self.done = True
            return answer.replace(self.digest, self._own_digest)
        return answer


def dies_after(said: int, *, by_reset: bool = False) -> Serve:
    """One that ends after so many bytes of its greeting."""

    def serve(sock: socket.socket) -> None:
        if said == 0:
            sock.recv(1)
        lead(sock, Answerer(Introduction("5.11").judged), until=said)
        if by_reset:
            reset(sock)

    return serve


def says(text: bytes, *, asked: bool = True) -> Serve:
    """Anything else that answers on a port; a web server only once it has a whole line."""

    def serve(sock: socket.socket) -> None:
        heard = b""
        while asked and b"\n" not in heard:
            heard += sock.recv(4096)
        sock.sendall(text)
        sock.recv(4096)

    return serve


def echo(sock: socket.socket) -> None:
    while data := sock.recv(1 << 16):
        sock.sendall(data)


def client(port: int, version: str = "5.11", connect_id: int = 0, timeout: float = 10.0) -> socket.socket:
    """The engine's ParaView, after its greeting."""
    sock = socket.create_connection(("127.0.0.1", port), timeout)
    side = Caller(Introduction(version, connect_id))
    try:
        lead(sock, side)
        if side.code is not Code.GOOD:
            raise ConnectionRefusedError(side.code)
    except BaseException:
        sock.close()
        raise
    return sock
