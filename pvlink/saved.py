"""The pipeline's state as the engine has last written it down, in memory that outlives the engine.

Two halves, written in turn; docs/wire.md has their layout, `pvlink/engine/checkpoint.py` the writer.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import dataclass
from typing import Any

_HEAD = struct.Struct("<QQQI")
_SUM = struct.Struct("<I")
_START = _HEAD.size + _SUM.size


@dataclass(frozen=True)
class State:
    """One pipeline."""

    # Grows with each time it was written.
    number: int
    # What ParaView's own state leaves out: see pvlink/engine/pipeline.py.
    facts: dict[str, Any]
    # ParaView's own state file.
    xml: bytes


class Saved:
    """The memory, given to each engine of a session."""

    def __init__(self) -> None:
        self.fds = [os.memfd_create(f"pvlink-pipeline-{half}") for half in "ab"]

    def newest(self) -> State | None:
        """The newest state that is whole; none before the first one. A writer that was killed leaves the one before."""
        whole = [state for fd in self.fds if (state := _read(fd)) is not None]
        return max(whole, key=lambda state: state.number, default=None)

    def half(self, which: int) -> tuple[int, bytes] | None:
        """One half and the number of its state, for those who pass it on; none if it is not whole."""
        head = _head(self.fds[which])
        if head is None:
            return None
        number, facts, xml, check = head
        body = _exactly(self.fds[which], facts + xml)
        if zlib.crc32(body) != check:
            return None
        return number, os.pread(self.fds[which], _START, 0) + body

    def number(self, which: int) -> int:
        """Of the state in one half; 0 for none."""
        head = _head(self.fds[which])
        return 0 if head is None else head[0]

    def take(self, which: int, half: bytes) -> None:
        """A half that was passed on."""
        os.ftruncate(self.fds[which], 0)
        os.pwrite(self.fds[which], half, 0)

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)


def _head(fd: int) -> tuple[int, int, int, int] | None:
    """Its number, the lengths of facts and XML, and their sum."""
    head = os.pread(fd, _START, 0)
    if len(head) < _START or _SUM.unpack(head[_HEAD.size :])[0] != zlib.crc32(head[: _HEAD.size]):
        return None
    number, facts, xml, check = _HEAD.unpack(head[: _HEAD.size])
    return number, facts, xml, check


def _read(fd: int) -> State | None:
    head = _head(fd)
    if head is None:
        return None
    number, facts, xml, check = head
    body = _exactly(fd, facts + xml)
    if zlib.crc32(body) != check:
        return None
    return State(number, json.loads(body[:facts]), body[facts:])


def _exactly(fd: int, size: int) -> bytes:
    body = bytearray()
    # One read is 2 GB at most.
    while len(body) < size and (part := os.pread(fd, size - len(body), _START + len(body))):
        body += part
    return bytes(body)
