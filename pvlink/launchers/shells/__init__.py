"""FAMILY: where commands are run, and how what listens there is reached: on this machine, or on another by ssh."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Dialled:
    """A connection to a job's door, which belongs to whoever asked for it."""

    socket: socket.socket
    # What it took to make, in milliseconds; none within this machine.
    rtt: float | None
    # For people: "by ssh (direct)"; empty where nothing is between.
    how: str = ""


class Shell(Protocol):
    """One machine, as this user."""

    def run(self, command: Sequence[str], *, given: str = "", timeout: float = 60.0) -> Done:
        """Run a command to its end, with `given` on its standard input. Raises JobError when it cannot be run."""

    def dial(self, host: str, door: str, port: int) -> Dialled:
        """A connection to a job's door: the unix socket `door` on `host`, or its `port`. Raises JobError."""

    def close(self) -> None:
        """May be called twice."""
