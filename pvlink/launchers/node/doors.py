"""Where clients come to: a unix socket that only this user opens, and a port for those on other nodes."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path

BACKLOG = 8


class Doors:
    """Open until `close`. OSError: there is no place for them."""

    def __init__(
        self,
        folder: Path,
        ports: list[int] | None,
        watch: selectors.BaseSelector,
        came: Callable[[socket.socket], None],
    ) -> None:
        """`ports`: the first and the last that may be taken, none for no port; 0, 0 for any."""
        self.path = folder / "door"
        self._watch = watch
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark(folder)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self._doors = [socket.socket(socket.AF_UNIX)]
        self._doors[0].bind(str(self.path))
        self.path.chmod(0o600)
        self.port = 0
        if ports is not None:
            self._doors.append(_bound(*ports))
            self.port = int(self._doors[1].getsockname()[1])
        for door in self._doors:
            door.listen(BACKLOG)
            door.setblocking(False)
            watch.register(door, selectors.EVENT_READ, _opens(door, came))

    def close(self) -> None:
        for door in self._doors:
            self._watch.unregister(door)
            door.close()


def mark(folder: Path) -> None:
    """Say whose it is: an epilogue looks for what a job has left that was killed."""
    (folder / "job").write_text(os.environ.get("SLURM_JOB_ID", ""))


def _opens(door: socket.socket, came: Callable[[socket.socket], None]) -> Callable[[int], None]:
    def opens(_: int) -> None:
        with contextlib.suppress(OSError):
            came(door.accept()[0])

    return opens


def _bound(first: int, last: int) -> socket.socket:
    """A socket at the first of these ports that is free."""
    for port in range(first, last + 1):
        sock = socket.socket()
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Other nodes come by any of this one's networks.
            sock.bind(("", port))
        except OSError:
            sock.close()
        else:
            return sock
    raise OSError(f"no port from {first} to {last} is free on {os.uname().nodename}")
