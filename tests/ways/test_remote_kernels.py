"""The kernel on another host than the Jupyter server: the relay finds no session, and other ways lead to the view."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
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


# The address that a kernel has for another host.
ADDRESS = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.connect(("{}", 9))
    print(one.getsockname()[0])"""
# How much the kernel says to widgets.
LISTEN = """() => {
  window.pvlinkHeard = 0;
  jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.iopubMessage.connect((_, message) => {
    if (message.header.msg_type === 'comm_msg') window.pvlinkHeard += 1;
  });
}"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarHost]:
    with far_host(tmp_path_factory.mktemp("far")) as host:
        yield host


@pytest.fixture(scope="module")
def server(host: FarHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with jupyter_on(host, tmp_path_factory.mktemp("near")) as server:
        yield server
        server.end_kernels()


def opened(server: Server, context: BrowserContext, name: str, *cells: str) -> Notebook:
    write_notebook(server.root / name, cells)
    # First the kernel, then the page: a page that starts one connects twice, which can leave a gateway with neither.
    begin_kernel(server, name)
    notebook = Notebook(context.new_page(), server, name, others=server.kernels()).open(kernel=False)
    # A gateway can lose the first that a page asks of its kernel, for good: one loads the page again.
    while not notebook.hears_its_kernel(10_000):
        notebook.reload()
    return notebook


def test_behind_a_gateway_the_view_comes_through_the_kernel_and_says_what_is_lost(
    host: FarHost, server: Server, browser: Browser, keep: Keep
) -> None:
    with window(browser) as context:
        notebook = opened(server, context, "far.ipynb", SIX_LINES)
        notebook.run()
        session = notebook.ask("print(pvlink.session().id)")
        assert notebook.ask(ADDRESS.format(host.here)) == host.there
        assert server.ask(f"pvlink/{session}") == {"alive": False}

        view = notebook.view().live()
        first = view.rests()
        turned = view.after(view.drag)
        keep(notebook.page, "remote-comm")
        assert not blank(first)
        assert changed(first, turned) > 0.05
        expect(notebook.page.locator(".pvlink-note")).to_contain_text("on another machine")
        # A gateway's client is easily upset: the notebook still hears its kernel.
        assert notebook.ask("print(6 * 7)") == "42"
        notebook.end_kernel()


@pytest.mark.soak
def test_by_the_direct_way_pictures_come_straight_from_the_kernels_host(
    host: FarHost, server: Server, browser: Browser, keep: Keep
) -> None:
    door = f"door = pvlink.session().ask('direct', host={host.there!r})['door']['url']"
    # The certificate is the streamer's own; here the browser takes it unseen, where a person would accept it.
    with window(browser, ignore_https_errors=True) as context:
        scene = SIX_LINES.replace("display(", "(")
        notebook = opened(server, context, "direct.ipynb", f"{scene}\n{door}", "display(GetActiveView())")
        notebook.run(0)
        notebook.page.evaluate(LISTEN)
        notebook.run(1)
        view = notebook.view().live()
        first = view.rests()
        by_kernel = int(notebook.page.evaluate("() => window.pvlinkHeard"))
        turned = view.after(view.drag)
        keep(notebook.page, "remote-direct")

        assert not blank(first)
        assert changed(first, turned) > 0.05
        expect(notebook.page.locator(".pvlink-note")).to_be_hidden()
        address = urlsplit(notebook.ask("print(door)"))
        assert address.hostname == host.there
        assert connections(host.there, address.port or 0) == 1
        # Many pictures came, and nothing by the kernel.
        assert len(view.paints()) > 3
        assert int(notebook.page.evaluate("() => window.pvlinkHeard")) == by_kernel
        notebook.end_kernel()


def connections(host: str, port: int) -> int:
    """From this host to that door."""
    found = psutil.net_connections("tcp")
    return sum(tuple(one.raddr or ()) == (host, port) and one.status == psutil.CONN_ESTABLISHED for one in found)
