"""The pipeline as it was, in memory that the kernel keeps: what a new engine is given when this one has died.

ParaView takes 15 to 100 ms to write its state down, and the one thread that touches it can do nothing else meanwhile.
So it is written when a cell has ended and when a hand has come to rest, never in between.
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
# A state that took longer (seconds) waits until the first picture of what the cell did is under way, and so long.
CHEAP = 0.03
PAUSE = 0.3
# What a cell did is saved by now, whatever a hand does.
LATEST = 5.0


class When:
    """When to save: decided here, without a clock. Times are seconds of any one."""

    def __init__(self) -> None:
        # Oldest end of a cell, and newest move of a hand, that are not saved.
        self._cell: float | None = None
        self._moved: float | None = None
        self._cost = 0.0

    def cell_ended(self, now: float) -> None:
        if self._cell is None:
            self._cell = now

    def moved(self, now: float) -> None:
        self._moved = now

    def wait(self, now: float) -> float | None:
        """Seconds until it is time; none when nothing has changed."""
        rest = None if self._moved is None else self._moved + REST
        if self._cell is None:
            return None if rest is None else max(0.0, rest - now)
        due = self._cell if self._cost < CHEAP else self._cell + PAUSE
        if rest is not None and rest > now:
            due = min(max(due, rest), self._cell + LATEST)
        return max(0.0, due - now)

    def overdue(self, now: float) -> bool:
        """Whether what a cell did has waited for long."""
        return self._cell is not None and now >= self._cell + LATEST

    def saved(self, cost: float) -> None:
        self._cell = self._moved = None
        self._cost = cost


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
