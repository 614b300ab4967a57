"""The picture is ParaView's: the same pixels, the same camera, and no frame that nobody asked for."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from pvlink.protocol import InputEvent
from tests.integration.interpreter import Display, Interpreter, Kernel, plain
from tests.integration.scenes import SCENES, SIZE, difference, pixels
from tests.integration.watcher import Watcher

CAMERA = ("CameraPosition", "CameraFocalPoint", "CameraViewUp", "CameraParallelScale")
# What the fast path meddles with, and more: the user must read back what was set.
SETTINGS = {"UseFXAA": 1, "LODThreshold": 0.0, "LODResolution": 0.25, "UseLight": 1, "ViewSize": list(SIZE)}
WORLD = "view = CreateView('RenderView'); view.ViewSize = [641, 359]; SetActiveView(view)\n"
CONTOUR = (
    "contour = Contour(Input=Wavelet(), ContourBy=['POINTS', 'RTData'], Isosurfaces=[157.0])\nShow(contour, view)\n"
)
DRAG = [(300 + 7 * step, 150 + 3 * step) for step in range(6)]


@pytest.fixture(scope="module")
def pvpython() -> Iterator[Interpreter]:
    """Plain ParaView."""
    with Display() as display, plain(display) as interpreter:
        yield interpreter


@pytest.fixture(scope="module")
def session() -> Iterator[Kernel]:
    with Kernel.started() as kernel:
        yield kernel


@pytest.fixture
def kernel(session: Kernel) -> Iterator[Kernel]:
    """The shared kernel, without what the test before has made."""
    yield session
    session.run("for v in GetViews(): Delete(v)\nfor s in list(GetSources().values()): Delete(s)")


def watching(kernel: Kernel, view: str = "view") -> Watcher:
    return Watcher(kernel.socket(), kernel.show(view), *SIZE)


def saved(where: Interpreter, path: Path, view: str = "view") -> Any:
    """What ParaView's own SaveScreenshot makes."""
    where.run(f"SaveScreenshot({str(path)!r}, {view}, ImageResolution=[{SIZE[0]}, {SIZE[1]}])")
    return pixels(path.read_bytes())


def camera(where: Interpreter) -> list[Any]:
    found: list[Any] = where.run(
        f"answer = [(lambda v: v if isinstance(v, float) else list(v))(getattr(view, n)) for n in {CAMERA}]"
    )
    return found


def count_renders(kernel: Kernel, viewer: Watcher) -> None:
    """Count the renders of the active view from now on, in the engine: nothing the kernel does may add to them."""
    code = (
        "import builtins, paraview.simple as simple\n"
        "builtins.renders = []\n"
        "simple.GetActiveView().SMProxy.AddObserver('StartEvent', lambda *_: builtins.renders.append(1))"
    )
    kernel.run(f"session.desk.attribute('builtins', 'exec')({code!r}, {{}})")
    # That was a cell with ParaView in it, so a frame follows; it does not count.
    viewer.quiet()
    kernel.run("session.desk.attribute('builtins', 'exec')('import builtins; builtins.renders.clear()', {})")
    viewer.quiet()


def renders(kernel: Kernel) -> int:
    """How many there were, less the one that the end of the counting cell itself made."""
    return int(kernel.run("answer = len(session.desk.attribute('builtins', 'renders'))")) - 1


# -- the same pixels -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENES)
def test_a_still_has_the_pixels_of_plain_paraview(
    name: str, pvpython: Interpreter, kernel: Kernel, tmp_path: Path
) -> None:
    pvpython.run(SCENES[name])
    expected = saved(pvpython, tmp_path / "plain.png")
    kernel.run(SCENES[name])
    with watching(kernel) as viewer:
        still = viewer.still()
        screenshot = tmp_path / "screenshot.png"
        kernel.run(f"widget.screenshot({str(screenshot)!r})")
        first = pixels(still.data)

        assert difference(expected, first) == ""
        assert difference(expected, pixels(screenshot.read_bytes())) == ""

        viewer.drag(DRAG)
        moved = pixels(viewer.still(still.id).data)

    assert difference(first, moved) != ""
    assert any(not frame.still and frame.codec == "jpeg" for frame in viewer.frames)
    assert difference(saved(kernel, tmp_path / "own.png"), moved) == ""
    if name != "chart":
        setting = "; ".join(f"view.{n} = {v!r}" for n, v in zip(CAMERA, camera(kernel), strict=True))
        pvpython.run(setting)
        assert difference(saved(pvpython, tmp_path / "moved.png"), moved) == ""
    pvpython.run("Delete(view)")


