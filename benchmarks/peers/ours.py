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
SHOW = 'pvlink.show(GetActiveView(), width="{width}px", height="{height}px")'


def find(page: Page) -> tuple[Frame, Locator]:
    return page.main_frame, page.locator(HOST).locator(".pvlink-picture")


@contextmanager
def opened(browser: Browser, scene: Contour, size: Size) -> Iterator[Shown]:
    show = SHOW.format(width=size[0], height=size[1])
    with lab.cell(Path(sys.executable).absolute(), START + scene.paraview, show, find, browser, size) as shown:
        yield shown


OURS = Peer("pvlink", "paraview", opened)
