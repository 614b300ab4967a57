"""JupyterLab on a laptop, a cluster behind a firewall: the view is turned by hand, wherever ParaView is."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import BROWSERS, FLAGS, SCREENSHOTS, window
from tests.browser.jupyter import START_S, Server, write_notebook
from tests.browser.notebook import BEGIN, Notebook
from tests.browser.view import blank, changed
from tests.cluster.network import Network
from tests.cluster.test_ssh import at_home
from tests.cluster.test_ssh import cluster as far_cluster
from tests.cluster.test_there import ENGINE

pytestmark = pytest.mark.cluster

CELLS = {
    "there": "import pvlink\njob = pvlink.launch('far', ranks=1, time='30:00')\nsession = pvlink.start(on=job)",
    "here": "import pvlink\njob = pvlink.launch('far', ranks=1, time='30:00')\n"
    "session = pvlink.start()\nprint(session.connect(job))",
}
SHOW = """\
from paraview.simple import *
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
Show(contour)
display(GetActiveView())"""


class Lab(Server):
    """JupyterLab on the laptop, which nobody else reaches."""

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while "is running at" not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)


@pytest.fixture(scope="module")
def far() -> Iterator[Network]:
    with far_cluster() as net:
        yield net


@pytest.fixture
def browser(far: Network, tmp_path: Path) -> Iterator[Browser]:
    """On the laptop as well."""
    program = tmp_path / "browser"
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    program.write_text(f'#!/bin/sh\nexec {" ".join(far.laptop.enter)} {found} "$@"\n')
    program.chmod(0o755)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize(
    ("where", "ways"), [("there", '["direct"]'), pytest.param("here", '["jump"]', marks=pytest.mark.soak)]
)
def test_a_view_is_turned_by_hand(
    far: Network, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, ways: str
) -> None:
    with at_home(far, ways=ways, more=ENGINE) as environment:
        for name in ("HOME", "PVLINK_RUNTIME_DIR"):
            monkeypatch.setenv(name, environment[name])
        lab = Lab.jupyter(tmp_path / "lab")
        lab.program = [*far.laptop.enter, sys.executable, "-P"]
        with lab, window(browser) as context:
            write_notebook(lab.root / "far.ipynb", [CELLS[where], SHOW, BEGIN + "import time; time.sleep(4)"])
            opened = Notebook(context.new_page(), lab, "far.ipynb").open()
            opened.run(0)
            opened.run(1)
            view = opened.view().live()
            before = view.rests()
            assert not blank(before)
            after = view.after(lambda: view.drag(0.3, 0.1))
            assert changed(before, after) > 0.02
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            opened.page.screenshot(path=SCREENSHOTS / f"cluster-{where}.png")
            # Also while a cell runs.
            opened.start(2)
            assert changed(after, view.after(lambda: view.drag(0.2, 0.2))) > 0.02
            opened.ended()
            opened.ask("job.cancel()")
