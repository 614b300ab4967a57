"""What is said to an outpost, from either side: how one enters, and how news are told. No socket that waits."""

from __future__ import annotations

import json
import struct
from typing import Literal

from msgspec import Struct

What = Literal["desk", "news", "engine", "control", "viewer"]
# How a visitor is answered: come in; or the reason why not.
WELCOME, REFUSED = b"+", b"-"
# A visitor's first line; one of ours has 150 bytes.
MOST_LINE = 1000
# Of the desk's messages: JSON, and bytes. Files pass in parts.
HEAD = struct.Struct("<II")
MOST_TEXT, PART = 1 << 16, 4 << 20
# Of news: what kind, of the how manieth process, how long.
NEWS = struct.Struct("<BII")
STDOUT, STDERR, LOG, SAVED_A, SAVED_B, ENGINE_ENDED, STREAMER_ENDED = range(7)


class Visit(Struct, forbid_unknown_fields=True):
    """A visitor's first line."""

    session: str
    what: What
    # Of the pvlink that asks.
    version: str

    def line(self) -> bytes:
        return json.dumps({"session": self.session, "what": self.what, "version": self.version}).encode() + b"\n"


class Parts:
    """Whole pieces of what comes in parts."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def line(self) -> bytes | None:
        """Raises ValueError: it is too long."""
        end = self._buffer.find(b"\n")
        if end < 0 and len(self._buffer) > MOST_LINE:
            raise ValueError(f"a line of more than {MOST_LINE} bytes")
        return None if end < 0 else self._cut(end + 1)

    def message(self) -> tuple[bytes, bytes] | None:
        """A text and its blob. Raises ValueError: it is too long."""
        if len(self._buffer) < HEAD.size:
            return None
        text, blob = HEAD.unpack_from(self._buffer)
        if text > MOST_TEXT or blob > PART:
            raise ValueError(f"a message of {text} and {blob} bytes")
        if len(self._buffer) < HEAD.size + text + blob:
            return None
        whole = self._cut(HEAD.size + text + blob)
        return whole[HEAD.size : HEAD.size + text], whole[HEAD.size + text :]

    def news(self) -> tuple[int, int, bytes] | None:
        if len(self._buffer) < NEWS.size:
            return None
        kind, number, size = NEWS.unpack_from(self._buffer)
        if len(self._buffer) < NEWS.size + size:
            return None
        return kind, number, self._cut(NEWS.size + size)[NEWS.size :]

    def _cut(self, size: int) -> bytes:
        part = bytes(self._buffer[:size])
        del self._buffer[:size]
        return part
