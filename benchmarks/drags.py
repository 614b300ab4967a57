"""A hand that drags, in pvlink and in the programs that people would take instead: see peers/."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Callable, Iterator, Sequence

from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import Figure, higher, lower, ratio
from benchmarks.peers import Peer, Size
from benchmarks.peers.contours import CONTOURS
from benchmarks.peers.family import PEERS
from benchmarks.peers.hand import Measured, measure, minute
from benchmarks.peers.ours import OURS, WHOLE
from benchmarks.scenes import BARE_LOOP
from tests.browser.conftest import BROWSERS, FLAGS
from tests.integration.interpreter import Display, plain

SMALL, LARGE = (1280, 720), (1920, 1080)
# Who renders for every move that a mouse sends is given fewer of them as well, and what is better counts.
FEWER = 10.0
# What pvlink holds while a hand moves.
TARGET = 30.0

Of = Callable[[Measured], Sequence[float]]


class Session:
    """Who has been measured on which scene, by turns."""

    def __init__(self, browser: Browser, seconds: float) -> None:
        self._browser = browser
        self._seconds = seconds
        self._found: dict[tuple[str, str, Size], Measured] = {}
        self._bare: dict[tuple[str, Size], list[float]] = {}
        # What a minute of work took of the line.
        self.minutes: dict[str, float] = {}

    def watch(self, peer: Peer, scene: str, size: Size, *, pace: float = 60.0, nudges: int = 4) -> None:
        once = measure(
            peer, self._browser, CONTOURS[scene], size, seconds=self._seconds, runs=1, nudges=nudges, pace=pace
        )
        print(
            f"{peer.name}, {scene}, {size[1]}p: {', '.join(f'{rate:.1f}' for rate in once.rates)} a second", flush=True
        )
        known = self._found.setdefault((peer.name, scene, size), Measured())
        known.add(once)

    def work(self, peer: Peer, scene: str, size: Size, pace: float = 60.0) -> None:
        self.minutes[peer.name] = float(f"{minute(peer, self._browser, CONTOURS[scene], size, pace):.4g}")

    def loop(self, scene: str, size: Size) -> None:
        """The floor: ParaView's fast path without anything around it."""
        with Display() as display, plain(display) as bare:
            bare.run(CONTOURS[scene].paraview + BARE_LOOP.format(width=size[0], height=size[1]))
            self._bare.setdefault((scene, size), []).append(bare.run(f"answer = turn({self._seconds})"))

    def floor(self, scene: str, size: Size) -> list[float]:
        return self._bare[scene, size]

    def renders(self, scene: str, size: Size) -> list[float]:
        """Milliseconds."""
        return [1e3 / rate for rate in self.floor(scene, size)]

    def of(self, peer: Peer, scene: str, size: Size, what: Of) -> list[float]:
        return list(what(self._found[peer.name, scene, size]))

    def costs(self, peer: Peer, scene: str, size: Size) -> dict[str, float]:
        """Milliseconds of each kind of process for a picture."""
        found = self._found[peer.name, scene, size].costs
        return {kind: statistics.median(cost.get(kind, 0.0) for cost in found) for kind in found[0]}

    def peers(self, scene: str, size: Size, what: Of) -> dict[str, float]:
        ours = (OURS.name, WHOLE.name)
        return {
            name: float(f"{statistics.median(what(found)):.4g}")
            for (name, of, at), found in self._found.items()
            if (of, at) == (scene, size) and name not in ours and what(found)
        }


