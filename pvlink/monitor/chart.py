"""Quantities of a simulation over its steps, as a drawing in a cell that goes on by itself."""

from __future__ import annotations

import html
import itertools
import math
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from pvlink.errors import PvlinkError
from pvlink.insitu.conditions import quantity

if TYPE_CHECKING:
    from pvlink.monitor.simulation import Simulation

TICK = 0.5
WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 28, 28
# Points of a line: more than there are pixels nobody sees.
BINS = 300
# What no double is beyond, and what so near to nothing is taken for it: a part of it would be nothing.
MOST, LEAST = sys.float_info.max, 1e-305
# Of the names above: a letter's width, more or less, and what is beside each.
LETTER, BESIDE = 6.5, 24
# Told apart by who sees few colours as well (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


class Chart:
    """Shows itself in a cell, and goes on until it is closed."""

    def __init__(self, simulation: Simulation, quantities: Sequence[str]) -> None:
        self._simulation = simulation
        self._names = [str(quantity(text)) for text in quantities]
        self._widget = ipywidgets.HTML()
        self._over = threading.Event()
        self.look()
        threading.Thread(target=self._follow, daemon=True, name="pvlink chart").start()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._over.is_set():
            return {"text/html": self.picture}
        return self._widget._repr_mimebundle_(**kwargs)

    @property
    def picture(self) -> str:
        """As SVG."""
        return str(self._widget.value)

    def look(self) -> None:
        lines = {}
        for name in self._names:
            steps, _, values = self._simulation.history(name)
            lines[name] = list(zip(map(float, steps), values, strict=True))
        drawn = draw(lines)
        if drawn != self._widget.value:
            self._widget.value = drawn

    def close(self) -> None:
        """Take it from all pages."""
        self._over.set()
        self._widget.close()

    def _follow(self) -> None:
        while not self._over.wait(TICK):
            try:
                self.look()
            except (PvlinkError, OSError, ValueError):
                # A session that is being restarted has it again.
                continue
            except Exception as error:  # noqa: BLE001 - the next look may go well, and nobody else hears of this one
                self._widget.value = _said(f"{type(error).__name__}: {error}")


def draw(lines: dict[str, list[tuple[float, float]]]) -> str:
    """SVG in the page's own colours, light or dark."""
    points = [p for line in lines.values() for p in line if math.isfinite(p[1])]
    if not points:
        return _said("No step has been measured yet.")
    x0, x1 = _span([p[0] for p in points])
    y0, y1 = _span([p[1] for p in points])
    # No line lies on the frame.
    y0, y1 = _wider(y0, y1, 0.1 * (y1 / 2 - y0 / 2))
    parts = [_axis(value, "x", x0, x1) for value in ticks(x0, x1)]
    parts += [_axis(value, "y", y0, y1) for value in ticks(y0, y1)]
    for number, line in enumerate(lines.values()):
        drawn = " ".join(f"{_x(a, x0, x1):.1f},{_y(b, y0, y1):.1f}" for a, b in thinned(line))
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{_colour(number)}" stroke-width="1.6"/>')
    return _svg("".join([*parts, *_legend(list(lines))]))


def thinned(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of each stretch its lowest and highest point, so that no peak is lost."""
    good = [p for p in line if math.isfinite(p[1])]
    if len(good) <= 2 * BINS:
        return good
    kept: list[tuple[float, float]] = []
    for number in range(BINS):
        # In whole numbers: with others the last stretch may end before the last point.
        stretch = good[number * len(good) // BINS : (number + 1) * len(good) // BINS]
        ends = {min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])}
        kept += sorted(ends)
    return kept


def ticks(low: float, high: float) -> list[float]:
    """Round numbers in between, two to six of them."""
    # Halved first: both ends may be so far apart that there is no number for it.
    rough = (high / 2 - low / 2) / 2.5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def _span(values: list[float]) -> tuple[float, float]:
    """An axis for these, which has a length that can be divided."""
    low, high = min(values), max(values)
    if high - low > LEAST:
        return low, high
    largest = max(abs(low), abs(high))
    return _wider(low, high, 0.5 * (largest if largest > LEAST else 1.0))


def _wider(low: float, high: float, by: float) -> tuple[float, float]:
    return max(low - by, -MOST), min(high + by, MOST)


def _part(value: float, low: float, high: float) -> float:
    """Where it is between both, from 0 to 1."""
    return (value / 2 - low / 2) / (high / 2 - low / 2)


def _x(value: float, low: float, high: float) -> float:
    return LEFT + _part(value, low, high) * (WIDTH - LEFT - RIGHT)


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - _part(value, low, high) * (HEIGHT - TOP - BOTTOM)


def _svg(drawn: str) -> str:
    style = f"width: 100%; max-width: {WIDTH}px; font: 11px sans-serif; color: inherit"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" style="{style}" fill="currentColor">{drawn}</svg>'


def _said(words: str) -> str:
    """A sentence where the lines would be."""
    return _svg(f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">{html.escape(words)}</text>')


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _legend(names: Sequence[str]) -> list[str]:
    """The names beside each other: each with the room it needs, or with the same where there is not enough."""
    room = WIDTH - LEFT - RIGHT - 16
    widths = [BESIDE + LETTER * len(name) for name in names]
    if sum(widths) > room:
        widths = [room / len(names)] * len(names)
    parts = []
    for number, (name, width, end) in enumerate(zip(names, widths, itertools.accumulate(widths), strict=True)):
        at = LEFT + 8 + end - width
        parts.append(f'<circle cx="{at:.1f}" cy="{TOP - 14}" r="4" fill="{_colour(number)}"/>')
        parts.append(f'<text x="{at + 8:.1f}" y="{TOP - 10}">{_fitted(name, width)}</text>')
    return parts


def _fitted(name: str, width: float) -> str:
    """As much of it as there is room for; a pointer over it shows the rest."""
    letters = max(1, int((width - BESIDE) / LETTER))
    if len(name) <= letters:
        return html.escape(name)
    return f"{html.escape(name[: letters - 1])}…<title>{html.escape(name)}</title>"


def _axis(value: float, which: str, low: float, high: float) -> str:
    faint = 'stroke="currentColor" stroke-opacity="0.15"'
    if which == "x":
        at = _x(value, low, high)
        line = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" {faint}/>'
        return f'{line}<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>'
    at = _y(value, low, high)
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" {faint}/>'
    return f'{line}<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:.4g}</text>'
