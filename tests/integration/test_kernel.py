"""ParaView used from the cells of a real kernel."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink import rendezvous
from tests.integration.cells import START, Cells
from tests.unit.streamer.harness import Viewer

pytestmark = pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython")

ROOT = Path(__file__).parents[2]
# Takes several seconds and tells its progress often.
HEAVY = """
wavelet = Wavelet(registrationName="heavy", WholeExtent=[-90, 90] * 3)
contour = Contour(Input=wavelet, ContourBy=["POINTS", "RTData"], Isosurfaces=[100, 120, 140, 157, 180])
smooth = Smooth(Input=contour, NumberofIterations=400)
"""
LARGE = "wavelet.WholeExtent = [-90, 90] * 3; "
SMALL = "wavelet.WholeExtent = [-20, 20] * 3\n"
COUNT = "smooth.UpdatePipeline(); smooth.GetDataInformation().GetNumberOfCells()"


@pytest.fixture(scope="module")
def cells() -> Iterator[Cells]:
    with Cells() as kernel:
        started = kernel.run(START)
        assert started.error is None, started.error
        yield kernel


def interruptible(code: str) -> str:
    """Prints when the interrupt was felt, by the clock that all processes share."""
    return f"import time\ntry:\n    {code}\nexcept KeyboardInterrupt:\n    print(time.monotonic())"


# -- output --------------------------------------------------------------------------------------


def test_what_paraview_prints_appears_in_the_cell_that_caused_it(cells: Cells) -> None:
    first = cells.run("p = ProgrammableSource(Script=\"print('from the engine')\"); p.UpdatePipeline()")
    second = cells.run("1 + 1")
    assert (first.out, second.out, second.result) == ("from the engine\n", "", "2")


def test_a_cpp_warning_appears_in_the_cell_that_caused_it(cells: Cells, tmp_path: Path) -> None:
    (tmp_path / "bad.vtp").write_text("this is no XML")
    shown = cells.run(f"XMLPolyDataReader(FileName=[{str(tmp_path / 'bad.vtp')!r}]).UpdatePipeline()")
    assert "vtkXMLDataParser" in shown.err or "XML" in shown.err
    assert shown.error is None


def test_output_comes_while_a_long_call_still_runs(cells: Cells) -> None:
    script = "import time\\nfor i in range(4):\\n    print('step', i)\\n    time.sleep(0.3)"
    cell = cells.send(f'p = ProgrammableSource(Script="{script}"); p.UpdatePipeline(); print("done")')
    shown = cells.until_idle(cell)
    assert shown.out == "step 0\nstep 1\nstep 2\nstep 3\ndone\n"


def test_an_error_in_a_cell_is_that_of_paraview_with_where_it_was_raised(cells: Cells) -> None:
    shown = cells.run("wavelet = Wavelet(); wavelet.Maximun = 3")
    assert shown.error is not None
    kind, message, trace = shown.error
    plain = re.sub(r"\x1b\[[0-9;]*m", "", trace)
    assert kind == "AttributeError"
    assert message.startswith("Attribute Maximun does not exist.")
    assert "In ParaView's process:" in plain
    assert "paraview/servermanager.py" in plain


# -- looking at things ---------------------------------------------------------------------------


def test_completion_help_and_repr_work_as_in_any_module(cells: Cells) -> None:
    cells.run("wavelet = Wavelet()")
    assert "Contour" in " ".join(cells.complete("Conto"))
    assert any("Maximum" in match for match in cells.complete("wavelet.Maxi"))
    assert any("servermanager" in match for match in cells.complete("from paraview import serverm"))
    assert re.match(r"<paraview\.servermanager\.Wavelet object at 0x", cells.run("wavelet").result or "")
    assert "sphere" in (cells.run("print(Sphere.__doc__)").out).lower()
    assert cells.run("Contour?").error is None
    assert cells.value("'Maximum' in dir(wavelet)")


def test_a_list_of_proxies_is_shown_without_pictures(cells: Cells) -> None:
    shown = cells.run("[Sphere(), 3]")
    assert shown.error is None
    assert "Sphere object" in (shown.result or "")


def test_timeit_and_asyncio_cells_work(cells: Cells) -> None:
    assert "per loop" in cells.run("%timeit -n 20 -r 1 wavelet.Maximum").out
    shown = cells.run(
        "import asyncio\n"
        "async def work(n):\n    await asyncio.sleep(0)\n    return Sphere(Radius=n).Radius\n"
        "await asyncio.gather(*(work(n) for n in (1, 2, 3)))"
    )
    assert shown.result == "[1.0, 2.0, 3.0]"
    assert cells.run("await asyncio.to_thread(lambda: Sphere(Radius=4).Radius)").result == "4.0"


def test_threads_of_a_cell_that_goes_on_may_use_paraview(cells: Cells) -> None:
    cells.run(
        "import threading\nradii = []\n"
        "def work():\n    for n in range(1, 51):\n        radii.append(Sphere(Radius=n).Radius)\n"
        "thread = threading.Thread(target=work); thread.start()"
    )
    assert cells.value("[Cone(Radius=n).Radius for n in (1, 2)]") == [1.0, 2.0]
    assert cells.value("thread.join(30), radii == list(range(1, 51))") == (None, True)


# -- interrupting --------------------------------------------------------------------------------


def test_interrupting_ends_the_wait_at_once_and_results_are_right_afterwards(cells: Cells) -> None:
    cells.run(HEAVY + SMALL + COUNT)
    expected = cells.value(COUNT)
    assert expected > 100_000
    shown = cells.run(interruptible(LARGE + "smooth.UpdatePipeline()"), interrupt_after=1.0)
    assert float(shown.out) - shown.interrupted < 0.5
    assert cells.value(SMALL + COUNT) == expected
    cells.run("Delete(smooth); Delete(contour); Delete(wavelet)")


def test_what_was_interrupted_is_made_anew_when_it_is_asked_for(cells: Cells) -> None:
    cells.run(
        "wavelet = Wavelet(WholeExtent=[-20, 20] * 3)\n"
        "contour = Contour(Input=wavelet, ContourBy=['POINTS', 'RTData'], Isosurfaces=[157.0])\n"
        "smooth = Smooth(Input=contour, NumberofIterations=5000, Convergence=0.0)\n"
        "area = IntegrateVariables(Input=smooth)"
    )
    area = "(area.UpdatePipeline(), area.CellData['Area'].GetRange()[0])[1]"
    expected = cells.value(area)
    cells.run("contour.Isosurfaces = [100.0]; contour.UpdatePipeline(); contour.Isosurfaces = [157.0]")
    shown = cells.run("area.UpdatePipeline()", interrupt_after=0.8)
    assert shown.error is not None
    assert shown.error[0] == "KeyboardInterrupt"
    assert cells.value(area) == expected
    cells.run("Delete(area); Delete(smooth); Delete(contour); Delete(wavelet)")


def test_interrupting_a_loop_of_short_calls_ends_it(cells: Cells) -> None:
    cells.run("sphere = Sphere()")
    shown = cells.run(interruptible("while True: sphere.Radius"), interrupt_after=0.5)
    assert float(shown.out) - shown.interrupted < 0.5
    assert cells.value("sphere.Radius") == 0.5


def test_the_trace_of_an_interrupt_ends_in_the_users_own_line(cells: Cells) -> None:
    shown = cells.run("import time\ntime.sleep(60)", interrupt_after=0.3)
    assert shown.error is not None
    assert "time.sleep" in shown.error[2]
    assert "pvlink" not in shown.error[2]


def test_an_interrupt_that_struck_a_call_is_not_felt_in_the_next_cell(cells: Cells) -> None:
    cells.run("import signal, os\nsphere = Sphere()")
    for _ in range(5):
        shown = cells.run(
            "for _ in range(20): sphere.Radius\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(10**8): pass"
        )
        assert shown.error is not None
        assert cells.value("sphere.Radius") == 0.5


# -- progress ------------------------------------------------------------------------------------


def test_a_bar_comes_after_a_second_and_goes_away(cells: Cells) -> None:
    quick = cells.run("Wavelet().UpdatePipeline()")
    assert quick.html == []
    shown = cells.run(f"{HEAVY}\ncontour.UpdatePipeline()")
    if shown.seconds > 2:
        assert "<progress" in shown.html[0]
        assert re.search(r"(Contour|Wavelet|RTAnalyticSource).* \d+%, \d+ s", shown.html[0])
        assert len(shown.html) <= 2 + shown.seconds / 0.25
    assert shown.html == [] or shown.html[-1] == ""
    cells.run("Delete(smooth); Delete(contour); Delete(wavelet)")


# -- observers -----------------------------------------------------------------------------------


def test_an_observer_runs_in_the_kernel_and_its_output_is_the_cells(cells: Cells) -> None:
    shown = cells.run(
        "sphere = Sphere(); seen = []\n"
        "def look(caller, event):\n    seen.append(event); print('saw', event, caller.GetXMLName())\n"
        "tag = sphere.SMProxy.AddObserver('PropertyModifiedEvent', look)\n"
        "sphere.Radius = 2; sphere.Radius"
    )
    assert "saw PropertyModifiedEvent SphereSource" in shown.out
    assert cells.value("sphere.SMProxy.RemoveObserver(tag); sphere.Radius = 3; (sphere.Radius, len(seen))") == (3.0, 1)


def test_an_observer_that_raises_shows_its_trace_and_nothing_else_happens(cells: Cells) -> None:
    shown = cells.run(
        "def broken(*_):\n    raise ValueError('mine')\n"
        "tag = sphere.SMProxy.AddObserver('PropertyModifiedEvent', broken)\nsphere.Radius = 4; sphere.Radius"
    )
    assert shown.result == "4.0"
    assert "ValueError: mine" in shown.err
    cells.run("sphere.SMProxy.RemoveObserver(tag)")


def test_an_observer_may_use_paraview(cells: Cells) -> None:
    shown = cells.run(
        "tag = sphere.SMProxy.AddObserver('PropertyModifiedEvent', lambda *_: seen.append(sphere.ThetaResolution))\n"
        "seen.clear(); sphere.Radius = 5; sphere.Radius, seen"
    )
    assert shown.result == "(5.0, [8])"
    cells.run("sphere.SMProxy.RemoveObserver(tag)")


async def test_a_busy_kernel_holds_up_neither_the_view_nor_its_observers(cells: Cells) -> None:
    cells.run(
        "view = CreateRenderView(); view.ViewSize = [320, 240]; Show(Cone(), view); Render(view); ends = []\n"
        "tag = view.SMProxy.AddObserver('EndEvent', lambda *_: ends.append(1))\n"
        "import pvlink; widget = pvlink.show(view)"
    )
    session, identity = cells.value("(widget.session, widget.view)")
    viewer = await Viewer.watching(rendezvous.create() / f"{session}.sock", identity)
    try:
        busy = cells.send("import time\nend = time.time() + 3\nwhile time.time() < end: pass")
        await asyncio.sleep(0.3)  # so that the kernel has begun
        before = len(viewer.frames)
        for step in range(40):
            event = {"type": "move" if step else "down", "x": 0.3 + step / 100, "y": 0.5, "button": 0}
            await viewer.ask("pvlink.input", {"events": [event], "seq": step + 1})
            await asyncio.sleep(0.05)
        frames = len(viewer.frames) - before
        cells.until_idle(busy)
        assert frames >= 10
    finally:
        await viewer.close()
    assert cells.value("len(ends) > 0")
    cells.run("view.SMProxy.RemoveObserver(tag); Delete(view)")


# -- sessions ------------------------------------------------------------------------------------


def test_another_paraview_ends_the_first_and_says_so(cells: Cells) -> None:
    shown = cells.run(
        "first = session; session = pvlink.start(pvpython='pvpython', display='own'); first is session, first.alive"
    )
    assert shown.result == "(False, False)"
    assert "ends, another ParaView starts" in shown.out
    old = cells.run("sphere.Radius")
    assert old.error is not None
    assert old.error[0] == "EngineLost"
    assert "Run pvlink.start()" in old.error[1]
    assert cells.value("from paraview.simple import Sphere; Sphere().Radius") == 0.5
    mixed = cells.run("Show(sphere)")
    assert mixed.error is not None
    assert "was in a ParaView process that has ended" in mixed.error[1]


def test_stopping_twice_is_stopping_once(cells: Cells) -> None:
    assert cells.run("pvlink.stop(); pvlink.stop(); session.stop(); session").result == cells.run("session").result
    assert cells.value("pvlink.session() is None")
    for code, kind in (("Sphere()", "PvlinkError"), ("import paraview.simple", "ModuleNotFoundError")):
        shown = cells.run(code)
        assert shown.error is not None
        assert shown.error[0] == kind
        assert "Call pvlink.start() first" in shown.error[1]


# -- without a notebook --------------------------------------------------------------------------


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_plain_script_needs_no_notebook() -> None:
    done = python(
        """
        from pvlink.simple import *
        import pvlink
        assert "Contour" in dir(pvlink.simple) and pvlink.simple.Sphere is Sphere
        with pvlink.session() as session:
            print(Sphere().Radius, session.alive)
        print(session.alive, pvlink.session())
        """
    )
    assert done.stdout == "0.5 True\nFalse None\n", done.stderr
    assert done.returncode == 0


def test_a_script_that_just_ends_leaves_nothing_and_says_nothing() -> None:
    done = python("import pvlink; pvlink.start(); from paraview.simple import Sphere; keep = Sphere()")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
