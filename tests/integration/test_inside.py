"""ParaView and VTK in the kernel itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.integration.interpreter import Kernel
from tests.integration.own_kernel import OwnKernel
from tests.integration.scenes import difference, pixels
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.ways

WINDOW = """
import pvlink, time
from vtkmodules.all import *
def make():
    cone, mapper, actor = vtkConeSource(), vtkPolyDataMapper(), vtkActor()
    renderer, window = vtkRenderer(), vtkRenderWindow()
    mapper.SetInputConnection(cone.GetOutputPort()); actor.SetMapper(mapper); renderer.AddActor(actor)
    window.AddRenderer(renderer)
    return window
def camera(window): return window.GetRenderers().GetFirstRenderer().GetActiveCamera()
window = make()
"""
CONTOUR = """
import pvlink, time
from paraview.simple import *
contour = Contour(Input=Wavelet(), ContourBy=["POINTS", "RTData"], Isosurfaces=[157.0])
Show(contour); view = GetActiveView()
"""
LOOP = "end = time.monotonic() + 2\nsteps = 0\nwhile time.monotonic() < end:\n"
BUSY = "The kernel runs a cell."


@pytest.fixture(scope="module")
def vtk(vtk_python: str) -> Iterator[OwnKernel]:
    with OwnKernel(vtk_python, WINDOW) as kernel:
        yield kernel


@pytest.fixture(scope="module")
def paraview(paraview_python: str) -> Iterator[OwnKernel]:
    with OwnKernel(paraview_python, CONTOUR) as kernel:
        yield kernel


def turn(watcher: Watcher) -> bool:
    """Whether the picture changes under a hand."""
    before = watcher.still()
    watcher.drag([(200, 150), (240, 160), (280, 170)])
    return bool(difference(pixels(before.data), pixels(watcher.still(after=before.id).data)))


def words(watcher: Watcher) -> list[str]:
    return [f"{state.state}: {state.message}" for state in watcher.states]


@pytest.mark.parametrize(("kind", "cell"), [("vtk", "display(window)"), ("paraview", "display(view)")])
def test_a_view_turns_under_the_hand(kind: str, cell: str, request: pytest.FixtureRequest) -> None:
    kernel: OwnKernel = request.getfixturevalue(kind)
    with kernel.watch(kernel.show(cell)) as watcher:
        assert turn(watcher)


@pytest.mark.parametrize(
    ("kind", "show", "step"),
    [
        (
            "vtk",
            "display(window)",
            "camera(window).Azimuth(5); window.Render()",
        ),
        ("paraview", "display(view)", "view.SMProxy.GetActiveCamera().Azimuth(5); Render(view)"),
    ],
)
def test_a_loop_in_a_cell_is_watched_says_that_it_runs_and_leaves_a_live_view(
    kind: str, show: str, step: str, request: pytest.FixtureRequest
) -> None:
    kernel: OwnKernel = request.getfixturevalue(kind)
    with kernel.watch(kernel.show(show)) as watcher:
        watcher.still()
        before = len(watcher.frames)
        watcher.states.clear()
        cell = kernel.send(
            f"end = time.monotonic() + 2\nsteps = 0\nwhile time.monotonic() < end:\n    {step}; steps += 1"
        )
        watcher.until(lambda: any(BUSY in said for said in words(watcher)))
        kernel.until_idle(cell)
        ended, seen = time.monotonic(), len(watcher.frames) - before
        watcher.until(lambda: watcher.states[-1].state == "live", 5)
        alive_after = time.monotonic() - ended
        steps = kernel.value("steps")
        assert seen >= min(steps, 20) / 2
        assert alive_after < 1
        assert turn(watcher)


def test_a_cell_that_awaits_leaves_the_view_alive(vtk: OwnKernel) -> None:
    with vtk.watch(vtk.show("display(window)")) as watcher:
        watcher.still()
        cell = vtk.send("import asyncio; await asyncio.sleep(2.5)")
        began = time.monotonic()
        assert turn(watcher)
        assert time.monotonic() - began < 2.3
        vtk.until_idle(cell)


def test_two_cells_that_show_the_same_window_are_one_view(vtk: OwnKernel) -> None:
    name = vtk.show("display(window)")
    assert vtk.show("display(window)") == name
    with vtk.watch(name) as one, vtk.watch(name) as other:
        assert turn(one)
        other.until(lambda: other.frames[-1].id == one.frames[-1].id)


def test_a_page_that_is_loaded_again_finds_its_view(vtk: OwnKernel) -> None:
    name = vtk.show("display(window)")
    for _ in range(2):
        with vtk.watch(name) as watcher:
            assert turn(watcher)


def test_a_timer_of_an_interactor_without_x_ticks(vtk: OwnKernel) -> None:
    name = vtk.show(
        "again = make(); interactor = vtkRenderWindowInteractor(); interactor.SetRenderWindow(again)\n"
        "ticks = []; interactor.Initialize(); interactor.AddObserver('TimerEvent', lambda *_: ticks.append(1))\n"
        "timer = interactor.CreateRepeatingTimer(20); again.Render(); display(again)"
    )
    with vtk.watch(name) as watcher:
        watcher.until(lambda: vtk.value("len(ticks)") >= 5)
        vtk.do("interactor.DestroyTimer(timer); ticks.clear()")
        watcher.quiet()
        assert vtk.value("len(ticks)") == 0


def test_a_killed_streamer_is_brought_back(vtk: OwnKernel) -> None:
    with vtk.watch(vtk.show("display(window)")) as watcher:
        watcher.still()
        os.kill(vtk.value("pvlink.session()._streamer.pid"), signal.SIGKILL)
        watcher.until_closed()
    error = vtk.run("pvlink.show(window).stats").error
    assert error is not None
    assert error[0] == "StreamerLost"
    assert "pvlink.session().restart()" in error[1]
    assert vtk.do("pvlink.session().restart()").out == "pvlink: the pictures are back.\n"
    with vtk.watch(vtk.show("display(window)")) as watcher:
        assert turn(watcher)


def test_after_stop_a_view_is_shown_by_a_new_session(vtk: OwnKernel) -> None:
    vtk.show("display(window)")
    vtk.do("pvlink.stop()")
    with vtk.watch(vtk.show("display(window)")) as watcher:
        assert turn(watcher)


def test_a_fork_leaves_the_view_to_its_parent(vtk: OwnKernel) -> None:
    with vtk.watch(vtk.show("display(window)")) as watcher:
        vtk.do(
            "import multiprocessing\n"
            "def work(n): return n * n\n"
            "with multiprocessing.get_context('fork').Pool(2) as pool: assert pool.map(work, [2, 3]) == [4, 9]"
        )
        assert turn(watcher)


def test_a_thread_may_show_the_first_window(vtk: OwnKernel) -> None:
    vtk.do(
        "import threading; pvlink.stop()\nof_thread, names = make(), []\n"
        "thread = threading.Thread(target=lambda: names.append(pvlink.show(of_thread).view))\n"
        "thread.start(); thread.join()"
    )
    with vtk.watch(vtk.value("names")[0]) as watcher:
        assert turn(watcher)


def test_a_dead_kernel_leaves_nothing(vtk_python: str) -> None:
    with OwnKernel(vtk_python, WINDOW, "display(window)") as kernel:
        children = psutil.Process(kernel.pid).children(recursive=True)
        assert children
        os.kill(kernel.pid, signal.SIGKILL)
        _, left = psutil.wait_procs(children, 10)
        assert left == []
        deadline = time.monotonic() + 5
        while list(kernel.directory.glob("*.sock")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(kernel.directory.glob("*.sock")) == []


def life(python: str, first: str, cell: str, times: int) -> None:
    """A cell that makes and shows a new view, run again and again, each time watched for a moment."""
    count = (
        "import gc, os, ipywidgets; gc.collect(); "
        "[len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task')), "
        "len(ipywidgets.widgets.widget._instances), len(list(pvlink.session()._views)), "
        "int(open('/proc/self/statm').read().split()[1]) // 256]"
    )
    with OwnKernel(python, first) as kernel:

        def run() -> list[int]:
            for _ in range(times // 2):
                name = kernel.show(cell)
                if name.endswith("5"):
                    with kernel.watch(name) as watcher:
                        watcher.still()
            return list(kernel.value(count))

        before, after = run(), run()
        fds, threads, widgets, views, megabytes = (later - sooner for later, sooner in zip(after, before, strict=True))
        assert max(fds, threads, views) < 8, after
        assert widgets < 20, after
        assert megabytes < 150, after


@pytest.mark.soak
def test_two_hundred_windows_leave_a_few(vtk_python: str) -> None:
    life(vtk_python, WINDOW, "window = make(); display(window)", 200)


@pytest.mark.soak
def test_many_plotters_leave_a_few(vtk_python: str) -> None:
    life(vtk_python, "import pyvista as pv, pvlink", "pl = pv.Plotter(); pl.add_mesh(pv.Cone()); pl.show()", 48)


@pytest.mark.soak
def test_two_hundred_plotters_leave_a_few(vtk_python: str) -> None:
    life(vtk_python, "import pyvista as pv, pvlink", "pl = pv.Plotter(); pl.add_mesh(pv.Cone()); pl.show()", 200)


def test_a_window_of_a_vtk_that_cannot_draw_is_named(vtk_python: str) -> None:
    with Kernel(vtk_python) as kernel:
        wrong = kernel.attempt(
            "import pvlink\nfrom vtkmodules.vtkRenderingCore import vtkRenderWindow\npvlink.show(vtkRenderWindow())"
        ).wrong
    assert wrong is not None
    assert wrong[0] == "ViewError"
    assert "import vtkmodules.vtkRenderingOpenGL2" in wrong[1]


def test_what_a_cell_changes_after_its_own_render_is_in_the_picture(vtk: OwnKernel) -> None:
    vtk.do(
        "import hashlib\nsketch = make(); widget = pvlink.show(sketch); shots = []\n"
        "floor = sketch.GetRenderers().GetFirstRenderer()\n"
        "def shoot():\n    shots.append(hashlib.sha256(widget.screenshot()).hexdigest())"
    )
    vtk.do("shoot(); sketch.Render(); floor.SetBackground(0.8, 0.1, 0.1); shoot(); shoot()")
    first, second, third = vtk.value("shots")
    assert first != second == third
    with vtk.watch(vtk.value("widget.view")) as watcher:
        before = watcher.still()
        vtk.do("sketch.Render(); floor.SetBackground(0.1, 0.1, 0.8)")
        watcher.until(lambda: difference(pixels(before.data), pixels(watcher.frames[-1].data)) != "")
