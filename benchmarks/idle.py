"""A view that nobody touches: what all processes together cost, and how much memory each takes."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks import processes
from benchmarks.figures import Figure, lower
from benchmarks.scenes import LIGHT
from tests.browser.conftest import BROWSERS, FLAGS, window
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import Notebook

CELLS = ["import pvlink\npvlink.start()\n" + LIGHT, "display(GetActiveView())"]


def figures(seconds: float) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(FLAGS))
        with Server.jupyter(Path(home)) as server, window(browser) as context:
            write_notebook(server.root / "idle.ipynb", CELLS)
            opened = Notebook(context.new_page(), server, "idle.ipynb").open()
            opened.run(0)
            time.sleep(5.0)
            # The floor: the same notebook before it shows a view.
            without = _share(seconds)
            opened.run(1)
            view = opened.view().live()
            view.rests()
            view.drag()
            view.rests()
            time.sleep(5.0)
            frames = opened.stats()["frames"]
            share = _share(seconds)
            more = opened.stats()["frames"] - frames
            memory = processes.memory()
            server.end_kernels()
        browser.close()
    yield lower("idle_60s_cpu_percent", "%", [share], [without])
    yield lower("idle_60s_frames", "1", [float(more)], [0.0])
    for name, megabytes in memory.items():
        if name == processes.MEASURING:
            continue
        yield lower(f"memory of its own, {name}", "MB", [megabytes])


def _share(seconds: float) -> float:
    """Of one core, in percent, of all of them."""

    def spent() -> float:
        return sum(seconds for kind, seconds in processes.spent().items() if kind != processes.MEASURING)

    began, before = time.monotonic(), spent()
    time.sleep(seconds)
    return 100 * (spent() - before) / (time.monotonic() - began)
