"""When a view is drawn, and how: decided here, without a clock, a socket or ParaView.

A frame costs a third of a second for a heavy scene, and the thread that makes it can do nothing else meanwhile. So
nothing is rendered that nobody asked for; while a hand moves frames are rough ones, and only a view that has come to
rest gets the full one.
"""

from __future__ import annotations

from dataclasses import dataclass

# A hand that has not moved for so long (seconds) has stopped: long enough not to fire between two moves of a slow
# drag, short enough to feel immediate.
REST = 0.12

FAST, FULL, READ = "fast", "full", "read"


@dataclass
class Pace:
    """What is known about one view. Times are seconds of any one clock."""

    # Somebody will take a frame.
    wanted: bool = False
    # There is something to show that no frame shows.
    changed: bool = True
    # The newest frame was a fast one.
    rough: bool = False
    # The window already holds a full picture that nobody has read, rendered by the user's own call.
    rendered: bool = False
    # Something may have been changed since then.
    touched: bool = False
    moved_at: float = float("-inf")
    # When the newest fast frame was done. A heavy one takes longer than a rest: what the hand did meanwhile is only
    # heard of afterwards, and a full frame in between would double the time of each.
    done_at: float = float("-inf")

    def moved(self, now: float) -> None:
        """A hand changed the view."""
        self.changed, self.rendered, self.moved_at = True, False, now

    def altered(self) -> None:
        """Time to show what may have changed; nothing has since the user's own code has rendered it."""
        if not self.rendered or self.touched:
            self.changed, self.rendered = True, False

    def user_rendered(self) -> None:
        self.rendered, self.changed, self.touched = True, False, False

    def due(self, now: float) -> str | None:
        """What to do now: render "fast" or "full", "read" what is there, or nothing."""
        if not self.wanted:
            return None
        if self.rendered:
            return READ
        moving = now < self._rest_at()
        if self.changed:
            return FAST if moving else FULL
        return FULL if self.rough and not moving else None

    def wait(self, now: float) -> float | None:
        """Seconds until `due` may change by itself; none when only an event can change it."""
        if not self.wanted or not self.rough or self.changed or self.rendered:
            return None
        return max(0.0, self._rest_at() - now)

    def drawn(self, full: bool, now: float = float("-inf")) -> None:
        self.wanted = self.changed = self.rendered = False
        self.rough = not full
        if self.rough:
            self.done_at = now

    def _rest_at(self) -> float:
        return max(self.moved_at, self.done_at) + REST
