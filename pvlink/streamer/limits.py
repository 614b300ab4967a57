"""How much one viewer may say. Pure: time is passed in."""

from __future__ import annotations

# A hand moves at most 125 to 1000 times a second, and the viewer merges moves to one message a repaint.
MESSAGES_PER_SECOND = 300.0
EVENTS_PER_SECOND = 2000.0
# A burst of so many seconds' worth passes at once.
BURST_SECONDS = 2.0
# Viewers of a session, all views together. More are told so.
MAX_VIEWERS = 256
# Views that viewers ask for and ParaView does not have (yet).
MAX_UNKNOWN_VIEWS = 64


class Allowance:
    """So much a second, and a burst. Who takes more waits: its own socket is not read meanwhile, nothing is dropped."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._left = rate * BURST_SECONDS
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Seconds to wait before the next is read."""
        self._left = min(self._rate * BURST_SECONDS, self._left + (now - self._at) * self._rate) - amount
        self._at = now
        return max(0.0, -self._left / self._rate)
