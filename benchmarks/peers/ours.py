"""pvlink itself, in the JupyterLab of .venv, measured as the others are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Frame, Locator, Page

from benchmarks.peers import Peer, Shown, Size, lab
from benchmarks.peers.contours import Contour
from tests.browser.view import HOST

START = "import pvlink\npvlink.start()\n"
SHOW = 'pvlink.show(GetActiveView(), width="{width}px", height="{height}px", {more})'


def find(page: Page) -> tuple[Frame, Locator]:
    return page.main_frame, page.locator(HOST).locator(".pvlink-picture")


def named(name: str, more: str = "") -> Peer:
    """`more`: options of `show`."""

    @contextmanager
    def opened(browser: Browser, scene: Contour, size: Size) -> Iterator[Shown]:
        show = SHOW.format(width=size[0], height=size[1], more=more)
        with lab.cell(Path(sys.executable), START + scene.paraview, show, find, browser, size) as shown:
            yield shown

    return Peer(name, "paraview", opened)


OURS = named("pvlink")
# As the others do it: moving frames in full size.
WHOLE = named("pvlink, whole frames", "scale=1")
