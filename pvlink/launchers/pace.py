"""When to ask a scheduler again: soon after something has changed, ever more seldom while nothing does. Pure."""

from __future__ import annotations


class Pace:
    """One for all jobs of a site; times are seconds of any one clock."""

    def __init__(self, first: float, longest: float, growth: float = 1.5) -> None:
        self._first, self._longest, self._growth = first, longest, growth
        self._interval = first
        self._due = 0.0

    def due(self, now: float) -> bool:
        return now >= self._due

    def asked(self, now: float, *, changed: bool) -> None:
        self._interval = self._first if changed else min(self._longest, self._interval * self._growth)
        self._due = now + self._interval

    def hurry(self) -> None:
        """Something is about to change: ask at once, and often."""
        self._interval, self._due = self._first, 0.0
