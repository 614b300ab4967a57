"""A connection to a port in another process's network: `within.py PID PORT FD`, which sends its socket over FD.

Standard library only. A server of `session.serve()` may be in a network of its own, which nothing reaches from outside;
a process of the same user may enter it. That changes the process for good, so it is one of its own.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys

NEWNET, NEWUSER = 0x40000000, 0x10000000
PATIENCE = 5.0


def main(pid: int, port: int, fd: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for name, kind in (("user", NEWUSER), ("net", NEWNET)):
        if _same(pid, name):
            continue
        with open(f"/proc/{pid}/ns/{name}", "rb") as namespace:  # noqa: PTH123 - no Path is needed for this
            if libc.setns(namespace.fileno(), kind):
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code))
    with socket.socket(fileno=fd) as line, socket.create_connection(("127.0.0.1", port), PATIENCE) as made:
        socket.send_fds(line, [b"."], [made.fileno()])


def _same(pid: int, name: str) -> bool:
    return os.readlink(f"/proc/{pid}/ns/{name}") == os.readlink(f"/proc/self/ns/{name}")  # noqa: PTH115 - no path


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:4]))
    except OSError as error:
        sys.exit(str(error))