def test_a_drag_leaves_no_trace_in_the_settings(kernel: Kernel) -> None:
    kernel.run(
        WORLD
        + CONTOUR
        + "".join(f"view.{name} = {value!r}\n" for name, value in SETTINGS.items())
        + "window = view.GetRenderWindow(); window.SetMultiSamples(4)\n"
        + "inner = view.GetClientSideObject()"
    )
    read = (
        f"answer = [getattr(view, n) if n != 'ViewSize' else list(view.ViewSize) for n in {list(SETTINGS)}]"
        " + [window.GetMultiSamples(), inner.GetUseFXAA(), window.GetDesiredUpdateRate()]"
    )
    with watching(kernel) as viewer:
        still = viewer.still()
        before = kernel.run(read)
        viewer.drag(DRAG)
        viewer.still(still.id)

    assert kernel.run(read) == before
    assert before[: len(SETTINGS)] == list(SETTINGS.values())


def test_a_screenshot_is_of_what_the_view_shows_now(kernel: Kernel) -> None:
    kernel.run(
        WORLD + CONTOUR + "widget = pvlink.show(view); shots = [widget.screenshot()]; shown = GetDisplayProperties()"
    )
    for change in ("", "Render(view); "):
        kernel.run(
            "ColorBy(shown, None)\nfor colour in ([1, 0, 0], [0, 1, 0], [0, 0, 1]):\n"
            f"    {change}shown.DiffuseColor = colour; shots.append(widget.screenshot())"
        )
    # The same three colours twice, and nothing else twice.
    assert kernel.run("answer = [shots[1:4] == shots[4:7], len(set(shots))]") == [True, 4]


def test_a_screenshot_in_a_cell_is_never_shown_as_the_view(kernel: Kernel, tmp_path: Path) -> None:
    kernel.run(WORLD + CONTOUR)
    with watching(kernel) as viewer:
        still = viewer.still()
        # With pauses, in which a frame would go out.
        kernel.run(
            "import time\n"
            f"for size in ([100, 100], [640, 360], {list(SIZE)}):\n"
            f"    SaveScreenshot({str(tmp_path / 'one.png')!r}, view, ImageResolution=size,"
            " OverrideColorPalette='WhiteBackground')\n"
            "    time.sleep(0.3)\n"
            f"SaveAnimation({str(tmp_path / 'many.png')!r}, view, ImageResolution={list(SIZE)}, FrameWindow=[0, 2],"
            " OverrideColorPalette='WhiteBackground')\n"
            "time.sleep(0.3)"
        )
        viewer.quiet()
        after = viewer.still()
    expected = pixels(still.data).astype(int)

    assert {(frame.width, frame.height) for frame in viewer.frames} == {SIZE}
    # A JPEG is a little off everywhere; a white background would be far off.
    assert [f.id for f in viewer.frames if np.abs(pixels(f.data) - expected).mean() > 3] == []
    assert difference(pixels(still.data), pixels(after.data)) == ""


# -- the same camera -------------------------------------------------------------------------------

COMBINATIONS = [
    (button, ctrl, shift) for button in ("left", "middle", "right") for ctrl in (False, True) for shift in (False, True)
]
OUTLINE = WORLD + "Show(Wavelet(), view).SetRepresentationType('Outline')\n"
HOME = (
    "view.CameraPosition = [0, 0, 66]; view.CameraFocalPoint = [0, 0, 0]; view.CameraViewUp = [0, 1, 0]\n"
    "view.CameraParallelScale = 9\n"
)

AT_HOME = [[0, 0, 66], [0, 0, 0], [0, 1, 0], 9]


def drag_plainly(pvpython: Interpreter, button: str, ctrl: bool, shift: bool) -> None:
    pvpython.run(
        f"""\
interactor = view.GetInteractor()
def tell(event, x, y):
    interactor.SetEventInformation(x, {SIZE[1] - 1} - y, {ctrl:d}, {shift:d}, chr(0), 0, None)
    getattr(interactor, event)()
path = {DRAG}
tell("{button.capitalize()}ButtonPressEvent", *path[0])
for point in path[1:]:
    tell("MouseMoveEvent", *point)
tell("{button.capitalize()}ButtonReleaseEvent", *path[-1])
"""
    )


