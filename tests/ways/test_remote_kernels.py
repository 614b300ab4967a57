"""The kernel on another host than the Jupyter server: the relay finds no session, and other ways lead to the view."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.conftest import SIX_LINES, Keep, window
from tests.browser.jupyter import Server, write_notebook
from tests.browser.notebook import Notebook
from tests.browser.view import blank, changed
from tests.ways.farhost import FarHost, begin_kernel, far_host, jupyter_on
from tests.ways.room import no_room

NO_HOST = no_room() or ("" if shutil.which("ip") else "needs the command ip, to join two hosts")
pytestmark = [
    pytest.mark.ways,
    pytest.mark.skipif(bool(NO_HOST), reason=NO_HOST),
    pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython"),
]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarHost]:
    with far_host(tmp_path_factory.mktemp("far")) as host:
        yield host


@pytest.fixture(scope="module")
def server(host: FarHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with jupyter_on(host, tmp_path_factory.mktemp("near")) as server:
        yield server
        server.end_kernels()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    with window(browser) as context:
        yield context


def opened(server: Server, context: BrowserContext, name: str, *cells: str) -> Notebook:
    write_notebook(server.root / name, cells)
    # First the kernel, then the page: a page that starts one connects twice, which can leave a gateway with neither.
    begin_kernel(server, name)
    return Notebook(context.new_page(), server, name, others=server.kernels()).open()


def test_the_kernel_is_elsewhere_and_the_relay_finds_nothing(
    host: FarHost, server: Server, context: BrowserContext, keep: Keep
) -> None:
    notebook = opened(server, context, "far.ipynb", SIX_LINES)
    notebook.run()
    session = notebook.ask("print(pvlink.session().id)")
    assert notebook.ask("import subprocess; print(subprocess.getoutput('hostname -I'))") == host.there
    assert server.ask(f"pvlink/{session}") == {"alive": False}
    view = notebook.view().live()
    first = view.rests()
    turned = view.after(view.drag)
    keep(notebook.page, "remote-comm")
    assert not blank(first)
    assert changed(first, turned) > 0.05
    expect(notebook.page.locator(".pvlink-note")).to_contain_text("another machine")
