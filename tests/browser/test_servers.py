"""ParaView servers in JupyterLab: connected, dragged, left, had again, in one cell; for ParaView in both places."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Keep
from tests.browser.jupyter import Server, write_kernel, write_notebook
from tests.browser.notebook import BEGIN, Notebook
from tests.browser.view import changed
from tests.conftest import environment
from tests.integration.household import until
from tests.servers.places import KINDS, Kind
from tests.servers.pvservers import WAYS, ByHand, Way, needs_servers, screen

pytestmark = needs_servers
FIRST: dict[Kind, str] = {
    "process": "import pvlink\nsession = pvlink.start()\nfrom paraview.simple import *",
    "kernel": "import pvlink\nfrom paraview.simple import *\nsession = pvlink.session()",
}
SHOW = """\
parts = ProcessIdScalars(Input=Wavelet())
view = CreateView("RenderView")
shown = Show(parts, view)
shown.SetRepresentationType("Surface")
ColorBy(shown, ("POINTS", "ProcessId"))
view.ResetCamera()
pvlink.show(view, height=360)"""


@pytest.fixture
def opened(jupyter: Server, page: Page) -> Iterator[Callable[..., Notebook]]:
    """Opens a notebook of these cells on a kernel with that ParaView."""
    before = jupyter.kernels()

    def make(kind: Kind, *cells: str) -> Notebook:
        name = f"servers-{kind}"
        write_kernel(jupyter.root.parent, name, sys.executable if kind == "process" else environment("paraview"))
        write_notebook(jupyter.root / f"{name}.ipynb", cells, name)
        return Notebook(page, jupyter, f"{name}.ipynb").open()

    yield make
    jupyter.end_kernels(but=before)


def connected(notebook: Notebook, server: ByHand, cell: int) -> None:
    """Run the cell that connects; a server that comes to us comes meanwhile."""
    server.start()
    if server.waits_for_us:
        server.ready()
        notebook.run(cell)
    else:
        notebook.start(cell)
        server.ready()
        notebook.ended()


# The other ways differ in how the relay gets there, which the matrix has; here it is the hand in the browser.
LONG = [(kind, way) for kind in KINDS for way in WAYS if (kind, way) != ("process", "direct")]


@pytest.mark.parametrize(
    ("kind", "way"), [("process", "direct"), *(pytest.param(*one, marks=pytest.mark.soak) for one in LONG)]
)
def test_a_view_on_a_server_is_dragged_left_and_had_again(
    opened: Callable[..., Notebook], keep: Keep, kind: Kind, way: Way
) -> None:
    with screen() as display, ByHand(way, 2, display) as server:
        connect = f"{BEGIN}server = session.connect({server.address!r}, timeout=60)\nserver"
        notebook = opened(kind, FIRST[kind], connect, SHOW, "session.disconnect()", f"{BEGIN}session.reconnect()")
        notebook.run(0)
        connected(notebook, server, 1)
        notebook.run(2)
        view = notebook.view().live()
        first = view.rests()
        turned = view.after(view.drag)
        assert changed(first, turned) > 0.05
        keep(view.page, f"server-{kind}-{way}")

        notebook.run(3)
        server.gone()
        connected(notebook, server, 4)
        again = notebook.view().live()
        # The first picture may be of before the camera is back.
        until(lambda: changed(again.rests(), turned) < 0.001, 60)
        assert changed(turned, again.after(again.drag)) > 0.05
