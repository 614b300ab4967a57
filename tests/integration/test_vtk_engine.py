"""An engine on VTK's wheel: taken where there is no ParaView, and its modules are mirrored as ParaView's are."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.interpreter import Kernel

pytestmark = pytest.mark.ways

EXAMPLE = """
from vtkmodules.vtkFiltersSources import vtkConeSource
from vtkmodules.vtkRenderingCore import (
    vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow, vtkRenderWindowInteractor)
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleTrackballCamera

cone = vtkConeSource(resolution=60, height=3.0)
mapper = vtkPolyDataMapper()
mapper.SetInputConnection(cone.GetOutputPort())
actor = vtkActor()
actor.SetMapper(mapper)
renderer = vtkRenderer()
renderer.AddActor(actor)
window = vtkRenderWindow()
window.AddRenderer(renderer)
interactor = vtkRenderWindowInteractor()
interactor.SetRenderWindow(window)
interactor.SetInteractorStyle(vtkInteractorStyleTrackballCamera())
interactor.Initialize()
window.Render()
interactor.Start()
"""
# Libraries that VTK draws with where there is no X.
OFFSCREEN = ("libEGL.so.1", "libOSMesa.so.8", "libOSMesa.so.6")


@pytest.fixture(scope="module")
def kernel(vtk_python: str) -> Iterator[Kernel]:
    with Kernel(vtk_python) as kernel:
        kernel.run("import pvlink; session = pvlink.start('vtk')")
        kernel.run(EXAMPLE)
        yield kernel


def test_it_is_taken_where_there_is_no_paraview_and_says_so(vtk_python: str, tmp_path: Path) -> None:
    with Kernel(vtk_python, PATH=str(tmp_path)) as kernel:
        kernel.run("from pvlink import pvpython; pvpython.PLACES = ()")
        said = kernel.attempt("import pvlink; session = pvlink.start(); answer = session.about['kind']")
        assert said.answer == "vtk"
        assert "VTK draws" in said.out
        assert "no ParaView was found" in said.out


def test_an_example_runs_to_its_end_and_is_a_live_view(kernel: Kernel) -> None:
    view = kernel.show("window")
    assert view == kernel.run("display(window); answer = pvlink.show().view")
    png = kernel.run("answer = len(widget.screenshot())")
    assert isinstance(png, int)
    assert png > 2000
    assert kernel.run("answer = window.GetInteractor().GetInteractorStyle().GetClassName()") == (
        "vtkInteractorStyleTrackballCamera"
    )


def test_the_whole_of_vtk_can_be_imported_at_once(kernel: Kernel) -> None:
    assert kernel.run("import vtk; answer = vtk.vtkVersion().GetVTKVersion()") == kernel.run(
        "answer = session.about['name'].removeprefix('VTK ')"
    )
    assert kernel.run("answer = len(dir(vtk)) > 2000 and vtk.VTK_FLOAT") == 10


def test_an_observer_of_the_kernel_hears_of_the_engines_objects(kernel: Kernel) -> None:
    kernel.run("heard = []; tag = cone.AddObserver('ModifiedEvent', lambda *about: heard.append(1))")
    kernel.run("cone.SetHeight(2.0)")
    assert kernel.run("import time; time.sleep(0.2); cone.GetHeight(); answer = len(heard)") >= 1


def test_what_a_mirror_cannot_is_said_in_words(kernel: Kernel) -> None:
    for code, word in (
        ("import paraview.simple", "This session draws with VTK alone"),
        ("import pyvista", "pvlink.show(plotter) needs no session"),
        ("class Mine(vtkActor):\n    pass", "no class here can inherit from it"),
    ):
        wrong = kernel.attempt(code).wrong
        assert wrong is not None
        assert word in wrong[1], code


def test_the_real_vtk_is_importable_after_the_session(vtk_python: str) -> None:
    with Kernel(vtk_python) as kernel:
        kernel.run("import pvlink; pvlink.start('vtk'); import vtkmodules; pvlink.stop()")
        assert kernel.run("import vtkmodules; answer = vtkmodules.__file__ is not None")
        kernel.run("import vtkmodules.vtkCommonCore")
        wrong = kernel.attempt("pvlink.start('vtk')").wrong
        assert wrong is not None
        assert "imported its own VTK already" in wrong[1]


def test_a_killed_engine_is_said_to_be_vtk_and_comes_back_empty(vtk_python: str) -> None:
    with Kernel(vtk_python) as kernel:
        kernel.run("import pvlink, os, signal; session = pvlink.start('vtk')")
        kernel.run(EXAMPLE)
        kernel.run("os.kill(session.about['pid'], signal.SIGKILL)")
        wrong = kernel.attempt("window.Render()").wrong
        assert wrong is not None
        assert wrong[0] == "EngineLost"
        assert "VTK's process has ended with signal 9" in wrong[1]
        assert "VTK starts empty" in kernel.attempt("session.restart()").out
        kernel.run(EXAMPLE)
        assert kernel.run("answer = len(pvlink.show(window).screenshot())") > 2000


def test_what_vtk_draws_with_is_tried_before_it_is_relied_on(vtk_python: str, tmp_path: Path) -> None:
    """Without EGL and OSMesa VTK would end its process at the first render: Xvfb takes their place, or a sentence."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("hiding a machine's libraries needs root and unshare")
    listing = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    hidden = [line.split()[-1] for line in listing.splitlines() if any(name in line for name in OFFSCREEN)]
    script = tmp_path / "start.py"
    script.write_text(
        textwrap.dedent("""
        import pvlink, sys
        try:
            with pvlink.start("vtk") as session:
                print(session.about["screen"])
        except pvlink.PvlinkError as error:
            print(error)
        """)
    )
    hide = " && ".join(f"mount --bind /dev/null {library}" for library in hidden) or "true"
    for path, word in ((os.environ["PATH"], "its own X server"), (str(tmp_path), "neither EGL nor OSMesa works here")):
        told = subprocess.run(
            ["unshare", "--mount", "sh", "-c", f"{hide} && PATH={path} exec {vtk_python} -P {script}"],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={key: value for key, value in os.environ.items() if key != "DISPLAY"},
        )
        assert word in told.stdout, told.stderr
