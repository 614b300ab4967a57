"""Messages between kernel and carrier: JSON in packets of a unix socket, with a descriptor where one is handed over."""

from __future__ import annotations

import array
import json
import socket
from typing import Any

# A batch script has 50 KB; what commands say is cut to fit.
MOST = 180_000
TEXT = 60_000
BUFFER = 1 << 20


def pair() -> tuple[socket.socket, socket.socket]:
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return ends


def send(sock: socket.socket, message: dict[str, Any], fd: int | None = None) -> None:
    """ValueError: it is too long. OSError: nobody is there."""
    data = json.dumps(message).encode()
    if len(data) > MOST:
        raise ValueError(f"a message of {len(data)} bytes is more than {MOST}")
    passed = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
    sock.sendmsg([data], passed)


def receive(sock: socket.socket) -> tuple[dict[str, Any], int | None] | None:
    """None: the other side has ended."""
    data, ancillary, _, _ = sock.recvmsg(MOST, socket.CMSG_SPACE(4))
    fd = None
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fd = array.array("i", content[:4])[0]
    if not data:
        return None
    message: dict[str, Any] = json.loads(data)
    return message, fd


def cut(text: str) -> str:
    """The end of what is too long."""
    return text if len(text) <= TEXT else f"...{text[-TEXT:]}"