def figures(runs: int, seconds: float, *, quick: bool) -> Iterator[Figure]:
    # Each turn opens every program anew: what one leaves running must not slow the next.
    turns = 1 if quick else max(1, runs // 2)
    with sync_playwright() as playwright:
        found = os.environ.get("PVLINK_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(FLAGS))
        session = Session(browser, max(seconds, 3.0))
        for _ in range(turns):
            _turn(session, quick=quick)
        if not quick:
            _minutes(session)
        browser.close()
    yield from _small(session)
    if not quick:
        yield from _large(session)


def _turn(session: Session, *, quick: bool) -> None:
    sizes = [SMALL] if quick else [SMALL, LARGE]
    for size in sizes:
        session.loop("89k", size)
        session.watch(WHOLE, "89k", size)
        session.watch(OURS, "89k", size)
        for name, peer in PEERS.items():
            if peer is OURS or (quick and peer.kind == "vtk"):
                continue
            # It falls minutes behind a mouse: seen once is enough.
            if name != "trame" or (size == SMALL and not quick):
                session.watch(peer, "89k", size, nudges=2)
            if name == "trame":
                session.watch(Peer("trame, 10 moves/s", peer.kind, peer.open), "89k", size, pace=FEWER, nudges=0)
    if not quick:
        session.loop("1500k", LARGE)
        session.watch(OURS, "1500k", LARGE, nudges=1)


def _minutes(session: Session) -> None:
    session.work(OURS, "89k", SMALL)
    for peer in PEERS.values():
        if peer is not OURS and peer.kind == "paraview":
            # Who has fallen behind its mouse shows less, and needs less.
            session.work(peer, "89k", SMALL, FEWER if peer.name == "trame" else 60.0)


def _small(session: Session) -> Iterator[Figure]:
    at = ("89k", SMALL)
    whole, floor = session.of(WHOLE, *at, rates), session.floor(*at)
    yield higher("drag_89k_720p_fps", "1/s", whole, floor, session.peers(*at, rates))
    yield ratio("drag_89k_720p_fps to the bare loop", whole, floor, "higher")
    for kind, each in sorted(session.costs(WHOLE, *at).items(), key=lambda cost: -cost[1]):
        yield lower(f"drag_89k_720p, processor time a frame: {kind}", "ms", [each])
    photons = session.of(WHOLE, *at, lambda one: one.photons)
    yield lower(
        "drag_89k_720p_photon_ms", "ms", photons, session.renders(*at), session.peers(*at, lambda one: one.photons)
    )
    free = session.of(OURS, *at, rates)
    yield higher("drag_auto_89k_720p_fps", "1/s", free, [TARGET], session.peers(*at, rates))
    tails = session.of(WHOLE, *at, lambda one: one.tails)
    yield lower("tail_after_stop_ms", "ms", tails, session.renders(*at), session.peers(*at, lambda one: one.tails))
    singles = session.of(OURS, *at, shown)
    yield higher("single moves shown, of all", "1", singles, [1.0], session.peers(*at, shown))
    yield lower("drag_89k_720p_kb_per_s", "KB/s", session.of(OURS, *at, kilobytes), (), session.peers(*at, kilobytes))
    yield lower("first_frame_s", "s", session.of(OURS, *at, firsts), (), session.peers(*at, firsts))


def _large(session: Session) -> Iterator[Figure]:
    at = ("89k", LARGE)
    whole, floor = session.of(WHOLE, *at, rates), session.floor(*at)
    yield higher("drag_89k_1080p_fps", "1/s", whole, floor, session.peers(*at, rates))
    yield ratio("drag_89k_1080p_fps to the bare loop", whole, floor, "higher")
    free = session.of(OURS, *at, rates)
    yield higher("drag_auto_89k_1080p_fps", "1/s", free, [TARGET], session.peers(*at, rates))
    others = {name: taken for name, taken in session.minutes.items() if name != OURS.name}
    yield lower("minute_of_work_720p_mb", "MB", [session.minutes[OURS.name]], (), others)
    heavy = ("1500k", LARGE)
    yield higher("drag_1500k_1080p_fps", "1/s", session.of(OURS, *heavy, rates), session.floor(*heavy))
    yield lower("still_after_release_s", "s", session.of(OURS, *heavy, lambda one: one.stills))


def rates(found: Measured) -> list[float]:
    return found.rates


def shown(found: Measured) -> list[float]:
    return [float(one) for one in found.single_moves]


def kilobytes(found: Measured) -> list[float]:
    return [each / 1e3 for each in found.bytes_per_s]


def firsts(found: Measured) -> list[float]:
    return found.firsts
