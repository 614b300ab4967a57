"""What ParaView has said that the simulation has not heard yet: the newest of each. Pure.

ParaView answers "update" with its proxies, if one was changed, and with what is to be delivered, if that was changed.
Each is whole: so of several answers the newest of either counts, and the simulation hears one.
"""

from __future__ import annotations

from pvlink.insitu import frames


class Answers:
    """Of one link."""

    def __init__(self) -> None:
        self._part = bytearray()
        self._state = b""
        self._orders = b""
        # Of the answer that is coming: how long its list of orders is, and whether that was said.
        self._lengths = 0

    def feed(self, tag: int, body: bytes | None, raw: bytes, ends: bool) -> bool:
        """Whether an answer of ParaView's is complete now."""
        if tag == frames.CHANGED and body is not None:
            self._part = bytearray(raw)
            self._lengths = 0
        elif tag == frames.CHANGES:
            self._part += raw
            if ends:
                self._state = bytes(self._part)
        elif tag == frames.ORDERS and body is not None:
            self._lengths += 1
            if self._lengths == 2:
                if frames.changes_orders(body):
                    self._orders = frames.twice(frames.ORDERS, body)
                return True
        return False

    def take(self) -> bytes:
        """One answer with all that is new."""
        state, orders = self._state or frames.numbered(frames.CHANGED, 0), self._orders or frames.GO_ON
        self._state = self._orders = b""
        return state + orders
