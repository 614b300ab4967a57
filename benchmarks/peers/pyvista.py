"""PyVista's server backend in JupyterLab, as in its user guide, "Trame Jupyter Backend for PyVista"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Frame, Locator, Page

from benchmarks.peers import Peer, Shown, Size, environments, lab
from benchmarks.peers.contours import Contour

PREPARE = """
import pyvista as pv
pv.set_jupyter_backend("server")
pl = pv.Plotter(notebook=True, window_size=[{width}, {height}])
pl.add_mesh(pv.wrap(contour.GetOutput()))
"""


def find(page: Page) -> tuple[Frame, Locator]:
    iframe = page.wait_for_selector("iframe.pyvista", timeout=60_000)
    assert iframe is not None
    # One that is not on the screen does not draw.
    iframe.scroll_into_view_if_needed()
    frame = iframe.content_frame()
    assert frame is not None
    return frame, frame.locator("img").filter(visible=True).last


@contextmanager
def opened(browser: Browser, scene: Contour, size: Size) -> Iterator[Shown]:
    prepare = scene.vtk + PREPARE.format(width=size[0], height=size[1])
    with lab.cell(environments.python("pyvista"), prepare, "pl.show()", find, browser, size) as shown:
        yield shown


PYVISTA = Peer("pyvista", "vtk", opened)
