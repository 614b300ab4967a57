"""The engine's end of the wire to the streamer: packets of JSON, memory by file descriptor, never a pixel."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import time
from typing import Any

from pvlink.engine.post import Post

MAX_PACKET = 60 << 10
# A process that is being killed closes its sockets one after the other: how often to look again, 20 ms apart.
DYING = 10


class Stream:
    """The streamer of the moment. One that went away is noticed, not raised: the engine lives for its kernel.

    Its socket comes over `post`, from the kernel, the first one as well as those of streamers started later.
    """

    def __init__(self, post: socket.socket) -> None:
        self.post = Post(post)
        self._socket: socket.socket | None = None

    @property
    def open(self) -> bool:
        return self._socket is not None

    def fileno(self) -> int:
        return -1 if self._socket is None else self._socket.fileno()

    def take(self) -> bool:
        """A new streamer's socket, if one has come; it takes the place of the former."""
        fd = self.post.streamer()
        if fd is None:
            return False
        self.close()
        self._socket = socket.socket(fileno=fd)
        # The streamer never blocks, so a full buffer means that it hangs; a frame lost then costs nobody anything.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 1, 0))
        return True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, message: dict[str, Any], fd: int | None = None) -> None:
        if self._socket is None:
            return
        packet = json.dumps(message, separators=(",", ":")).encode()
        try:
            if fd is None:
                self._socket.send(packet)
            else:
                socket.send_fds(self._socket, [packet], [fd])
        except (BrokenPipeError, ConnectionResetError, BlockingIOError):
            # The next look at it finds its end, or room.
            return

    def receive(self) -> list[dict[str, Any]]:
        """All packets that have come; none, and `open` false, once the streamer is gone."""
        messages: list[dict[str, Any]] = []
        while self._socket is not None:
            try:
                packet = self._socket.recv(MAX_PACKET, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionResetError:
                packet = b""
            if not packet:
                self.close()
                break
            messages.append(json.loads(packet))
        return messages


def remove_dead(path: str) -> None:
    """Remove the socket that a streamer of this session has left, unless somebody listens there again."""
    for _ in range(DYING):
        if _refuses(path):
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108
            return
        if not os.path.exists(path):  # noqa: PTH110
            return
        time.sleep(0.02)


def _refuses(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