def test_a_drag_moves_the_camera_as_in_plain_paraview(pvpython: Interpreter, kernel: Kernel) -> None:
    pvpython.run(OUTLINE + "Render(view)")
    kernel.run(OUTLINE)
    different, moved = {}, 0
    with watching(kernel) as viewer:
        for button, ctrl, shift in COMBINATIONS:
            # Rendered, for how far a zoom goes depends on the clipping range.
            pvpython.run(HOME + "Render(view)")
            kernel.run(HOME)
            viewer.quiet(0.2)
            drag_plainly(pvpython, button, ctrl, shift)
            expected = camera(pvpython)
            # Moves that come together are merged, so one at a time; where ParaView does nothing there is no frame.
            viewer.drag(DRAG, button=button, ctrl=ctrl, shift=shift, each=expected != AT_HOME)
            viewer.quiet(0.2)
            moved += expected != AT_HOME
            found = camera(kernel)
            if found != expected:
                different[button, ctrl, shift] = (expected, found)
    pvpython.run("Delete(view)")

    assert moved == 8
    assert different == {}


def test_wheel_notches_zoom_as_in_plain_paraview(pvpython: Interpreter, kernel: Kernel) -> None:
    pvpython.run(OUTLINE + HOME + "Render(view)")
    kernel.run(OUTLINE + HOME)
    pvpython.run(
        "interactor = view.GetInteractor(); interactor.SetEventInformation(320, 180, 0, 0, chr(0), 0, None)\n"
        "for _ in range(3): interactor.MouseWheelForwardEvent()\ninteractor.MouseWheelBackwardEvent()"
    )
    with watching(kernel) as viewer:
        viewer.still()
        for amount in (3, -1):
            viewer.answered(viewer.send(viewer.at("wheel", 320, 178, amount=amount)))

    assert camera(kernel) == camera(pvpython)
    pvpython.run("Delete(view)")


@pytest.mark.parametrize("axis", ["+x", "-x", "+y", "-y", "+z", "-z"])
def test_a_standard_view_looks_along_its_axis(axis: Any, kernel: Kernel) -> None:
    kernel.run(OUTLINE)
    with watching(kernel) as viewer:
        viewer.answered(viewer.send(InputEvent("action", action=axis)))
        position, focus, up, _ = camera(kernel)

    along = [f - p for p, f in zip(position, focus, strict=True)]
    expected = [(1 if axis[0] == "+" else -1) if name == axis[1] else 0 for name in "xyz"]
    length = sum(a * a for a in along) ** 0.5
    assert [round(a / length, 9) for a in along] == expected
    assert up == ([0, 1, 0] if axis[1] == "z" else [0, 0, 1])


def test_reset_shows_everything_as_reset_camera_does(pvpython: Interpreter, kernel: Kernel) -> None:
    away = HOME.replace("66", "6")
    pvpython.run(OUTLINE + away + "Render(view); ResetCamera(view)")
    kernel.run(OUTLINE + away)
    with watching(kernel) as viewer:
        viewer.answered(viewer.send(InputEvent("action", action="reset")))

    assert camera(kernel) == camera(pvpython)
    pvpython.run("Delete(view)")


# -- when there is a frame, and when there is none ---------------------------------------------------


def test_a_cell_that_changes_something_gives_a_frame_at_its_end(kernel: Kernel) -> None:
    kernel.run(WORLD + CONTOUR)
    with watching(kernel) as viewer:
        still = viewer.still()
        kernel.run("contour.Isosurfaces = [200.0]")
        changed = viewer.still(still.id)
        viewer.quiet()

    assert difference(pixels(still.data), pixels(changed.data)) != ""


def test_a_cell_that_leaves_paraview_alone_renders_nothing(kernel: Kernel) -> None:
    kernel.run(WORLD + CONTOUR)
    with watching(kernel) as viewer:
        viewer.still()
        count_renders(kernel, viewer)
        before = len(viewer.frames)
        for _ in range(5):
            kernel.run("answer = sum(range(1000))")
        time.sleep(0.3)

        assert len(viewer.frames) == before
        assert renders(kernel) == 0


def test_render_in_a_loop_shows_the_frames_as_it_goes(kernel: Kernel) -> None:
    kernel.run(WORLD + CONTOUR)
    with watching(kernel) as viewer:
        still = viewer.still()
        kernel.begin(
            "import time\n"
            "for value in range(100, 220, 10):\n"
            "    contour.Isosurfaces = [value]\n"
            "    Render(view)\n"
            "    time.sleep(0.1)\n"
        )
        viewer.until(lambda: len({f.id for f in viewer.frames if f.id > still.id}) >= 6)
        kernel.said()
        viewer.quiet()
        shown = {frame.id for frame in viewer.frames if frame.id > still.id}
        last = viewer.still()

    assert len(shown) >= 8
    assert difference(pixels(last.data), pixels(still.data)) != ""


