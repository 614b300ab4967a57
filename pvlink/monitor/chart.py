"""Quantities of a simulation over its steps, as a drawing in a cell that goes on by itself."""

from __future__ import annotations

import html
import math
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


def draw(lines: dict[str, list[tuple[float, float]]]) -> str:
    """SVG in the page's own colours, light or dark."""
    points = [p for line in lines.values() for p in line if math.isfinite(p[1])]
    style = f"width: 100%; max-width: {WIDTH}px; font: 11px sans-serif; color: inherit"
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" style="{style}" fill="currentColor">']
    if not points:
        said = "No step has been measured yet."
        return f'{parts[0]}<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">{said}</text></svg>'
    x0, x1 = _span([p[0] for p in points])
    y0, y1 = _span([p[1] for p in points])
    # No line lies on the frame.
    y0, y1 = y0 - 0.05 * (y1 - y0), y1 + 0.05 * (y1 - y0)
    parts += [_axis(value, "x", x0, x1) for value in ticks(x0, x1)]
    parts += [_axis(value, "y", y0, y1) for value in ticks(y0, y1)]
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        drawn = " ".join(f"{_x(a, x0, x1):.1f},{_y(b, y0, y1):.1f}" for a, b in thinned(line))
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        at = LEFT + 8 + number * 120
        parts.append(f'<circle cx="{at}" cy="{TOP - 14}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{at + 8}" y="{TOP - 10}">{html.escape(name)}</text>')
    return "".join(parts) + "</svg>"


def thinned(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of each stretch its lowest and highest point, so that no peak is lost."""
    good = [p for p in line if math.isfinite(p[1])]
    if len(good) <= 2 * BINS:
        return good
    size = len(good) / BINS
    kept: list[tuple[float, float]] = []
    for number in range(BINS):
        stretch = good[int(number * size) : int((number + 1) * size)]
        ends = {min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])}
        kept += sorted(ends)
    return kept


def ticks(low: float, high: float) -> list[float]:
    """Round numbers in between, four to eight of them."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def _span(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if high > low:
        return low, high
    around = abs(low) or 1.0
    return low - 0.5 * around, high + 0.5 * around


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _axis(value: float, which: str, low: float, high: float) -> str:
    faint = 'stroke="currentColor" stroke-opacity="0.15"'
    if which == "x":
        at = _x(value, low, high)
        line = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" {faint}/>'
        return f'{line}<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>'
    at = _y(value, low, high)
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" {faint}/>'
    return f'{line}<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:.4g}</text>'
