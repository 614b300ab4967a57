"""Where a conversation stands: who spoke last, and whether a message is half through. Bytes in, no socket.

It matters at the end only. A ParaView client that waits for a rendered image and meets the end of file dies of an
assertion (most of 14 did); with "no image" as an answer it lives on (14 of 14), as it does wherever else it waits.
"""

from __future__ import annotations

import struct

# How far a server is: it has not answered yet.
PROGRESS = 0x2E22A
_HEAD = struct.Struct("<ii")
# The last word of a client that renders: what comes next is the image's header ...
ASKS_FOR_IMAGE = 10
# ... of four numbers, all of them zero when there is none.
NO_IMAGE = struct.pack("<ii4i", 0x23430, 16, 0, 0, 0, 0)


class Framing:
    """One direction. A body is skipped by its length, whatever it has in it."""

    __slots__ = ("_head", "_left", "lost", "messages", "tag")

    def __init__(self) -> None:
        self._head = b""
        # Bytes of the current body still to come.
        self._left = 0
        # Of the last message that is complete.
        self.tag: int | None = None
        self.messages = 0
        # A length below zero: from here on nothing is known of where messages begin.
        self.lost = False

    @property
    def whole(self) -> bool:
        """Whether it stands between two messages."""
        return not (self._left or self._head or self.lost)

    def feed(self, data: bytes | bytearray | memoryview, size: int) -> None:
        """The first `size` bytes of `data` came."""
        at = self._left
        if at:
            if at > size:
                self._left = at - size
                return
            self._left = 0
            self.messages += 1
        while at < size:
            if self._head or size - at < _HEAD.size:
                begin = at
                at = min(size, begin + _HEAD.size - len(self._head))
                self._head += bytes(data[begin:at])
                if len(self._head) < _HEAD.size:
                    return
                tag, length = _HEAD.unpack(self._head)
                self._head = b""
            else:
                tag, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
            if length < 0 or self.lost:
                self.lost = True
                return
            self.tag = tag
            at += length
            if at > size:
                self._left = at - size
                return
            self.messages += 1


class Conversation:
    """Both directions of one line, from the handshake on."""

    __slots__ = ("client", "client_spoke_last", "server")

    def __init__(self) -> None:
        self.client = Framing()
        self.server = Framing()
        self.client_spoke_last = False

    def said(self, data: bytes | bytearray | memoryview, size: int) -> None:
        self.client.feed(data, size)
        self.client_spoke_last = True

    def heard(self, data: bytes | bytearray | memoryview, size: int) -> None:
        self.server.feed(data, size)
        self.client_spoke_last = False

    @property
    def awaited(self) -> bool:
        """Whether the client may be waiting for the server: its word was the last, but for how far the server is."""
        return self.client_spoke_last or self.server.tag == PROGRESS

    @property
    def waits_for_image(self) -> bool:
        """Whether the client stands where an end of file would end it."""
        asked = self.client_spoke_last and self.client.whole and self.client.tag == ASKS_FOR_IMAGE
        return asked and self.server.whole
