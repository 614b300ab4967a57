"""The pipeline as it was, in memory that the kernel keeps: what a new engine is given when this one has died.

ParaView takes 10 ms to write down the state of one source and 300 for fifty, and the one thread that touches it can do
nothing else meanwhile. So the whole is written when a cell has ended, and after a hand has moved only the cameras.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import zlib
from typing import Any

# Number, length of the facts, length of the state, checksum of both; then a checksum of this head (docs/wire.md).
HEAD = struct.Struct("<QQQI")
SUM = struct.Struct("<I")
START = HEAD.size + SUM.size
# After a hand's last move, in seconds: longer than the time between two drags, shorter than a look at the picture.
REST = 1.0
# A state that took longer (seconds) is not written right after a cell, in front of its first picture, but ...
CHEAP = 0.03
# ... when no cell has followed for so long: at least this, and ten times what it took.
PAUSE, SHARE = 0.3, 10.0
# What a cell did is written down by now, whatever else goes on.
LATEST = 10.0


class When:
    """When to write what: decided here, without a clock. Times are seconds of any one."""

    def __init__(self) -> None:
        # First and last end of a cell, and last move of a hand, that are not written down.
        self._first: float | None = None
        self._last = 0.0
        self._moved: float | None = None
        self._cost = 0.0

    def cell_ended(self, now: float) -> None:
        self._last = now
        if self._first is None:
            self._first = now

    def moved(self, now: float) -> None:
        self._moved = now

    def all_in(self, now: float) -> float | None:
        """Seconds until the whole state is to be written; none when no cell has changed it."""
        if self._first is None:
            return None
        due = self._last if self._cost < CHEAP else self._last + max(PAUSE, self._cost * SHARE)
        if self._moved is not None and now < self._moved + REST:
            due = max(due, self._moved + REST)
        return max(0.0, min(due, self._first + LATEST) - now)

    def cameras_in(self, now: float) -> float | None:
        """The same for the cameras, which are all that a hand moves: they cost next to nothing."""
        return None if self._moved is None else max(0.0, self._moved + REST - now)

    def overdue(self, now: float) -> bool:
        """Whether what a cell did has waited for long."""
        return self._first is not None and now >= self._first + LATEST

    def all_written(self, cost: float) -> None:
        self._first = self._moved = None
        self._cost = cost

    def cameras_written(self) -> None:
        self._moved = None


class Checkpoint:
    """Two halves, each a file in memory, written in turn: killed in the middle of one, the other one counts."""

    def __init__(self, halves: list[int]) -> None:
        self._halves = halves
        self._number = max(self._numbers())
        self._failed = False

    def write(self, facts: dict[str, Any], state: bytes) -> None:
        numbers = self._numbers()
        half = self._halves[numbers.index(min(numbers))]
        text = json.dumps(facts, separators=(",", ":")).encode()
        self._number += 1
        head = HEAD.pack(self._number, len(text), len(state), zlib.crc32(state, zlib.crc32(text)))
        try:
            os.ftruncate(half, START + len(text) + len(state))
            _write(half, text, START)
            _write(half, state, START + len(text))
            _write(half, head + SUM.pack(zlib.crc32(head)), 0)
        except OSError as error:
            # The machine's memory is full. The former state is still there, and the pipeline matters more.
            if not self._failed:
                self._failed = True
                print(f"pvlink: the pipeline's state could not be kept: {error}", file=sys.stderr)  # noqa: T201

    def _numbers(self) -> list[int]:
        found = []
        for half in self._halves:
            head = os.pread(half, START, 0)
            whole = len(head) == START and SUM.unpack(head[HEAD.size :])[0] == zlib.crc32(head[: HEAD.size])
            found.append(HEAD.unpack(head[: HEAD.size])[0] if whole else 0)
        return found


def _write(fd: int, data: bytes, place: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, place)
        view, place = view[done:], place + done
