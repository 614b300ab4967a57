"""A Jupyter kernel on ParaView's own Python, as a notebook uses it."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pytest
from jupyter_client.manager import start_new_kernel
from PIL import Image

from pvlink import kernelspec
from tests.integration.cells import Cells

PVPYTHON = shutil.which("pvpython")
pytestmark = [
    pytest.mark.ways,
    pytest.mark.skipif(PVPYTHON is None, reason="no pvpython on the PATH"),
]


class Kernel(Cells):
    """Cells of a kernel that pvlink has made, in a Jupyter without a display."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self._name, self._environment = name, environment

    def __enter__(self) -> Self:
        self.manager, self.client = start_new_kernel(
            kernel_name=self._name, env=self._environment, extra_arguments=["--log-level=ERROR"]
        )
        return self

    def streams(self, cell: str, *words: str) -> str:
        """What a cell prints, until it has printed these words; what C++ prints may come after the cell's end."""
        said, deadline = "", time.monotonic() + 20
        while not all(word in said for word in words):
            assert time.monotonic() < deadline, said
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") == cell and message["msg_type"] == "stream":
                said += f"{message['content']['name']}: {message['content']['text']}"
        return said

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.manager.is_alive():
            self.end()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kernelspec.Kernel]:
    assert PVPYTHON is not None
    data = tmp_path_factory.mktemp("jupyter")
    facts = kernelspec.examine(Path(PVPYTHON))
    if not facts.ours:
        pytest.skip(f"{PVPYTHON} has Python {facts.python}, this is {sys.version_info[:2]}: pip would have to download")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(data))
        yield kernelspec.install(PVPYTHON, name="paraview-test", display_name="ParaView test", data=data)


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    # Under pytest ipykernel leaves the plain descriptors alone, with what C++ prints.
    kept = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "PYTEST_CURRENT_TEST")}
    # What a shell may well have, and ParaView's Python must not see.
    return {**kept, "PYTHONHOME": "/nonexistent"}


@pytest.fixture(scope="module")
def kernel(made: kernelspec.Kernel, environment: dict[str, str]) -> Iterator[Kernel]:
    with Kernel(made.name, environment) as kernel:
        kernel.run("from paraview.simple import *")
        yield kernel


def test_paraview_in_the_kernel_is_the_real_one(kernel: Kernel) -> None:
    assert kernel.run("source = Wavelet(); source.UpdatePipeline()").error is None
    assert kernel.value("source.GetDataInformation().GetNumberOfCells()") == 8000
    assert kernel.value("type(source.SMProxy).__module__").startswith("paraview.modules.")


