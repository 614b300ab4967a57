"""The figures of a view."""

from __future__ import annotations

import math

from pvlink.streamer.stats import Stats


def test_rates_are_of_the_last_two_seconds_and_frames_count_once() -> None:
    stats = Stats()
    for frame in range(1, 41):
        for viewer in range(2):
            stats.sent(frame, 1000, now=frame / 10 + viewer / 1000)
    report = stats.report(now=4.0, clients=2)
    assert report["frames"] == 40
    assert report["frames_per_s"] == 10.5
    assert report["bytes_per_s"] == 21000.0
    assert report["clients"] == 2
    assert stats.report(now=60.0, clients=0)["frames_per_s"] == 0


def test_percentiles_and_nonsense() -> None:
    stats = Stats()
    for value in range(100):
        stats.measured("render", float(value))
    for nonsense in (math.nan, math.inf, -1.0, 1e300):
        stats.measured("render", nonsense)
    report = stats.report(now=0.0, clients=0)
    assert report["render_ms"] == {"p50": 50.0, "p95": 95.0}
    assert report["paint_ms"] is None
