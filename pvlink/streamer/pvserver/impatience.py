"""When an interrupt cuts a ParaView server off. Time is passed in.

A client that waits for a server sits in recv, where no interrupt reaches it. So whoever interrupts a cell while a
server is silent means the server, but a healthy one that only computes must have its moment: the rule below.

That the client spoke last does not say that it waits: much of what it says has no answer (it was so after `Wavelet()`,
`Show()` and a changed property). Whoever interrupts something else takes the interrupt by himself, and calls off.
"""

from __future__ import annotations

from dataclasses import dataclass

# From the interrupt on; what a user who has pressed the key is willing to wait.
PATIENCE = 2.5


@dataclass(frozen=True)
class Silence:
    """What is known of a link at a moment."""

    live: bool
    # The client spoke last.
    waiting: bool
    # When the server was last heard, and the client.
    heard: float
    said: float

    @property
    def since(self) -> float:
        """Since when nothing was said. A client that waits says nothing either."""
        return max(self.heard, self.said)


class Impatience:
    """Of one user, who may interrupt more than once."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        # When the interrupt struck that is being waited for.
        self._since: float | None = None

    @property
    def due(self) -> float | None:
        """When to look again."""
        return None if self._since is None else self._since + self._patience

    def interrupt(self, now: float, silence: Silence) -> bool:
        """Whether to cut at once: it is the second one, and the server has said nothing since the first."""
        again = self._holds(silence)
        self._since = now if silence.live and silence.waiting and not again else None
        return again

    def look(self, now: float, silence: Silence) -> bool:
        """Whether to cut now."""
        if not self._holds(silence):
            self._since = None
        if self._since is None or now < self._since + self._patience:
            return False
        self._since = None
        return True

    def call_off(self) -> None:
        """The interpreter has taken the interrupt: it was not in recv."""
        self._since = None

    def _holds(self, silence: Silence) -> bool:
        return self._since is not None and silence.live and silence.waiting and silence.since <= self._since