def test_two_views_are_shown_at_once_and_one_outlives_the_other(kernel: Kernel) -> None:
    kernel.run(WORLD + CONTOUR + "first = view\n" + WORLD + "second = view; Show(Cone(), second)")
    with watching(kernel, "first") as one, watching(kernel, "second") as two:
        there = one.still()
        two.still()
        assert difference(pixels(there.data), pixels(two.frames[-1].data)) != ""
        kernel.run("Delete(second)")
        two.until(lambda: two.states and two.states[-1].state == "gone")
        one.drag(DRAG)
        one.still(there.id)

    assert "deleted" in two.states[-1].message
    assert all(state.state != "gone" for state in one.states)


def test_no_full_frame_comes_between_two_moves_however_slow_a_frame_is(kernel: Kernel) -> None:
    slow = (
        "import builtins, time, paraview.simple as simple\n"
        "builtins.smooth = []\n"
        "view = simple.GetActiveView()\n"
        "def slow(*_):\n"
        "    builtins.smooth.append(view.GetClientSideObject().GetUseFXAA())\n"
        "    time.sleep(0.2)\n"
        "view.SMProxy.AddObserver('StartEvent', slow)"
    )
    kernel.run(WORLD + CONTOUR)
    with watching(kernel) as viewer:
        still = viewer.still()
        kernel.run(f"session.desk.attribute('builtins', 'exec')({slow!r}, {{}})")
        viewer.quiet(1.0)
        kernel.run("session.desk.attribute('builtins', 'exec')('import builtins; builtins.smooth.clear()', {})")
        still = viewer.still(still.id)
        viewer.quiet(1.0)
        viewer.drag([(200 + step, 150) for step in range(90)], each=False, pause=0.016)
        viewer.still(viewer.frames[-1].id)
        smooth = kernel.run("answer = session.desk.attribute('builtins', 'smooth')")

    # The one that the cell before asked for, those of the drag, the still.
    assert smooth[1:-1] == [False] * (len(smooth) - 2)
    assert len(smooth) > 6
    assert smooth[-1]


def test_the_view_takes_the_size_of_its_viewer(kernel: Kernel) -> None:
    kernel.run(WORLD + CONTOUR)
    with watching(kernel) as viewer:
        still = viewer.still()
        for size in ((300, 200), (1001, 33), (64, 700)):
            viewer.resize(*size)
            still = viewer.still(still.id)

            assert (still.width, still.height) == size
            assert pixels(still.data).shape == (size[1], size[0], 3)
        assert kernel.run("answer = list(view.ViewSize)") == list(size)


def test_a_hidden_viewer_makes_no_work(kernel: Kernel) -> None:
    kernel.run(WORLD + CONTOUR)
    with watching(kernel) as viewer:
        viewer.still()
        count_renders(kernel, viewer)
        viewer.visible(False)
        for value in (110.0, 120.0, 130.0):
            kernel.run(f"contour.Isosurfaces = [{value}]")
        time.sleep(0.3)

        assert renders(kernel) == 0
        shown = viewer.frames[-1].id
        viewer.visible(True)
        viewer.still(shown)


def test_an_idle_view_renders_nothing_and_costs_nothing(kernel: Kernel) -> None:
    kernel.run(WORLD + CONTOUR)
    with watching(kernel) as viewer:
        viewer.still()
        processes = [psutil.Process(pid) for pid in (kernel.engine, kernel.streamer)]
        count_renders(kernel, viewer)
        frames = len(viewer.frames)
        spent = [sum(process.cpu_times()[:2]) for process in processes]
        woken = [process.num_ctx_switches().voluntary for process in processes]
        time.sleep(3)
        spent = [sum(process.cpu_times()[:2]) - past for process, past in zip(processes, spent, strict=True)]
        woken = [process.num_ctx_switches().voluntary - past for process, past in zip(processes, woken, strict=True)]

        assert len(viewer.frames) == frames
        assert renders(kernel) == 0
    # A clock tick is 10 ms.
    assert max(spent) <= 0.03
    assert max(woken) <= 15


def test_the_picture_is_the_same_at_every_size(kernel: Kernel, pvpython: Interpreter, tmp_path: Path) -> None:
    """Odd widths have rows that are no multiple of four bytes."""
    pvpython.run(SCENES["text"])
    kernel.run(SCENES["text"])
    with watching(kernel) as viewer:
        last = viewer.still().id
        for width, height in itertools.product((333, 640), (201, 360)):
            viewer.resize(width, height)
            still = viewer.still(last)
            last = still.id
            path = tmp_path / "plain.png"
            pvpython.run(
                f"view.ViewSize = [{width}, {height}]\n"
                f"SaveScreenshot({str(path)!r}, view, ImageResolution=[{width}, {height}])"
            )
            assert difference(pixels(path.read_bytes()), pixels(still.data)) == ""
    pvpython.run("Delete(view)")
