"""One hand for all: it drags, stops, and nudges, and what it got to see is measured the same way whoever shows it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, fields
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks import processes
from benchmarks.peers import Peer, Shown, Size, eyes
from benchmarks.peers.contours import Contour

# What a mouse sends.
MOVES_PER_SECOND = 60.0
# Longer than any peer waits before it sends a better picture of what is there already, or needs for one picture.
QUIET_S = 1.0
# After a single move: more than anyone's slowest picture of these scenes.
PATIENCE_S = 3.0
# Some queue every move of a drag and render for each: on a busy machine that takes its time.
DRAINED_S = 120.0
# In pixels of the page.
NUDGE = 24.0
# How many moves follow where one was not shown.
INSISTING = 6


@dataclass
class Measured:
    """What was seen; one entry a run unless said otherwise."""

    # Pictures that showed something new, per second of drag.
    rates: list[float] = field(default_factory=list)
    # From the hand's last act to the last picture that showed something new, in milliseconds.
    tails: list[float] = field(default_factory=list)
    # From the hand's last act to the picture without loss, in seconds, where a view tells which one that is.
    stills: list[float] = field(default_factory=list)
    # From a move out of stillness to the first new picture, in milliseconds; several a run.
    photons: list[float] = field(default_factory=list)
    # Whether a single move with the button held was shown at all; several a run.
    single_moves: list[bool] = field(default_factory=list)
    # What the page's sockets brought per second of drag.
    bytes_per_s: list[float] = field(default_factory=list)
    # Processor time of each kind of process for each of those pictures, in milliseconds.
    costs: list[dict[str, float]] = field(default_factory=list)
    # From asking for the view to its first picture, in seconds; one for each time it was opened.
    firsts: list[float] = field(default_factory=list)

    def add(self, other: Measured) -> None:
        for each in fields(self):
            getattr(self, each.name).extend(getattr(other, each.name))


def measure(
    peer: Peer,
    browser: Browser,
    scene: Contour,
    size: Size,
    *,
    seconds: float,
    runs: int,
    nudges: int = 5,
    pace: float = MOVES_PER_SECOND,
    picture: Path | None = None,
) -> Measured:
    """Open, warm up, and run so many times; `picture`: where to keep the page as it was at the end."""
    with peer.open(browser, scene, size) as shown:
        measured = Measured(firsts=[shown.first_s])
        drag(shown, 0.5, pace)
        for _ in range(runs):
            measured.add(run(shown, seconds, nudges, pace))
        if picture is not None:
            shown.page.screenshot(path=picture)
    return measured


def run(shown: Shown, seconds: float, nudges: int = 5, pace: float = MOVES_PER_SECOND) -> Measured:
    """One drag, and some single moves after it."""
    measured = drag(shown, seconds, pace)
    measured.add(nudge(shown, nudges))
    return measured


def drag(shown: Shown, seconds: float, pace: float = MOVES_PER_SECOND) -> Measured:
    """Press in the middle, go round and round, telling so often a second where it is, let go, wait until all is quiet.

    Who renders for each move falls behind a real mouse, and may show nothing while it moves; `pace` tells what a slower
    one would see of it.
    """
    shown.page.bring_to_front()
    left, top, width, height = _box(shown)
    mouse = shown.page.mouse
    mouse.move(left + width / 2, top + height / 2)
    mouse.down()
    _rest(shown, QUIET_S)
    eyes.take(shown.frame)
    eyes.closely(shown.frame, False)
    before, spent = shown.received.count, processes.spent()
    began = time.perf_counter()
    for step in range(round(seconds * pace)):
        turn = math.pi * step / pace
        mouse.move(
            left + width / 2 + height * 0.3 * math.sin(turn), top + height * (0.5 + 0.3 * (1 - math.cos(turn)) / 2)
        )
        time.sleep(max(0.0, began + (step + 1) / pace - time.perf_counter()))
    # What the sockets brought is told in order, so this answer comes after all of it.
    eyes.closely(shown.frame, True)
    received, lasted = shown.received.count - before, time.perf_counter() - began
    costs = {kind: (total - spent.get(kind, 0.0)) * 1e3 for kind, total in processes.spent().items()}
    mouse.up()
    _rest(shown, QUIET_S)
    seen = eyes.take(shown.frame)
    first, last = seen.moves[0], seen.moves[-1]
    during = [picture for picture in seen.news if first <= picture.at <= last]
    after = [picture.at - last for picture in seen.news if picture.at > last]
    stills = [(picture.at - last) / 1e3 for picture in seen.pictures if picture.still and picture.at > last]
    return Measured(
        rates=[len(during) / (last - first) * 1e3],
        tails=[max(after, default=0.0)],
        bytes_per_s=[received / lasted],
        stills=stills[:1],
        costs=[{kind: total / max(1, len(during)) for kind, total in costs.items()}],
    )


def minute(peer: Peer, browser: Browser, scene: Contour, size: Size, pace: float = MOVES_PER_SECOND) -> float:
    """What a minute of work takes of the line, in megabytes: drag, rest, zoom, rest, drag."""
    with peer.open(browser, scene, size) as shown:
        _rest(shown, QUIET_S)
        before = shown.received.count
        drag(shown, 15.0, pace)
        shown.page.wait_for_timeout(10e3)
        zoom(shown, 10.0, pace)
        shown.page.wait_for_timeout(10e3)
        drag(shown, 15.0, pace)
        return (shown.received.count - before) / 1e6


def zoom(shown: Shown, seconds: float, pace: float = MOVES_PER_SECOND) -> None:
    """By the wheel, in and out again."""
    left, top, width, height = _box(shown)
    shown.page.mouse.move(left + width / 2, top + height / 2)
    began = time.perf_counter()
    steps = round(seconds * pace)
    for step in range(steps):
        shown.page.mouse.wheel(0, -20 if step < steps / 2 else 20)
        time.sleep(max(0.0, began + (step + 1) / pace - time.perf_counter()))
    _rest(shown, QUIET_S)


def nudge(shown: Shown, times: int) -> Measured:
    """Single moves with the button held, each out of stillness.

    Who does not show a single move is given more of them, as a hand would that sees nothing happen, and its delay
    counts from the first of these.
    """
    measured = Measured()
    left, top, width, height = _box(shown)
    x, y = left + width / 2, top + height / 2
    mouse = shown.page.mouse
    mouse.move(x, y)
    mouse.down()
    for _ in range(times):
        _rest(shown, QUIET_S)
        eyes.take(shown.frame)
        x += NUDGE
        mouse.move(x, y)
        seen = _answer(shown, PATIENCE_S)
        measured.single_moves.append(bool(seen.news))
        if not seen.news:
            seen = _insist(shown, x, y)
        if seen.news:
            measured.photons.append(seen.news[0].at - seen.moves[0])
    mouse.up()
    _rest(shown, QUIET_S)
    eyes.take(shown.frame)
    return measured


def _answer(shown: Shown, patience: float) -> eyes.Seen:
    """What was seen of a single move, as soon as there is news, or at the end of patience."""
    deadline = time.perf_counter() + patience
    moves: list[float] = []
    while True:
        seen = eyes.take(shown.frame)
        moves += seen.moves
        if seen.news or time.perf_counter() > deadline:
            return eyes.Seen(moves, seen.pictures)
        shown.page.wait_for_timeout(30)


def _rest(shown: Shown, seconds: float) -> None:
    """Wait until for so long no picture was painted and the page heard nothing from its server."""
    deadline = time.perf_counter() + DRAINED_S
    since, last = time.perf_counter(), (0, 0.0)
    while time.perf_counter() < since + seconds:
        now = (shown.received.count, eyes.newest(shown.frame))
        if now != last:
            since, last = time.perf_counter(), now
        if since > deadline:
            raise TimeoutError(f"{DRAINED_S:g} s after the hand had stopped, the view had not come to rest")
        shown.page.wait_for_timeout(50)


def _insist(shown: Shown, x: float, y: float) -> eyes.Seen:
    """A few more moves, for who needs several; what was seen of these."""
    for step in range(INSISTING):
        shown.page.mouse.move(x + step + 1, y)
        time.sleep(1 / MOVES_PER_SECOND)
    return _answer(shown, PATIENCE_S)


def _box(shown: Shown) -> tuple[float, float, float, float]:
    box = shown.view.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]
