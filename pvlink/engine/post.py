"""What the kernel sends beside its requests: sockets of streamers and memory, by file descriptor.

Each packet is a word, and a number where there may be several. Memory is asked for by its number, in the request that
it was sent for; a packet may come before its request or be read together with others.
"""

from __future__ import annotations

import os
import socket

STREAMER, MEMORY = "streamer", "memory"


class Post:
    """The engine's end."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        # recv_fds takes flags and ignores them.
        sock.setblocking(False)
        # The kernel has gone.
        self.ended = False
        self._streamer: int | None = None
        self._memory: dict[int, int] = {}

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def waiting(self) -> bool:
        """A streamer's socket has come that nobody has taken yet."""
        return self._streamer is not None

    def streamer(self) -> int | None:
        """The socket of the newest streamer, if one has come."""
        self._read()
        fd, self._streamer = self._streamer, None
        return fd

    def memory(self, number: int) -> int:
        """The file in memory of that number; the caller closes it. ValueError: it has not come."""
        self._read()
        # A request that was interrupted before it was sent has left some.
        for older in [known for known in self._memory if known < number]:
            os.close(self._memory.pop(older))
        if number not in self._memory:
            raise ValueError(f"memory {number} has not come with its request")
        return self._memory.pop(number)

    def _read(self) -> None:
        while not self.ended:
            try:
                packet, fds, _, _ = socket.recv_fds(self._socket, 64, 4)
            except BlockingIOError:
                return
            except ConnectionResetError:
                packet, fds = b"", []
            self.ended = not packet
            if fds:
                self._sort(packet.decode("ascii", "replace").split(), fds)

    def _sort(self, words: list[str], fds: list[int]) -> None:
        if words[:1] == [STREAMER]:
            if self._streamer is not None:
                os.close(self._streamer)
            self._streamer = fds.pop(0)
        elif words[:1] == [MEMORY] and len(words) == 2 and words[1].isdigit():
            self._memory[int(words[1])] = fds.pop(0)
        for fd in fds:
            os.close(fd)
