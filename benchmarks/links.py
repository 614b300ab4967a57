"""Frames over bad lines: the real viewer in Chromium behind a proxy that is as slow and as far as a hotel's network."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import Figure, higher, lower
from benchmarks.scenes import LIGHT
from tests.browser.conftest import BROWSERS, FLAGS, window
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import Notebook
from tests.browser.view import Paint, View
from tests.chaos.line import Line
from tests.chaos.proxy import Way

MEGABIT = 125_000.0
# What a router keeps before the line.
QUEUE = 64 << 10
MOVES_PER_SECOND = 60.0
# Until the line is known.
SETTLING_S = 2.0
START = "import pvlink\npvlink.start()\n" + LIGHT
SHOW = "widget = pvlink.show(GetActiveView(), width='{width}px', height='{height}px'); widget"
# What was painted, with when by the same clock as the engine's.
PAINTED = (
    "(host, since) => (host.pvlinkPaints ?? []).slice(since).map(p => ({ ...p, at: performance.timeOrigin + p.at }))"
)


@dataclass(frozen=True)
class Link:
    """A line, and the view that is watched over it."""

    name: str
    megabits: float
    round_trip: float
    width: int
    height: int


LINKS = (
    Link("link_50ms_20mbit_1080p", 20, 0.05, 1920, 1080),
    Link("link_200ms_2mbit_720p", 2, 0.2, 1280, 720),
)


@dataclass
class Seen:
    """One entry a run."""

    rates: list[float] = field(default_factory=list)
    carried: list[float] = field(default_factory=list)
    middle: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


def figures(runs: int, seconds: float) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(FLAGS))
        with Server.jupyter(Path(home)) as server:
            for link in LINKS:
                seen = _watched(server, browser, link, runs, max(seconds, 6.0))
                yield higher(f"{link.name}_fps", "1/s", seen.rates, seen.carried)
                yield lower(f"{link.name}_age_p50_ms", "ms", seen.middle)
                yield lower(f"{link.name}_age_p95_ms", "ms", seen.late)
        browser.close()


def _watched(server: Server, browser: Browser, link: Link, runs: int, seconds: float) -> Seen:
    seen = Seen()
    down, up = Way(queue=QUEUE), Way()
    name = f"{link.name}.ipynb"
    write_notebook(server.root / name, [START, SHOW.format(width=link.width, height=link.height)])
    port = int(server.url.rstrip("/").rpartition(":")[2])
    with Line(port, up=up, down=down) as line, window(browser) as context:
        page = context.new_page()
        page.set_viewport_size({"width": link.width + 300, "height": link.height + 300})
        # JupyterLab itself is not what is measured: the line is as it is once the page is there.
        opened = Notebook(page, server, name).open(base=f"http://127.0.0.1:{line.port}/")
        opened.run(0)
        down.rate, down.delay, up.delay = link.megabits * MEGABIT, link.round_trip / 2, link.round_trip / 2
        opened.run(1)
        view = opened.view().live()
        for _ in range(runs):
            view.rests()
            _add(seen, _dragged(view, seconds), link)
        down.rate, down.delay, up.delay = float("inf"), 0.0, 0.0
    server.end_kernels()
    return seen


def _dragged(view: View, seconds: float) -> list[Paint]:
    """What was painted while a hand dragged, once the line was known."""
    before = len(view.paints())
    view.frames_per_second(SETTLING_S + seconds, MOVES_PER_SECOND)
    paints = [Paint(**paint) for paint in view.host.evaluate(PAINTED, before)]
    last = max(paint.at for paint in paints if paint.inputMs > 0)
    return [paint for paint in paints if last - seconds * 1e3 < paint.at <= last and not paint.still]


def _add(seen: Seen, paints: list[Paint], link: Link) -> None:
    ages = sorted(paint.at - paint.time * 1e3 for paint in paints)
    rate = (len(paints) - 1) / (paints[-1].at - paints[0].at) * 1e3
    seen.rates.append(rate)
    seen.carried.append(link.megabits * MEGABIT / statistics.mean(paint.bytes for paint in paints))
    seen.middle.append(statistics.median(ages))
    seen.late.append(ages[int(len(ages) * 0.95)])
