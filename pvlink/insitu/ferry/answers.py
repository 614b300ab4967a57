"""What ParaView has said that the simulation has not heard yet: the newest of each. Pure.

ParaView answers "update" with its proxies, if one was changed, and with what is to be delivered, if that was changed.
Each is whole: so of several answers the newest of either counts, and the simulation hears one.
"""

from __future__ import annotations

from pvlink.insitu import frames

# Where the list itself begins: behind a message of one number, its length, and the head of its own.
_BODY = len(frames.numbered(frames.ORDERS, 0) + frames.message(frames.ORDERS, b""))


class Answers:
    """Of one link."""

    def __init__(self) -> None:
        self._part = bytearray()
        self._state = b""
        self._orders = b""
        # Of the answer that is coming: the list of what is wanted, and how many of its two messages are over.
        self._list = bytearray()
        self._ended = 0

    def feed(self, tag: int, body: bytes | None, raw: bytes, ends: bool) -> bool:
        """Whether an answer of ParaView's is complete now."""
        if tag == frames.CHANGED and body is not None:
            self._part = bytearray(raw)
            self._list.clear()
            self._ended = 0
        elif tag == frames.CHANGES:
            self._part += raw
            if ends:
                self._state = bytes(self._part)
        elif tag == frames.ORDERS:
            self._list += raw
            self._ended += ends
            if ends and self._ended == 2:
                if frames.changes_orders(bytes(self._list[_BODY:])):
                    self._orders = bytes(self._list)
                return True
        return False

    def take(self) -> bytes:
        """One answer with all that is new."""
        state, orders = self._state or frames.numbered(frames.CHANGED, 0), self._orders or frames.GO_ON
        self._state = self._orders = b""
        return state + orders
