"""Catalyst Live on the wire, as far as a ferry has to understand it. Pure: bytes in, bytes out.

A message is tag, length and body, little endian, both ways. After ParaView's greeting (five messages each way at most):

    simulation                                  ParaView
    8000, 8001  its proxies, as XML       -->
                                          <--   8002  number of its processes
    8003        number of its processes   -->
                                          <--   98211 (twice: length, body), if both have several: where the others
                                                      of ParaView's wait for the others of the simulation
    at each step that is delivered:
    1           "update", time and step   -->
                                          <--   8010 [8011]  proxies that were changed, as XML
                                          <--   8012 (twice)  paused, what is to be delivered
    8013 [8014]                           -->
    1           "delivered", time, step   -->
    12000 ..., 674523, 674524             -->   the data, and what is known of it

The simulation stands still between "update" and 8012, and where it waits for ParaView it does not survive all that can
happen there: it aborts when a place cannot be reached, or an answer does not come. So the ferry plays ParaView to the
simulation, and the simulation to ParaView. From ParaView it waits for answers, which takes as long as it takes; the
simulation finds them in its socket before it is told that it may deliver, and never waits.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_HEAD = struct.Struct("<ii")
_INT = struct.Struct("<i")
_DOUBLE, _ID = struct.Struct("<d"), struct.Struct("<q")
RMI = 1
UPDATE, POSTPROCESS = 8800, 8801
STATE_LENGTH, STATE, PROCESSES, OWN_PROCESSES = 8000, 8001, 8002, 8003
CHANGED, CHANGES, ORDERS, MAPPED, MAP = 8010, 8011, 8012, 8013, 8014
PLACES, LAST = 98211, 674524
# ParaView's greeting: what is said to each is said back, but for the last one, which is answered with "good".
ECHOED = frozenset({0x3C3C3C3C, 0x3E3E3E3E, 0x3F3F3F3F, 0x3D3D3D3D})
WIDTH_OF_IDS = 0x3D3D3D3D
NAMED, GOOD = 99991, 99990
# As one of ParaView's processes says where it waits.
PLACE = 98210
# In a vtkMultiProcessStream: the kind of what follows.
INT32, STREAM, STRING, DOUBLE, ID = 0, 9, 6, 4, 7


def message(tag: int, body: bytes) -> bytes:
    return _HEAD.pack(tag, len(body)) + body


class NoLive(ValueError):
    """That is not Catalyst Live."""


class Messages:
    """One direction, cut into messages. A body that only passes is never gathered."""

    def __init__(self, gather: int = 1 << 16) -> None:
        """`gather`: bodies up to this size come whole; of longer ones only their parts."""
        self._gather = gather
        self._buffer = bytearray()
        # Of a long body, what is still to come.
        self._left = 0
        self._tag = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes | None, bytes, bool]]:
        """(tag, the body if it is short, the bytes as they came, whether the message ends there)."""
        found: list[tuple[int, bytes | None, bytes, bool]] = []
        if self._left and not self._buffer:
            part = data[: self._left]
            self._left -= len(part)
            found.append((self._tag, None, part, not self._left))
            data = data[len(part) :]
        self._buffer += data
        while len(self._buffer) >= _HEAD.size:
            tag, length = _HEAD.unpack_from(self._buffer)
            if length < 0:
                raise NoLive(f"a message of {length} bytes")
            end = _HEAD.size + length
            if length <= self._gather:
                if len(self._buffer) < end:
                    break
                raw = bytes(self._buffer[:end])
                found.append((tag, raw[_HEAD.size :], raw, True))
            else:
                raw = bytes(self._buffer[:end])
                self._tag, self._left = tag, end - len(raw)
                found.append((tag, None, raw, not self._left))
            del self._buffer[: len(raw)]
        return found


def remote_call(body: bytes) -> int:
    """Which one a message of tag 1 makes."""
    return _INT.unpack_from(body)[0] if len(body) >= _INT.size else 0


def places(body: bytes) -> list[tuple[str, int] | None]:
    """Where each of ParaView's processes waits, by its number; none for the first one. Raises NoLive."""
    found: list[tuple[str, int] | None] = []
    at = 1
    try:
        while at < len(body):
            if body[at] != STREAM:
                raise NoLive("no list of places")
            (length,) = _INT.unpack_from(body, at + 1)
            if length < 1:
                raise NoLive("no list of places")
            inner = body[at + 5 : at + 5 + length]
            at += 5 + length
            found.append(_place(inner) if length > 1 else None)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise NoLive(f"no list of places: {error}") from None
    return found


def _place(inner: bytes) -> tuple[str, int]:
    """One stream of them: a number that says what it is, a text, a number."""
    if inner[1] != INT32 or _INT.unpack_from(inner, 2)[0] != PLACE or inner[6] != STRING:
        raise NoLive("no place")
    (length,) = _INT.unpack_from(inner, 7)
    end = 11 + length
    if inner[end] != INT32:
        raise NoLive("no place")
    return inner[11:end].decode("ascii"), _INT.unpack_from(inner, end + 1)[0]


def listed(where: Sequence[tuple[str, int] | None]) -> bytes:
    """Such a list."""
    parts = [b"\x01"]
    for place in where:
        inner = b"\x01"
        if place is not None:
            host = place[0].encode("ascii")
            inner += bytes([INT32]) + _INT.pack(PLACE) + bytes([STRING]) + _INT.pack(len(host)) + host
            inner += bytes([INT32]) + _INT.pack(place[1])
        parts += [bytes([STREAM]), _INT.pack(len(inner)), inner]
    return b"".join(parts)


def number(body: bytes) -> int:
    """Of a message that is one number. Raises NoLive."""
    if len(body) != _INT.size:
        raise NoLive("no number")
    return int(_INT.unpack(body)[0])


def numbered(tag: int, value: int) -> bytes:
    return message(tag, _INT.pack(value))


def twice(tag: int, body: bytes) -> bytes:
    """As ParaView sends a stream or a text: its length first."""
    return numbered(tag, len(body)) + message(tag, body)


# "Go on; deliver what you delivered": two numbers, whether it is paused, and whether what is wanted is another list.
GO_ON = twice(ORDERS, b"\x01" + bytes([INT32]) + _INT.pack(0) + bytes([INT32]) + _INT.pack(0))


def changes_orders(body: bytes) -> bool:
    """Whether orders have another list of what is wanted in them."""
    return len(body) >= 11 and _INT.unpack_from(body, 7)[0] != 0


def update(step: int, time: float) -> bytes:
    """A simulation's "update", as far as anybody looks at it."""
    stream = b"\x01" + bytes([DOUBLE]) + _DOUBLE.pack(time) + bytes([ID]) + _ID.pack(step)
    return message(RMI, struct.pack("<iiii", UPDATE, len(stream), 0, 0) + stream)
