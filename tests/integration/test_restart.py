"""`session.restart()` brings back the pipeline, its views in the same cells, and what variables stand for."""

from __future__ import annotations

import base64
import os
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.household import household, listeners, until, x_socket
from tests.integration.interpreter import Kernel
from tests.integration.scenes import SCENES, difference, pixels
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.trust

CONE = "cone = Cone(Resolution=12); shown = Show(cone); view = GetActiveView(); view.ViewSize = [320, 240]\n"
LOOK = "import base64; answer = base64.b64encode(pvlink.show(view).screenshot()).decode()"


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def run_and_save(kernel: Kernel, code: str) -> Any:
    """Run a cell; what it did is written down before this returns."""
    answer = kernel.run(code)
    kernel.run("session.desk.save()")
    return answer


def restart(kernel: Kernel) -> str:
    said = kernel.attempt("session.restart()")
    assert said.wrong is None, said
    return said.out


def picture(kernel: Kernel) -> Any:
    return pixels(base64.b64decode(kernel.run(LOOK)))


def failure(kernel: Kernel, code: str) -> tuple[str, str]:
    wrong = kernel.attempt(code).wrong
    assert wrong is not None, f"{code} did not fail"
    return wrong


# -- the pipeline --------------------------------------------------------------------------------------


# One for each time; the other scenes are for a long night.
@pytest.mark.parametrize(
    "scene", [pytest.param(scene, marks=[pytest.mark.soak] * (number != 1)) for number, scene in enumerate(SCENES)]
)
def test_the_picture_after_is_the_picture_before(scene: str) -> None:
    with Kernel.started() as kernel:
        kernel.run(SCENES[scene])
        before = picture(kernel)
        run_and_save(kernel, "GetActiveView()")
        kill(kernel.engine)
        assert restart(kernel) == "pvlink: the pipeline is back.\n"

        assert difference(before, picture(kernel)) == ""


EVERYTHING = """\
wavelet = Wavelet()
wavelet.UpdatePipeline()
cut = Slice(Input=wavelet); cut.SliceType.Normal = [0.0, 1.0, 0.5]
script = ProgrammableFilter(Input=wavelet, Script="output.ShallowCopy(inputs[0].VTKObject)")
glyphs = Glyph(Input=cut, GlyphType="Cone")
view = CreateView("RenderView"); chart = CreateView("XYChartView"); view.ViewSize = [320, 240]
layout = CreateLayout("Both"); AssignViewToLayout(view, layout)
shown = Show(cut, view); ColorBy(shown, ("POINTS", "RTData")); colours = GetColorTransferFunction("RTData")
colours.RescaleTransferFunction(50.0, 200.0)
line = PlotOverLine(Input=wavelet); plotted = Show(line, chart)
camera = view.GetActiveCamera()
Render(view)
camera.Azimuth(30); camera.SetViewAngle(25)
axes = view.AxesGrid; axes.Visibility = 1
scene = GetAnimationScene(); scene.StartTime = 0.0; scene.EndTime = 9.0; scene.PlayMode = "Sequence"
scene.AnimationTime = 4.0
SetActiveView(view); SetActiveSource(cut)
RenameSource("the cut", cut)
"""
FACTS = """\
answer = [str(x) for x in (
    cut.SliceType.Normal, script.Script, glyphs.GlyphType.SMProxy.GetXMLName(), camera.GetPosition(),
    view.CameraPosition, camera.GetViewAngle(), axes.Visibility, scene.AnimationTime, scene.EndTime, view.ViewTime,
    colours.RGBPoints, shown.Visibility, shown.ColorArrayName, plotted.Visibility, GetActiveView() == view,
    GetActiveSource() == cut, FindSource("the cut") == cut, sorted(name for name, _ in GetSources()),
    len(GetViews()), GetDisplayProperties(cut, view) == shown, layout.SMProxy.GetViewLocation(view.SMProxy),
    GetLayout(view) == layout, glyphs.Input == cut,
)]
"""


def test_all_that_a_user_made_is_there_and_variables_stand_for_it() -> None:
    with Kernel.started() as kernel:
        kernel.run(EVERYTHING)
        before = run_and_save(kernel, FACTS)
        names = [kernel.show("view"), kernel.show("chart")]
        run_and_save(kernel, "GetActiveView()")
        for _ in range(2):
            kill(kernel.engine)
            restart(kernel)

            assert kernel.run(FACTS) == before
            assert [kernel.show("view"), kernel.show("chart")] == names
        kernel.run("cut.SliceType.Normal = [1.0, 0.0, 0.0]; Show(glyphs, view); Render(view)")


