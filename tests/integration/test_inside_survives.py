"""What must not end a kernel that holds ParaView or VTK itself: interrupts, and machines without a display."""

from __future__ import annotations

import random
from pathlib import Path

import psutil
import pytest

from tests.integration.own_kernel import OwnKernel
from tests.integration.test_inside import CONTOUR, WINDOW, turn

pytestmark = pytest.mark.ways

IMPORT = "from paraview.simple import *"
SHOWN = 'Show(Cone()); view = GetActiveView(); pvlink.show(view).screenshot("shown.png")'


def survives(kernel: OwnKernel, cell: str, after: float) -> None:
    """The kernel is there after this cell was interrupted, and feels the next interrupt."""
    kernel.run(cell, interrupt_after=after)
    assert kernel.alive()
    shown = kernel.run("import time\nwhile True: time.sleep(0.01)", interrupt_after=0.2, patience=15)
    assert shown.error is not None
    assert shown.error[0] == "KeyboardInterrupt"


def interrupt_imports(python: str, moments: list[float]) -> None:
    for moment in moments:
        with OwnKernel(python, "import pvlink") as kernel:
            survives(kernel, IMPORT, moment)
            # A module whose import was cut short is not there: the next import makes it anew.
            kernel.do(IMPORT)
            kernel.do(SHOWN)
            assert (kernel.directory / "shown.png").stat().st_size > 1000


def test_an_interrupted_import_of_paraview_leaves_the_kernel(paraview_python: str) -> None:
    interrupt_imports(paraview_python, [0.4])


@pytest.mark.soak
def test_an_import_of_paraview_is_interrupted_at_any_moment(paraview_python: str) -> None:
    interrupt_imports(paraview_python, [random.uniform(0.0, 1.5) for _ in range(20)])


def test_with_paraview_there_first_pvlink_gives_the_interrupt_back(paraview_python: str) -> None:
    with OwnKernel(paraview_python, IMPORT, "import pvlink") as kernel:
        survives(kernel, "1", 0)
        kernel.do(SHOWN)


def test_an_interrupt_in_a_filter_or_a_render_ends_the_cell_and_not_the_kernel(paraview_python: str) -> None:
    with OwnKernel(paraview_python, CONTOUR) as kernel, kernel.watch(kernel.show("display(view)")) as watcher:
        heavy = "w = Wavelet(WholeExtent=[-60, 60] * 3); c = Contour(Input=w, Isosurfaces=[100, 120, 140, 160])\n"
        survives(kernel, f"{heavy}Smooth(Input=c, NumberofIterations=100).UpdatePipeline()", 0.5)
        survives(kernel, "while True:\n    view.SMProxy.GetActiveCamera().Azimuth(1); Render(view)", 0.5)
        assert turn(watcher)


@pytest.mark.parametrize(
    "env",
    [
        # Every other test here has no display at all.
        pytest.param({"DISPLAY": ":97"}, id="a dead display"),
        pytest.param({"DISPLAY": "elsewhere:0"}, id="another machine's display", marks=pytest.mark.soak),
    ],
)
@pytest.mark.parametrize("kind", ["vtk", "paraview"])
def test_no_display_is_needed(kind: str, env: dict[str, str], request: pytest.FixtureRequest) -> None:
    python = request.getfixturevalue(f"{kind}_python")
    first, show = (WINDOW, "display(window)") if kind == "vtk" else (CONTOUR, "display(view)")
    with OwnKernel(python, first, **env) as kernel, kernel.watch(kernel.show(show)) as watcher:
        assert watcher.still()


def test_without_an_x_server_to_be_had_paraview_says_what_to_do_and_the_kernel_lives(
    paraview_python: str, tmp_path: Path
) -> None:
    with OwnKernel(paraview_python, PATH=str(tmp_path)) as kernel:
        shown = kernel.run("import pvlink\nfrom paraview.simple import *")
        assert shown.error is None
        assert "apt install xvfb" in shown.err
        refused = kernel.run("Show(Cone())")
        assert refused.error is not None
        assert "apt install xvfb" in refused.error[1]
        assert kernel.alive()


def test_without_its_x_server_nothing_is_drawn_any_more_and_the_kernel_lives(paraview_python: str) -> None:
    with OwnKernel(paraview_python, CONTOUR) as kernel, kernel.watch(kernel.show("display(view)")) as watcher:
        watcher.still()
        servers = [child for child in psutil.Process(kernel.pid).children() if child.name() == "Xvfb"]
        servers[0].kill()
        # Nobody can know of it sooner.
        watcher.until(lambda: servers[0].status() == psutil.STATUS_ZOMBIE)
        watcher.resize(500, 400)
        watcher.until(lambda: watcher.states and watcher.states[-1].state == "gone")
        assert "restart the kernel" in watcher.states[-1].message
        refused = kernel.run("pvlink.show(view)")
        assert refused.error is not None
        assert "restart the kernel" in refused.error[1]
        assert kernel.alive()
