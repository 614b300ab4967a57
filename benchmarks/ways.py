"""One hand, three ways to the view: the relay, a direct door, the kernel's messages. In JupyterLab, headless."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.figures import Figure, higher, lower, ratio
from benchmarks.scenes import LIGHT
from tests.browser.conftest import BROWSERS, FLAGS, window
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import Notebook
from tests.browser.view import View

START = "import pvlink\npvlink.start()\n" + LIGHT
# The Jupyter server does not find the session, as if it were on another host.
ELSEWHERE = """\
import os, tempfile
folder = tempfile.TemporaryDirectory(prefix="pv")
os.environ["PVLINK_RUNTIME_DIR"] = folder.name
"""
DOOR = "pvlink.session().ask('direct', host='127.0.0.1')\n"
SHOW = "display(GetActiveView())"
WAYS = {
    "by the relay": START + SHOW,
    "directly": ELSEWHERE + START + DOOR + SHOW,
    "through the kernel's messages": ELSEWHERE + START + SHOW,
}
SECONDS = 3.0
# As often as a screen is drawn.
PACE = 60.0


def figures(runs: int) -> Iterator[Figure]:
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    delays: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(FLAGS))
        with Server.jupyter(Path(home)) as server, window(browser, ignore_https_errors=True) as context:
            views: dict[str, View] = {}
            for number, (way, cell) in enumerate(WAYS.items()):
                write_notebook(server.root / f"way{number}.ipynb", [cell])
                opened = Notebook(context.new_page(), server, f"way{number}.ipynb").open()
                opened.run(0)
                views[way] = opened.view().live()
            # By turns: a machine that others use is not as fast now as it was a minute ago. The first turn warms up.
            for turn in range(runs + 1):
                for way, view in views.items():
                    view.page.bring_to_front()
                    view.rests()
                    before = len(view.paints())
                    rate = view.frames_per_second(SECONDS, PACE)
                    answered = [paint.inputMs for paint in view.paints(before) if paint.inputMs > 0]
                    if turn:
                        rates[way].append(rate)
                        delays[way].append(statistics.median(answered))
            server.end_kernels()
        browser.close()
    for way in WAYS:
        yield higher(f"light scene in JupyterLab, {way}: frames/s painted while dragging", "1/s", rates[way])
        yield lower(f"light scene in JupyterLab, {way}: input to frame painted, p50", "ms", delays[way])
    for way in list(WAYS)[1:]:
        yield ratio(f"frames/s {way}, to the relay", rates[way], rates["by the relay"], "higher")
