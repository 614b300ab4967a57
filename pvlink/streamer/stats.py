"""What a view costs and where the time goes. No clock: times are passed in."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

# Samples per stage that the percentiles are taken of: four seconds at 60 frames/s.
SAMPLES = 256
# Rates are taken over this long.
WINDOW_SECONDS = 2.0

STAGES = ("render", "readback", "wait", "encode", "send", "decode", "paint", "input")


class Stats:
    """The figures of one view."""

    def __init__(self) -> None:
        self._stages: dict[str, deque[float]] = {stage: deque(maxlen=SAMPLES) for stage in STAGES}
        # Time and bytes of each sent picture. At most what 2 s can hold at 1000 a second: the oldest go first.
        self._sent: deque[tuple[float, int, bool]] = deque(maxlen=2000)
        self._frames = 0
        self._counted = 0

    def measured(self, stage: str, milliseconds: float) -> None:
        """A viewer may send any number: only sensible ones count."""
        if math.isfinite(milliseconds) and 0 <= milliseconds < 3.6e6:
            self._stages[stage].append(milliseconds)

    def sent(self, order: int, size: int, now: float) -> None:
        """A picture goes to one viewer; a frame counts once, however many viewers and codecs."""
        first = order > self._counted
        self._counted = max(order, self._counted)
        self._frames += first
        self._sent.append((now, size, first))

    def report(self, now: float, clients: int) -> dict[str, object]:
        recent = [(size, first) for time, size, first in self._sent if now - time <= WINDOW_SECONDS]
        return {
            "clients": clients,
            "frames": self._frames,
            "frames_per_s": sum(first for _, first in recent) / WINDOW_SECONDS,
            "bytes_per_s": sum(size for size, _ in recent) / WINDOW_SECONDS,
            **{f"{stage}_ms": _percentiles(values) for stage, values in self._stages.items()},
        }


def _percentiles(values: Iterable[float]) -> dict[str, float] | None:
    ordered = sorted(values)
    if not ordered:
        return None
    return {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in (("p50", 0.5), ("p95", 0.95))
    }