def test_numpy_is_paraviews_and_the_rest_of_what_pvlink_needs_is_this_environments(kernel: Kernel) -> None:
    assert PVPYTHON is not None
    plain = subprocess.run(
        [PVPYTHON, "--no-mpi", "-c", "import numpy, os; os.write(1, numpy.__file__.encode())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert kernel.run("import numpy, traitlets, pvlink, sys").error is None
    assert kernel.value("numpy.__file__") == plain.stdout
    assert Path(kernel.value("traitlets.__file__")).resolve().is_relative_to(sys.prefix)
    assert Path(kernel.value("pvlink.__file__")).resolve() == Path(kernelspec.__file__).with_name("__init__.py")
    assert kernel.value("sys.executable") == sys.executable


def test_numpy_code_of_filters_runs(kernel: Kernel) -> None:
    shown = kernel.run(
        "import numpy as np\n"
        "doubled = ProgrammableFilter(Input=Wavelet(),"
        ' Script=\'output.PointData.append(inputs[0].PointData["RTData"] * 2, "doubled")\')\n'
        "doubled.UpdatePipeline()\n"
        "from paraview import servermanager\n"
        "from vtkmodules.util.numpy_support import vtk_to_numpy\n"
        "array = vtk_to_numpy(servermanager.Fetch(doubled).GetPointData().GetArray('doubled'))"
    )

    assert (shown.error, shown.err) == (None, "")
    assert kernel.value("len(array), bool(array.max() > 500)") == (9261, True)


def test_what_is_printed_comes_to_the_cell_whoever_prints(kernel: Kernel) -> None:
    cell = kernel.send(
        "import os, sys\nprint('Python')\nprint('wrong', file=sys.stderr)\nos.write(1, b'plain C')\n"
        "CSVReader(FileName=['/nonexistent.csv']).UpdatePipeline()"
    )

    kernel.streams(cell, "stdout: Python\n", "stderr: wrong", "plain C", "Unable to open input file /nonexistent.csv")


def test_a_traceback_shows_the_cells_line(kernel: Kernel) -> None:
    error = kernel.run("def half(x):\n    return x / 0\nhalf(1)").error

    assert error is not None
    assert error[0] == "ZeroDivisionError"
    assert "half(x)" in re.sub(r"\x1b\[[0-9;]*m", "", error[2])


@pytest.mark.parametrize(
    "busy",
    ["while True: pass", "import time\nwhile True: time.sleep(0.1)", "while True: Wavelet().UpdatePipeline()"],
)
def test_an_interrupt_stops_the_cell_and_not_the_kernel(kernel: Kernel, busy: str) -> None:
    shown = kernel.run(busy, interrupt_after=0.5, patience=20)

    assert shown.error is not None
    assert shown.error[0] == "KeyboardInterrupt"
    assert kernel.value("40 + 2") == 42


def test_the_cell_that_imports_paraview_can_be_interrupted_too(
    made: kernelspec.Kernel, environment: dict[str, str]
) -> None:
    with Kernel(made.name, environment) as kernel:
        cell = kernel.send("import paraview.simple\nprint('imported', flush=True)\nwhile True: pass")
        kernel.streams(cell, "imported")
        kernel.manager.interrupt_kernel()
        shown = kernel.until_idle(cell)

        assert shown.error is not None
        assert shown.error[0] == "KeyboardInterrupt"
        assert kernel.value("40 + 2") == 42


def test_a_kernel_ends_when_asked_tidies_up_and_leaves_no_process(
    made: kernelspec.Kernel, environment: dict[str, str], tmp_path: Path
) -> None:
    with Kernel(made.name, environment) as kernel:
        kernel.run(f"from paraview.simple import *\nimport atexit, os\natexit.register(open, '{tmp_path}/tidied', 'w')")
        process = psutil.Process(kernel.value("os.getpid()"))
        family = [process, *process.children(recursive=True)]
        began = time.monotonic()
        kernel.end()

    assert len(family) < 3, "one X server is enough"
    while alive := [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() - began < 10, alive
    assert (tmp_path / "tidied").exists()


def test_a_kernel_made_for_another_python_says_how_to_make_it_again(made: kernelspec.Kernel, tmp_path: Path) -> None:
    assert PVPYTHON is not None
    folder = tmp_path / "paraview-old"
    shutil.copytree(made.folder, folder, symlinks=True)
    spec = (folder / "kernel.json").read_text()
    (folder / "kernel.json").write_text(spec.replace(f" {sys.version_info.minor}\n", " 10\n"))

    run = subprocess.run(
        [PVPYTHON, "--no-mpi", folder / "start.py", "-f", "none"], capture_output=True, text=True, check=False
    )

    assert run.returncode != 0
    assert "this kernel was made for 3.10" in run.stderr + run.stdout
    assert f"pvlink kernel install --name paraview-old --pvpython {PVPYTHON}" in run.stderr + run.stdout


def test_a_view_is_shown_where_there_is_no_display(kernel: Kernel, tmp_path: Path) -> None:
    shown = kernel.run(
        "view = CreateRenderView(ViewSize=[200, 100])\n"
        "shown = Show(Wavelet(), view)\nshown.Representation = 'Surface'\nColorBy(shown, ('POINTS', 'RTData'))\n"
        "display(view)"
    )

    assert shown.error is None
    assert [data for _, data in shown.data if "application/vnd.jupyter.widget-view+json" in data]
    assert kernel.run(f"import pvlink\npvlink.show(view).screenshot('{tmp_path}/picture.png')").error is None
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (200, 100)
        assert len(set(picture.convert("RGB").tobytes())) > 20
