"""Peers that live in a notebook's cell: JupyterLab of their own environment, its page in a browser."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Frame, Locator, Page, ViewportSize

from benchmarks.peers import Received, Shown, Size, eyes
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import START, Notebook
from tests.integration.interpreter import Display

# JupyterLab's side bar, tabs and prompts beside the view.
MARGIN = (520, 420)
DISPLAY = "import os\nos.environ['DISPLAY'] = {display!r}\n"
NOW = "() => performance.timeOrigin + performance.now()"

# Finds the view in a page whose cell runs: the frame it is in, and the element that a hand drags in.
Find = Callable[[Page], tuple[Frame, Locator]]


@contextmanager
def cell(python: Path, prepare: str, show: str, find: Find, browser: Browser, size: Size) -> Iterator[Shown]:
    """A notebook of one cell, which displays the view, of this size; what prepares it runs in the kernel before.

    (Were that a cell, it would take the place on the page: who is scrolled away draws nothing.)
    """
    viewport = ViewportSize(width=size[0] + MARGIN[0], height=size[1] + MARGIN[1])
    with tempfile.TemporaryDirectory() as home, Display() as display:
        server = Server.jupyter(Path(home))
        server.program = [str(python), "-P"]
        write_notebook(server.root / "view.ipynb", [show])
        with server, browser.new_context(viewport=viewport) as context:
            context.add_init_script(eyes.REMEMBER)
            page = context.new_page()
            received = Received().watch(page)
            opened = Notebook(page, server, "view.ipynb").open()
            try:
                opened.ask(DISPLAY.format(display=display) + prepare)
                page.bring_to_front()
                began = page.evaluate(NOW)
                page.evaluate(START, 0)
                frame, view = find(page)
                first = (eyes.first_of(frame, size) - began) / 1e3
                yield Shown(page, frame, view, first, received)
            finally:
                server.end_kernels()
