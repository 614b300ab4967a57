"""How large a moving frame is drawn, so that enough of them come: decided here, without a clock or a window.

Without a graphics card a frame's time is mostly its pixels: half as wide and high is often twice as fast, and while a
hand moves nobody misses them. Where the time goes into triangles a smaller picture gains nothing: then it stays whole.
"""

from __future__ import annotations

from collections import deque
from statistics import median

# Frames a second to hold while a hand moves.
RATE = 30.0
# Parts of each side.
SCALES = (1.0, 0.75, 0.5)
# A frame may take so much longer than the rate allows before less is drawn, and must be so much shorter before more is.
LATE, EARLY = 1.15, 0.9
# What a step down must gain: at least this part of the time.
GAIN = 0.12
# Frames that a time is the median of; the first at a new size may pay for more than itself.
SAMPLES = 3
# Frames after which a smaller size is tried again that gained nothing: a busy machine may have been why.
AGAIN = 60


class Detail:
    """Learns from each moving frame what the next one may be."""

    def __init__(self) -> None:
        self.scale = SCALES[0]
        # What was asked for; none: as it comes out here.
        self.fixed: float | None = None
        self.rate = RATE
        self._times: dict[float, deque[float]] = {}
        # Smaller than this gains nothing, and for how many frames that is believed.
        self._floor = SCALES[-1]
        self._believed = 0

    def pin(self, rate: float | None, scale: float | None) -> None:
        """What somebody has chosen; none: decided here."""
        if (rate or RATE, scale) != (self.rate, self.fixed):
            self.rate, self.fixed = rate or RATE, scale
            self.scale = scale or SCALES[0]
            self.altered()

    def altered(self) -> None:
        """Another scene, perhaps: what was learnt may not hold any more. The size of the frames stays at first."""
        self._times.clear()
        self._floor = SCALES[-1]

    def drawn(self, seconds: float) -> None:
        """A moving frame of the present scale took so long."""
        if self.fixed is not None:
            return
        self._believed -= 1
        if self._believed == 0:
            self._floor = SCALES[-1]
        times = self._times.setdefault(self.scale, deque(maxlen=SAMPLES))
        times.append(seconds)
        if len(times) < SAMPLES:
            return
        taken, budget = median(times), 1.0 / self.rate
        at = SCALES.index(self.scale)
        larger = SCALES[at - 1] if at else None
        smaller = next((scale for scale in SCALES[at + 1 :] if scale >= self._floor), None)
        if larger is not None and self._gains_nothing(min(times), larger):
            self._floor, self._believed = larger, AGAIN
            self._go(larger)
        elif smaller is not None and taken > LATE * budget:
            self._go(smaller)
        elif larger is not None and self._expected(larger, taken) < EARLY * budget:
            self._go(larger)

    def _gains_nothing(self, quickest: float, larger: float) -> bool:
        """Only while what the larger one took is fresh in mind: a scene may have become heavier meanwhile.

        By the quickest of each: whatever else the machine does only ever makes a frame slower.
        """
        before = self._times.get(larger)
        return before is not None and len(before) == SAMPLES and quickest > (1.0 - GAIN) * min(before)

    def _expected(self, larger: float, taken: float) -> float:
        """At worst all of the time goes into pixels."""
        return taken * (larger / self.scale) ** 2

    def _go(self, scale: float) -> None:
        # Times of the scale that is left are kept for the comparison, those of the others are of long ago.
        self._times = {self.scale: self._times[self.scale]} if self.scale in self._times else {}
        self.scale = scale
