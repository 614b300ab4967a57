"""The examples run from top to bottom, each in the Python it is for; what a cell shows is a picture of something."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.scenes import pixels

pytestmark = pytest.mark.ways

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
# Which Python each is for, by fixture ("": this one), and how many pictures it shows.
EXAMPLES = {
    "02-pyvista": ("vtk_python", 2),
    "03-numpy-xarray": ("", 3),
    "04-paraview-in-the-kernel": ("paraview_python", 1),
    "05-parallel-server": ("", 1),
}


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    return list(json.loads(notebook.read_text())["cells"])


def executed(notebook: Path, python: str, home: Path) -> list[dict[str, Any]]:
    """Its cells after a program has run it."""
    spec = home / "kernels" / "example"
    spec.mkdir(parents=True)
    argv = [python, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "", "language": "python"}))
    command = [sys.executable, "-P", "-m", "nbconvert", "--to=notebook", "--execute", f"--output-dir={home}"]
    done = subprocess.run(
        [*command, "--ExecutePreprocessor.kernel_name=example", str(notebook)],
        cwd=home,
        env={**os.environ, "JUPYTER_PATH": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return cells_of(home / notebook.name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_and_shows_its_pictures(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    fixture, count = EXAMPLES[name]
    python = request.getfixturevalue(fixture) if fixture else sys.executable
    cells = executed(NOTEBOOKS / f"{name}.ipynb", python, tmp_path)
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert len(pictures) == count
    for number, picture in enumerate(pictures):
        (tmp_path / f"{number}.png").write_bytes(base64.b64decode(picture))
        assert pixels(base64.b64decode(picture)).std() > 5


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_an_example_is_kept_without_outputs(notebook: Path) -> None:
    for cell in cells_of(notebook):
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