def test_what_cannot_come_back_says_so() -> None:
    with Kernel.started() as kernel:
        run_and_save(kernel, CONE + "gone = Sphere(); Delete(gone)\ndata = servermanager.Fetch(cone)\n")
        kill(kernel.engine)
        restart(kernel)
        for code in ("data.GetNumberOfCells()", "Show(data)"):
            name, message = failure(kernel, code)
            assert name == "ObjectLost"
            assert "did not come back with the pipeline" in message
            assert "FindSource(...)" in message
        assert kernel.run("from pvlink.wire import ObjectLost; answer = issubclass(ObjectLost, pvlink.EngineLost)")


@pytest.mark.soak
def test_a_view_made_later_never_takes_the_name_of_an_earlier_one() -> None:
    with Kernel.started() as kernel:
        kernel.run(CONE)
        names = [kernel.show("view"), kernel.show("CreateView('RenderView')")]
        run_and_save(kernel, "Delete(GetActiveView()); SetActiveView(view)")
        kill(kernel.engine)
        restart(kernel)
        names += [kernel.show("CreateView('RenderView')") for _ in range(3)]

        assert len(set(names)) == len(names)
        assert kernel.show("view") == names[0]


def test_a_camera_moved_by_hand_is_where_the_hand_left_it() -> None:
    with Kernel.started() as kernel:
        kernel.run(CONE)
        with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
            viewer.still()
            viewer.drag([(160, 120), (180, 130), (220, 150), (240, 160)])
            viewer.quiet()
            placed = viewer.still().camera
            assert placed is not None
            digits = repr(placed.position[0])[:12]
            found = (
                f"state = session._place.saved.newest(); answer = {digits!r} in str(state.facts) + state.xml.decode()"
            )
            until(partial(kernel.run, found))
            kill(kernel.engine)
            restart(kernel)
            last = viewer.frames[-1].id
            viewer.resize(322, 240)
            after = viewer.still(last).camera
        assert after is not None
        assert after.position == pytest.approx(placed.position)
        assert after.view_up == pytest.approx(placed.view_up)


# -- who watches ---------------------------------------------------------------------------------------


@pytest.mark.soak
def test_a_viewer_that_stays_sees_the_pipeline_again() -> None:
    with Kernel.started() as kernel:
        run_and_save(kernel, CONE)
        view = kernel.show("view")
        with Watcher(kernel.socket(), view, 320, 240) as viewer:
            before = viewer.still()
            kill(kernel.engine)
            viewer.until(lambda: viewer.states and viewer.states[-1].state == "lost")
            assert "pvlink.session().restart()" in viewer.states[-1].message
            restart(kernel)
            after = viewer.still(before.id)
            viewer.until(lambda: viewer.states[-1].state == "live")
            assert difference(pixels(before.data), pixels(after.data)) == ""
            viewer.drag([(160, 120), (180, 130)])
        assert kernel.show("view") == view


def test_a_new_streamer_under_the_old_name_and_paraview_untouched() -> None:
    with Kernel.started() as kernel:
        kernel.run(CONE)
        engine, view, path = kernel.engine, kernel.show("view"), kernel.socket()
        with Watcher(path, view, 320, 240) as viewer:
            before = viewer.still()
            kill(kernel.streamer)
            viewer.until_closed()
        # The engine removes what the streamer left.
        until(lambda: not path.exists(), 2)
        assert restart(kernel) == "pvlink: the pictures are back; ParaView was not touched.\n"
        with Watcher(kernel.socket(), view, 320, 240) as viewer:
            assert difference(pixels(before.data), pixels(viewer.still().data)) == ""
            viewer.drag([(160, 120), (180, 130)])
        assert kernel.engine == engine
        assert kernel.run("cone.Resolution = 5; answer = len(widget.screenshot()) > 0")
        assert listeners(kernel.directory) == [path.name]


@pytest.mark.parametrize(
    "how",
    [
        "both killed",
        pytest.param("engine stopped", marks=pytest.mark.soak),
        pytest.param("both stopped", marks=pytest.mark.soak),
        pytest.param("both well", marks=pytest.mark.soak),
    ],
)
def test_whatever_the_two_are_like_they_are_brought_back(how: str) -> None:
    with Kernel.started() as kernel:
        run_and_save(kernel, CONE)
        engine, streamer, before = kernel.engine, kernel.streamer, picture(kernel)
        x = x_socket(kernel.run("answer = session.about['screen']"))
        sent = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP, "well": signal.SIGCONT}[how.split()[1]]
        for pid in (engine, streamer) if how.startswith("both") else (engine,):
            os.kill(pid, sent)
        assert "the pipeline is back" in restart(kernel)

        assert difference(before, picture(kernel)) == ""
        assert kernel.run("answer = cone.Resolution") == 12
        assert kernel.engine != engine
        until(lambda: sorted(household(kernel.directory).values()) == sorted(["python"] * 2 + ["pvpython", "Xvfb"]))
        if x != x_socket(kernel.run("answer = session.about['screen']")):
            until(lambda: not x.exists())
        kernel.run("pvlink.stop()")
        assert listeners(kernel.directory) == []


