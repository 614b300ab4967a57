"""The examples in JupyterLab, as a user runs them: each view is alive, shows something, and turns."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Keep
from tests.browser.jupyter import Server
from tests.browser.notebook import Notebook
from tests.browser.view import blank, changed

pytestmark = pytest.mark.ways

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
# Which Python each is for, by fixture ("": this one).
EXAMPLES = [
    pytest.param("02-pyvista", "vtk_python", id="PyVista", marks=pytest.mark.soak),
    pytest.param("03-numpy-xarray", "", id="arrays", marks=pytest.mark.soak),
    pytest.param("04-paraview-in-the-kernel", "paraview_python", id="ParaView in the kernel", marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("name", "fixture"), EXAMPLES)
def test_an_example_is_alive_in_every_cell(
    name: str, fixture: str, request: pytest.FixtureRequest, jupyter: Server, page: Page, keep: Keep
) -> None:
    python = request.getfixturevalue(fixture) if fixture else sys.executable
    spec = jupyter.root.parent / "data" / "kernels" / name
    spec.mkdir(parents=True)
    argv = [python, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": "python"}))
    copied = jupyter.root / f"{name}.ipynb"
    shutil.copy(NOTEBOOKS / copied.name, copied)
    made = json.loads(copied.read_text())
    made["metadata"]["kernelspec"]["name"] = name
    copied.write_text(json.dumps(made))

    before = jupyter.kernels()
    opened = Notebook(page, jupyter, copied.name, others=before).open()
    code = [number for number, cell in enumerate(made["cells"]) if cell["cell_type"] == "code"]
    shown = 0
    for number in code:
        opened.run(number)
        if any("pvlink.view" in kind for output in opened.outputs(number) for kind in output.get("data", {})):
            view = opened.view(shown)
            shown += 1
            # One that cannot be seen asks for no pictures.
            view.host.scroll_into_view_if_needed()
            view.live()
            rested = view.rests()
            assert not blank(rested)
            assert changed(rested, view.after(view.drag)) > 0.02
            # Now: the first picture may be of the plotter's own shape, until the cell's is drawn.
            keep(page, f"example-{name}-{shown}")
    assert shown
    jupyter.end_kernels(but=before)
