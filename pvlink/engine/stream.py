"""The engine's end of the wire to the streamer: packets of JSON, memory by file descriptor, never a pixel."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

MAX_PACKET = 60 << 10


class Stream:
    """A `SOCK_SEQPACKET` socket. A streamer that went away is noticed, not raised: the engine lives for its kernel."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        # The streamer never blocks, so a full buffer means that it hangs; a frame lost then costs nobody anything.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 1, 0))
        self.open = True

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: dict[str, Any], fd: int | None = None) -> None:
        if not self.open:
            return
        packet = json.dumps(message, separators=(",", ":")).encode()
        try:
            if fd is None:
                self._socket.send(packet)
            else:
                socket.send_fds(self._socket, [packet], [fd])
        except (BrokenPipeError, ConnectionResetError):
            self.open = False
        except BlockingIOError:
            pass

    def receive(self) -> list[dict[str, Any]]:
        """All packets that have come; none, and `open` false, once the streamer is gone."""
        messages: list[dict[str, Any]] = []
        while self.open:
            try:
                packet = self._socket.recv(MAX_PACKET, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionResetError:
                packet = b""
            if not packet:
                self.open = False
                break
            messages.append(json.loads(packet))
        return messages