def test_each_cell_is_written_down_when_it_has_ended() -> None:
    with Kernel.started() as kernel:
        for name in ("first", "second"):
            kernel.run(f"Sphere(registrationName={name!r})")
            found = f"answer = {name!r} in session._place.saved.newest().xml.decode()"
            until(partial(kernel.run, found))


def test_what_the_cell_that_restarts_has_done_is_kept_too() -> None:
    with Kernel.started() as kernel:
        kernel.run(CONE)
        assert kernel.run("cone.Resolution = 7; session.restart(); answer = cone.Resolution") == 7


# -- when it goes wrong --------------------------------------------------------------------------------


def test_nothing_saved_is_said() -> None:
    with Kernel.started() as kernel:
        kernel.run("session._place.saved.close(); from pvlink.saved import Saved; session._place.saved = Saved()")
        kill(kernel.engine)
        name, message = failure(kernel, "Cone()")
        assert name == "EngineLost"
        assert "Nothing of a pipeline had been saved" in message
        assert "nothing had been saved; ParaView starts empty" in restart(kernel)
        kernel.run(CONE)


@pytest.mark.soak
def test_a_pipeline_that_kills_its_engine_can_be_tried_again_or_kept_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "kept.pvsm"
    with Kernel.started() as kernel:
        run_and_save(kernel, CONE)
        kernel.run(
            "import os; bring_back = session._bring_back\n"
            "def deadly(fresh, *rest):\n    os.kill(fresh.pid, 9)\n    return bring_back(fresh, *rest)\n"
            "session._bring_back = deadly"
        )
        kill(kernel.engine)
        for _ in range(2):
            name, message = failure(kernel, "session.restart()")
            assert name == "EngineLost"
            assert "ended again (signal 9) while the pipeline was brought back" in message
            assert "save_state(" in message
        kernel.run(f"session.save_state({str(file)!r})")
        assert b"ServerManagerState" in file.read_bytes()
        assert sorted(household(kernel.directory).values()) == ["python", "python"]
        kernel.run("session._bring_back = bring_back")
        restart(kernel)
        assert kernel.run("answer = cone.Resolution") == 12


def test_a_restart_may_be_interrupted_and_tried_again(tmp_path: Path) -> None:
    # A ParaView that can be made to wait in its start: no interrupt comes too late.
    held, here, program = tmp_path / "held", tmp_path / "here", tmp_path / "pvpython"
    wait = f'while [ -e "{held}" ]; do touch "{here}"; sleep 0.05; done'
    program.write_text(f'#!/bin/sh\n{wait}\nexec "{shutil.which("pvpython")}" "$@"\n')
    program.chmod(0o755)
    with Kernel.started(PVLINK_PVPYTHON=str(program)) as kernel:
        run_and_save(kernel, CONE)
        kill(kernel.engine)
        until(lambda: not {"pvpython", "Xvfb"} & set(household(kernel.directory).values()))
        held.touch()
        kernel.begin("session.restart()")
        until(here.exists)
        os.kill(kernel.process.pid, signal.SIGINT)
        said = kernel.said(20)
        assert said.wrong is not None
        assert said.wrong[0] == "KeyboardInterrupt"
        assert said.out.count("Traceback") == 1
        until(lambda: set(household(kernel.directory).values()) == {"python"})
        held.unlink()
        restart(kernel)
        assert kernel.run("answer = cone.Resolution") == 12


def test_the_session_is_there_until_it_is_stopped() -> None:
    with Kernel.started() as kernel:
        kernel.run(CONE)
        kill(kernel.engine)
        until(lambda: kernel.run("answer = not session.alive"))
        assert kernel.run("answer = pvlink.session() is session")
        kernel.run("pvlink.session().restart()")
        assert kernel.run("answer = session.alive")
        kernel.run("pvlink.stop()")
        assert kernel.run("answer = pvlink.session() is None")
        name, message = failure(kernel, "session.restart()")
        assert name == "EngineLost"
        assert "This session was stopped. Run pvlink.start()" in message
