"""From the last line of a cell to pixels on the page: JupyterLab in headless Chromium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.figures import Figure, lower
from benchmarks.scenes import LIGHT
from tests.browser.conftest import BROWSERS, FLAGS, window
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import START, Notebook

CELLS = ["import pvlink\npvlink.start()\n" + LIGHT, "display(GetActiveView())"]
NOW = "() => performance.now()"


def figures(runs: int) -> Iterator[Figure]:
    painted: list[float] = []
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(FLAGS))
        with Server.jupyter(Path(home)) as server, window(browser) as context:
            # The first page load of a JupyterLab is not what is measured.
            for run in range(runs + 1):
                name = f"run{run}.ipynb"
                write_notebook(server.root / name, CELLS)
                page = context.new_page()
                opened = Notebook(page, server, name).open()
                opened.run(0)
                began = page.evaluate(NOW)
                page.evaluate(START, 1)
                view = opened.view().live()
                painted.append((view.paints()[0].at - began) / 1e3)
                page.close()
                server.end_kernels()
        browser.close()
    yield lower("display() in JupyterLab to the first live frame painted in Chromium", "s", painted[1:])
