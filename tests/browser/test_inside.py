"""ParaView and PyVista in the kernel itself, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Keep, Open
from tests.browser.jupyter import Server, write_kernel, write_notebook
from tests.browser.notebook import Notebook
from tests.browser.view import blank, changed

pytestmark = pytest.mark.ways

PLOTTER = """\
import pyvista as pv
import pvlink
pv.set_jupyter_backend("pvlink")
pl = pv.Plotter(window_size=(640, 420))
def resize(radius):
    print(f"radius {radius:.2f}")
    pl.add_mesh(pv.Sphere(radius=radius), name="sphere", color="tan", show_edges=True)
pl.add_slider_widget(resize, [0.2, 1.0], value=0.4, title="radius", pointa=(0.1, 0.12), pointb=(0.9, 0.12))
pl.show_grid()
pl.show()"""
PARAVIEW = """\
import pvlink
from paraview.simple import *
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
Show(contour)
display(GetActiveView())"""


@pytest.fixture
def opened(jupyter: Server, page: Page) -> Iterator[Callable[..., Notebook]]:
    """Opens a notebook of these cells on a kernel of that Python."""
    before = jupyter.kernels()

    def make(name: str, python: str, *cells: str) -> Notebook:
        write_kernel(jupyter.root.parent, name, python)
        write_notebook(jupyter.root / f"{name}.ipynb", cells, name)
        return Notebook(page, jupyter, f"{name}.ipynb").open()

    yield make
    jupyter.end_kernels(but=before)


def test_a_slider_of_a_plotter_is_dragged(opened: Open, page: Page, vtk_python: str, keep: Keep) -> None:
    notebook = opened("pyvista", vtk_python, PLOTTER)
    notebook.run(0)
    view = notebook.view().live()
    first = view.rests()

    def drag() -> None:
        # The knob: at a quarter of the line.
        page.mouse.move(*view.at(0.3, 0.88))
        page.mouse.down()
        page.mouse.move(*view.at(0.7, 0.88), steps=8)
        page.mouse.up()

    larger = view.after(drag)
    turned = view.after(view.drag)
    keep(page, "inside-pyvista")

    assert first.shape[:2] == (420, 640)
    assert changed(first, larger) > 0.05
    assert changed(larger, turned) > 0.05
    said = [output["text"] for output in notebook.outputs(0) if output["output_type"] == "stream"]
    assert "radius 0.8" in "".join(map(str, said))


def test_a_view_of_paraview_in_the_kernel_turns(opened: Open, paraview_python: str, keep: Keep) -> None:
    notebook = opened("paraview", paraview_python, PARAVIEW, "contour.Isosurfaces = [210.0]")
    notebook.run(0)
    view = notebook.view().live()
    first = view.rests()
    turned = view.after(view.drag)
    cut = view.after(lambda: notebook.run(1))
    keep(notebook.page, "inside-paraview")

    assert not blank(first)
    assert changed(first, turned) > 0.05
    assert changed(turned, cut) > 0.05
