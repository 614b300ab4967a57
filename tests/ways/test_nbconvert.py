"""Notebooks that a program runs and turns into something else: the last picture is there, and no process is left."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.conftest import SIX_LINES, Keep, window
from tests.browser.jupyter import write_notebook
from tests.browser.view import blank
from tests.trust.real import needs_paraview

pytestmark = pytest.mark.ways
# By which all processes are found that a run has started, whoever their parent is by now.
MARK = "PVLINK_TEST_RUN"
VTK_LINES = """\
import pvlink
pvlink.start("vtk")
from vtkmodules.vtkFiltersSources import vtkConeSource
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow
cone = vtkConeSource()
mapper = vtkPolyDataMapper()
mapper.SetInputConnection(cone.GetOutputPort())
actor = vtkActor()
actor.SetMapper(mapper)
renderer = vtkRenderer()
renderer.AddActor(actor)
window = vtkRenderWindow()
window.AddRenderer(renderer)
display(window)"""


def left_of(run: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == run and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


def nbconvert(notebook: Path, *arguments: str) -> None:
    """As on the command line, and nothing goes on afterwards."""
    environment = {**os.environ, MARK: notebook.name, "HOME": str(notebook.parent)}
    command = [sys.executable, "-P", "-m", "nbconvert", *arguments, notebook.name]
    done = subprocess.run(
        command, cwd=notebook.parent, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "not able to be represented" not in done.stderr
    deadline = time.monotonic() + 5
    while (left := left_of(notebook.name)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def offline(browser: Browser, page: Path, keep: Keep, name: str) -> None:
    """The page, opened where there is no network, shows one picture of a scene, and no widget."""
    with window(browser, offline=True) as context:
        opened = context.new_page()
        opened.goto(page.as_uri())
        pictures = opened.locator(".jp-OutputArea img")
        assert pictures.count() == 1
        shown = pictures.evaluate("image => [image.complete, image.naturalWidth, image.naturalHeight]")
        assert shown == [True, 960, 480]
        assert opened.locator("script[type='application/vnd.jupyter.widget-view+json']").count() == 0
        assert not blank(np.asarray(Image.open(io.BytesIO(pictures.screenshot())).convert("RGB")))
        keep(opened, name)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As papermill and nbclient leave it."""
    home = tmp_path_factory.mktemp("executed")
    write_notebook(home / "plain.ipynb", [SIX_LINES])
    nbconvert(home / "plain.ipynb", "--to=notebook", "--execute", "--output=run.ipynb")
    return home / "run.ipynb"


@needs_paraview
def test_a_notebook_that_a_program_ran_is_a_web_page_with_the_picture(
    executed: Path, browser: Browser, keep: Keep
) -> None:
    nbconvert(executed, "--to=html")
    offline(browser, executed.with_suffix(".html"), keep, "nbconvert-html")


@needs_paraview
def test_it_is_markdown_with_the_picture_in_a_file(executed: Path) -> None:
    nbconvert(executed, "--to=markdown")
    (name,) = re.findall(r"!\[png\]\((.+?)\)", executed.with_suffix(".md").read_text())
    picture = np.asarray(Image.open(executed.parent / name).convert("RGB"))
    assert picture.shape == (480, 960, 3)
    assert not blank(picture)


def test_a_notebook_on_vtk_alone_is_run_and_converted_in_one_go(
    vtk_python: str, tmp_path: Path, browser: Browser, keep: Keep
) -> None:
    write_notebook(tmp_path / "vtk.ipynb", [VTK_LINES])
    kernel = tmp_path / ".local" / "share" / "jupyter" / "kernels" / "vtk"
    kernel.mkdir(parents=True)
    argv = [vtk_python, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "VTK", "language": "python"}))
    nbconvert(tmp_path / "vtk.ipynb", "--to=html", "--execute", "--ExecutePreprocessor.kernel_name=vtk")
    offline(browser, tmp_path / "vtk.html", keep, "nbconvert-vtk")
