"""What the line to one viewer can do, learnt from when frames were sent and when they had arrived.

A frame that finds an empty line arrives a round trip plus its own length later: its bytes divided by the line's rate.
One that was sent while its forerunner was still on the way arrives its own length after that one. Either way

    length = arrival - max(arrival of the one before, sending + empty round trip)

and bytes by length is the rate, also while nobody sends as much as the line could take. The empty round trip is known
from the handshake, whose messages are tiny; a frame that was faster than that corrects it.

A line lets no frame through faster than it is, but a page that is busy, or a machine that has too much to do, lets many
arrive late. So what counts is what the faster ones of the newest frames show.

No clock: times are seconds of any one clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

# The rate is that of the newest frames: so many seconds of them, and so many at least.
MEMORY = 0.75
AT_LEAST = 3
# Of the newest frames' rates, how many are lower than the one that is believed.
BELIEVED = 0.7
# What a frame costs a page beside its bytes (seconds), and the least that is left of a length: timers and schedulers
# are not finer, and a length that short says only that the line is fast.
HANDLING, GRAIN = 0.003, 0.001
# Messages and their headers of a frame without a picture.
OVERHEAD = 600


@dataclass(slots=True)
class Line:
    """Estimates; see above."""

    # Seconds from sending an empty message to hearing that it is there.
    round_trip: float = 0.0
    # What the newest frame waited for behind others, in seconds.
    queue: float = 0.0
    _sent: dict[int, tuple[float, int]] = field(default_factory=dict)
    # Arrival, bytes, length of the newest frames.
    _lengths: deque[tuple[float, int, float]] = field(default_factory=lambda: deque(maxlen=64))
    _arrived: float = float("-inf")

    @property
    def rate(self) -> float | None:
        """Bytes a second; none as long as nothing is known."""
        if not self._lengths:
            return None
        newest = self._lengths[-1][0]
        recent = [found for found in self._lengths if newest - found[0] <= MEMORY]
        if len(recent) < AT_LEAST:
            recent = list(self._lengths)[-AT_LEAST:]
        rates = sorted(size / length for _, size, length in recent)
        return rates[int(len(rates) * BELIEVED)]

    def sent(self, order: int, size: int, now: float) -> None:
        # The still of a frame has the same number, and follows it.
        self._sent[order] = now, size + OVERHEAD

    def arrived(self, order: int, at: float) -> None:
        """`at`: when we could have heard of its arrival, had the viewer answered before decoding it."""
        found = self._sent.pop(order, None)
        if found is None:
            return
        for older in [other for other in self._sent if other < order]:
            del self._sent[older]
        sent, size = found
        taken = max(0.0, at - sent)
        if self.round_trip == 0.0 or taken < self.round_trip:
            self.round_trip = taken if self.round_trip else 0.5 * taken
        begins = max(self._arrived, sent + self.round_trip)
        self._lengths.append((at, size, max(GRAIN, at - begins - HANDLING)))
        self._arrived = max(self._arrived, at)
        self.queue = max(0.0, begins - sent - self.round_trip)

    def forget(self) -> None:
        """What was on its way will not be confirmed."""
        self._sent.clear()
