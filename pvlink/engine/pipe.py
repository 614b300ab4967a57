"""The bytes of the wire between kernel and engine.

rpyc's own stream copies the rest of a message for each 64 KB that it sends: 32 MB took 1.2 s, and twice that four times
as long.
"""

from __future__ import annotations

import select
import socket
from typing import Any


class Pipe:
    """A stream socket as rpyc's channel wants it. What is wrong with it is the end of the other side."""

    # Up to here the channel sends header and message in one piece.
    MAX_IO_CHUNK = 1 << 16

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)

    @property
    def closed(self) -> bool:
        return self._socket.fileno() < 0

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        if self.closed:
            raise EOFError("the connection is closed")
        return self._socket.fileno()

    def poll(self, timeout: Any) -> bool:
        """Whether there is something to read, within rpyc's `timeout`."""
        self.fileno()
        left = timeout.timeleft()
        return bool(self._readable.poll(None if left is None else left * 1e3))

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        data = bytearray(count)
        rest = memoryview(data)
        try:
            while rest:
                read = self._socket.recv_into(rest)
                if not read:
                    self.close()
                    raise EOFError("the other end has closed the connection")
                rest = rest[read:]
        except OSError as error:
            self.close()
            raise EOFError(str(error)) from error
        return bytes(data)

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            self.close()
            raise EOFError(str(error)) from error
