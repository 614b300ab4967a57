"""Servers, a browser, and notebooks in it. Everything here runs the pvlink that is installed, not the checkout."""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import Notebook
from tests.browser.view import REMEMBER, View

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
# No GPU, no sandbox inside containers, and nothing that would reach out to the network.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
VIEWPORT = {"width": 1200, "height": 900}

# What the README teaches.
SIX_LINES = """\
import pvlink
pvlink.start()
from paraview.simple import *
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
Show(contour)
display(GetActiveView())"""

Open = Callable[..., Notebook]
Keep = Callable[[Page, str], None]


# What the pages had to say about the viewer, since the test began.
complaints: list[str] = []


def complain(kind: str, text: str) -> None:
    if kind in ("warning", "error") and "pvlink" in text and "WebSocket connection" not in text:
        complaints.append(f"{kind}: {text}")


@pytest.fixture(autouse=True)
def no_complaints() -> Iterator[None]:
    """The viewer neither throws nor warns, whatever the test does to it."""
    complaints.clear()
    yield
    assert complaints == []


@contextmanager
def window(browser: Browser, **how: Any) -> Iterator[BrowserContext]:
    """A browser window of its own; its pages remember what their views painted."""
    context = browser.new_context(**{"viewport": VIEWPORT, **how})
    context.add_init_script(REMEMBER)
    context.on("console", lambda message: complain(message.type, message.text))
    context.on("weberror", lambda error: complain("error", f"{error.error.message}\n{error.error.stack}"))
    yield context
    context.close()


# `package`: Playwright's loop must be gone before other packages' asyncio tests begin.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    found = os.environ.get("PVLINK_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Jupyter server with JupyterLab, Notebook 7 and Voila in it."""
    with Server.jupyter(tmp_path_factory.mktemp("jupyter")) as server:
        yield server
        server.end_kernels()


# One for all tests: a page that is opened again need not fetch JupyterLab again.
@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    with window(browser) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture(scope="package")
def shown(jupyter: Server, context: BrowserContext) -> Iterator[Notebook]:
    """A notebook with a live view that the tests share, in JupyterLab. They turn it; they never end it."""
    write_notebook(jupyter.root / "shown.ipynb", [SIX_LINES])
    page = context.new_page()
    opened = Notebook(page, jupyter, "shown.ipynb").open()
    opened.run()
    opened.view().live()
    assert_installed(opened)
    opened.save()
    yield opened
    page.close()


@pytest.fixture
def view(shown: Notebook) -> View:
    """The shared view, as it was at first."""
    shown.page.bring_to_front()
    view = shown.view().live()
    view.page.mouse.move(0, 0)
    view.after(lambda: view.press("z"))
    return view


@pytest.fixture(scope="package")
def desk(jupyter: Server, context: BrowserContext) -> Iterator[Page]:
    """A JupyterLab in which notebooks are opened one after the other: a page that is there already is quicker."""
    page = context.new_page()
    page.goto(f"{jupyter.url}lab/workspaces/desk?token={jupyter.token}")
    page.wait_for_function("window.jupyterapp?.restored.then(() => true)", timeout=90_000)
    yield page
    page.close()


@pytest.fixture
def notebook(request: pytest.FixtureRequest, jupyter: Server) -> Iterator[Open]:
    """Makes a notebook of these cells and opens it; its kernel ends with the test.

    `app`: "lab" or "notebook" for a page of its own, JupyterLab's or Notebook 7's.
    """
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    before = jupyter.kernels()
    made: list[Notebook] = []

    def open_notebook(*cells: str, app: str = "") -> Notebook:
        write_notebook(jupyter.root / f"{name}.ipynb", cells)
        page: Page = request.getfixturevalue("page" if app else "desk")
        page.bring_to_front()
        opened = Notebook(page, jupyter, f"{name}.ipynb", others=before)
        made.append(opened)
        return opened.open(app) if app else opened.open_on_desk()

    yield open_notebook
    for opened in made:
        opened.close()
    jupyter.end_kernels(but=before)


@pytest.fixture
def keep() -> Keep:
    """Keeps a picture of a page as an artefact."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return take


def assert_installed(opened: Notebook) -> None:
    """The kernel's pvlink is the one in site-packages, as a user would have it."""
    found = Path(opened.ask("print(pvlink.__file__)"))
    assert found.is_relative_to(sysconfig.get_path("purelib")), f"the kernel imports {found}: run make test"
