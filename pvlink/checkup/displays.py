"""X displays: whether one answers, asked in a way that cannot hang, and what there is in place of one."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

# A display on this machine answers within milliseconds, also a busy one.
PATIENCE = 2.0
SOCKETS = Path("/tmp/.X11-unix")  # noqa: S108 - where every X server listens


@dataclass(frozen=True)
class Display:
    """What DISPLAY names, and how it answered."""

    # As in the environment; empty for none.
    name: str
    # "none", "answers", "locked" (alive, and not ours to use), "dead", "hangs", "far" (of another machine, by ssh).
    state: str
    # The X server that pvlink starts itself where it needs one.
    xvfb: str | None
    # An X server cannot make its socket here.
    blocked: bool


def look() -> Display:
    name = os.environ.get("DISPLAY", "")
    return Display(name, _state(name), shutil.which("Xvfb"), _blocked())


def _state(name: str) -> str:
    if not name:
        return "none"
    found = re.fullmatch(r"(unix)?:(\d+)(\.\d+)?", name)
    if found is None:
        return "far"
    # Linux's X servers listen under a name without a file, too.
    path = str(SOCKETS / f"X{found[2]}")
    states = {_greet(address) for address in (path, f"\0{path}")}
    return next(state for state in ("answers", "locked", "hangs", "dead") if state in states)


def _greet(address: str) -> str:
    """The first message of the X11 protocol, without a key: its answer tells a dead server from a locked one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.settimeout(PATIENCE)
        try:
            server.connect(address)
            server.sendall(struct.pack("<cxHHHHxx", b"l", 11, 0, 0, 0))
            first = server.recv(1)
        except TimeoutError:
            return "hangs"
        except OSError:
            return "dead"
    return {b"\1": "answers", b"": "dead"}.get(first, "locked")


def _blocked() -> bool:
    if SOCKETS.exists():
        return not os.access(SOCKETS, os.W_OK | os.X_OK)
    return not os.access(SOCKETS.parent, os.W_OK | os.X_OK)
