"""put and fetch with a real ParaView: values, memory, pictures, restarts."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.household import until
from tests.integration.interpreter import Kernel
from tests.integration.scenes import difference, pixels
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.ways

PREPARE = """\
import gc, os
import numpy as np
volume = np.arange(24, dtype="f4").reshape(2, 3, 4)
def differs(a, b):
    return [str(one) for one in (a.dtype, b.dtype, a.shape, b.shape)] if a.tobytes() != b.tobytes() else ""
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    with Kernel.started() as kernel:
        kernel.run(PREPARE)
        yield kernel


@pytest.fixture
def kernel(shared: Kernel) -> Kernel:
    """With nothing in its pipeline."""
    shared.run("for v in GetViews(): Delete(v)\nfor s in list(GetSources().values()): Delete(s)")
    return shared


def said(kernel: Kernel, code: str) -> str:
    wrong = kernel.attempt(code).wrong
    assert wrong is not None, f"{code} did not fail"
    assert wrong[0].endswith("DataError"), wrong
    return wrong[1]


def test_an_array_is_a_source_and_comes_back_bit_by_bit(kernel: Kernel) -> None:
    kernel.run("rho = pvlink.put(volume, name='rho', spacing=(0.1, 0.1, 0.2))")
    assert kernel.run("answer = [rho.GetXMLName(), list(rho.GetDataInformation().GetBounds())]") == [
        "TrivialProducer",
        pytest.approx([0, 0.3, 0, 0.2, 0, 0.2]),
    ]
    assert kernel.run("answer = differs(pvlink.fetch(rho, 'rho'), volume)") == ""
    assert kernel.run("answer = differs(pvlink.fetch('rho', 'rho'), volume)") == ""
    kernel.run("mine = pvlink.fetch(rho, 'rho'); mine += 1")
    assert kernel.run("answer = differs(pvlink.fetch(rho, 'rho'), volume)") == ""


def test_filters_and_ports_are_fetched_too(kernel: Kernel) -> None:
    kernel.run("wavelet = Wavelet(); contour = Contour(Input=wavelet, Isosurfaces=[157.0])")
    kernel.run("contour.ContourBy = ['POINTS', 'RTData']")
    assert kernel.run("answer = list(pvlink.fetch(wavelet, 'RTData').shape)") == [21, 21, 21]
    assert kernel.run("d = pvlink.fetch(contour); answer = [d.kind, len(d.points) > 100]") == ["polydata", True]
    assert kernel.run("answer = pvlink.fetch(contour[0]).kind") == "polydata"
    kernel.run("both = GroupDatasets(Input=[wavelet, contour])")
    assert kernel.run("answer = [one.kind for one in pvlink.fetch(both).values()]") == ["image", "polydata"]
    assert kernel.run("answer = sorted(pvlink.fetch(both, 'RTData'))") == sorted(
        kernel.run("answer = list(pvlink.fetch(both))")
    )


def test_the_same_name_is_the_same_source_and_what_consumes_it_follows(kernel: Kernel) -> None:
    kernel.run("first = pvlink.put(volume, name='rho')")
    kernel.run("half = Calculator(Input=first, Function='rho / 2'); half.UpdatePipeline()")
    kernel.run("second = pvlink.put(volume * 4, name='rho')")
    assert kernel.run("answer = first == second and len(GetSources())") == 2
    assert kernel.run("answer = float(pvlink.fetch(half, 'Result').max())") == 46
    kernel.run("pvlink.put(np.ones((5, 6, 7)), name='rho')")
    assert kernel.run("answer = list(pvlink.fetch(half, 'Result').shape)") == [5, 6, 7]


def test_a_shown_source_may_change_its_shape_and_its_kind(kernel: Kernel) -> None:
    kernel.run("rho = pvlink.put(volume, name='rho'); view = CreateView('RenderView'); shown = Show(rho, view)")
    with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
        stills = [viewer.still()]
        for code in (
            "pvlink.put(np.zeros((9, 5, 4)), name='rho')",
            "ball = pvlink.fetch(Sphere()); pvlink.put(ball, name='rho')",
            "shown.SetRepresentationType('Surface')",
            "pvlink.put(volume, name='rho')",
        ):
            kernel.run(code + "; ResetCamera(view)")
            stills.append(viewer.still(stills[-1].id))
            viewer.quiet()
    pictures = [pixels(still.data) for still in stills]
    for before, after in itertools.pairwise(pictures):
        assert difference(before, after) != ""
    assert kernel.run("answer = rho.GetDataInformation().GetDataSetTypeAsString()") == "vtkImageData"


def test_names_of_other_sources_are_refused_and_free_ones_are_new(kernel: Kernel) -> None:
    kernel.run("Sphere(registrationName='mine')")
    assert "'mine' is a Sphere of the pipeline that was not made by pvlink.put" in said(
        kernel, "pvlink.put(volume, name='mine')"
    )
    kernel.run("rho = pvlink.put(volume, name='rho'); RenameSource('sigma', rho); pvlink.put(volume, name='rho')")
    assert kernel.run("answer = sorted(name for name, _ in GetSources())") == ["mine", "rho", "sigma"]
    kernel.run("Delete(FindSource('rho')); pvlink.put(volume * 2, name='rho')")
    assert kernel.run("answer = float(pvlink.fetch('rho', 'rho').max())") == 46
    assert kernel.run("pvlink.put(volume); pvlink.put(volume); answer = len(GetSources())") == 5


def test_mistakes_are_said_in_a_sentence(kernel: Kernel) -> None:
    kernel.run("rho = pvlink.put(volume, name='rho')")
    assert said(kernel, "pvlink.fetch(rho, 'rh')") == "there is no array 'rh'. There is: 'rho' of points."
    assert "no source 'sigma' in the pipeline. There is: 'rho'" in said(kernel, "pvlink.fetch('sigma')")
    assert "has no data to fetch" in said(kernel, "pvlink.fetch(GetActiveViewOrCreate('RenderView'))")
    assert "single number" in said(kernel, "pvlink.put(3.0, name='x')")
    assert kernel.run("answer = [name for name, _ in GetSources()]") == ["rho"]


def test_tables_and_objects_of_the_engine(kernel: Kernel) -> None:
    kernel.run("import pandas; frame = pandas.DataFrame({'n': [1, 2], 's': ['a', 'b']})")
    kernel.run("table = pvlink.put(frame, name='t')")
    assert kernel.run("answer = pvlink.fetch(table).equals(frame)") is True
    kernel.run("from vtkmodules.vtkFiltersSources import vtkConeSource; cone = vtkConeSource()")
    assert kernel.run("answer = pvlink.fetch(pvlink.put(cone, name='cone')).kind") == "polydata"


def test_a_loop_in_one_cell_animates(kernel: Kernel) -> None:
    kernel.run("rho = pvlink.put(np.zeros((4, 4, 4)), name='rho'); view = CreateView('RenderView')")
    kernel.run("shown = Show(rho, view); shown.SetRepresentationType('Surface'); ColorBy(shown, ('POINTS', 'rho'))")
    kernel.run("GetColorTransferFunction('rho').RescaleTransferFunction(0, 80); ResetCamera(view)")
    with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
        still = viewer.still()
        kernel.begin(
            "import time\n"
            "for step in range(12):\n"
            "    pvlink.put(np.arange(64.0).reshape(4, 4, 4) + step, name='rho')\n"
            "    time.sleep(0.1)\n"
        )
        viewer.until(lambda: len({frame.id for frame in viewer.frames if frame.id > still.id}) >= 6)
        kernel.said()
        last = viewer.still(still.id)
    assert difference(pixels(still.data), pixels(last.data)) != ""


MEMORY = """\
def mapped(pid):
    sizes, inside = 0, False
    for line in open(f"/proc/{pid}/smaps"):
        if "-" in line.split()[0] and ":" not in line.split()[0]:
            inside = "pvlink-data" in line
        elif inside and line.startswith("Size:"):
            sizes += int(line.split()[1])
    return sizes >> 10
def files():
    found = 0
    for n in os.listdir("/proc/self/fd"):
        try: found += "pvlink-data" in os.readlink(f"/proc/self/fd/{n}")
        except OSError: pass
    return found
engine = pvlink.session().about["pid"]
"""


def test_memory_is_given_back(kernel: Kernel) -> None:
    kernel.run(MEMORY + "big = np.ones((16, 1024, 1024), 'u1')")
    kernel.run("for _ in range(30): pvlink.put(big, name='big')")
    assert kernel.run("answer = mapped(engine)") == 16
    assert kernel.run("answer = files()") == 1
    kernel.run("a = [pvlink.fetch('big', 'big') for _ in range(5)]")
    assert kernel.run("answer = [mapped(os.getpid()), mapped(engine)]") == [80, 16]
    kernel.run("del a; gc.collect()")
    assert kernel.run("answer = mapped(os.getpid())") == 0
    kernel.run("Delete(FindSource('big'))")
    # The end of a cell tells; the answer comes with the next question.
    kernel.run("pvlink.session().desk.cell_ended(); GetSources()")
    assert kernel.run("GetSources(); answer = [files(), mapped(engine)]") == [0, 0]


def test_after_a_restart_what_was_put_is_there() -> None:
    with Kernel.started() as kernel:
        kernel.run(PREPARE + "rho = pvlink.put(volume, name='rho')")
        kernel.run("half = Calculator(Input=rho, Function='rho / 2'); Show(half); RenameSource('sigma', rho)")
        kernel.run("from vtkmodules.vtkFiltersSources import vtkConeSource; pvlink.put(vtkConeSource(), name='cone')")
        kernel.run("session.desk.save()")
        os.kill(kernel.engine, signal.SIGKILL)
        said = kernel.attempt("session.restart()")
        assert said.wrong is None
        assert said.out == "pvlink: the pipeline is back; there is no data in cone: put it again.\n"
        assert kernel.run("answer = differs(pvlink.fetch(rho, 'rho'), volume)") == ""
        assert kernel.run("answer = float(pvlink.fetch(half, 'Result').max())") == 11.5
        kernel.run("pvlink.put({'rho': volume * 2}, name='sigma')")
        assert kernel.run("answer = float(pvlink.fetch(half, 'Result').max())") == 23


def test_a_killed_engine_or_kernel_leaves_no_memory() -> None:
    def shmem() -> int:
        line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("Shmem:"))
        return int(line.split()[1]) >> 10

    before = shmem()
    with Kernel.started() as kernel:
        kernel.run("import numpy as np; pvlink.put(np.ones((128, 1024, 1024), 'u1'), name='big')")
        os.kill(kernel.engine, signal.SIGKILL)
        os.kill(kernel.process.pid, signal.SIGKILL)
        kernel.process.wait(10)
    until(lambda: shmem() - before < 100)


def test_an_engine_on_vtk_alone_takes_and_gives_as_well(vtk_python: str) -> None:
    with Kernel(vtk_python) as kernel:
        kernel.run("import pvlink; session = pvlink.start('vtk')\n" + PREPARE)
        kernel.run("rho = pvlink.put(volume, name='rho')")
        assert kernel.run("answer = differs(pvlink.fetch(rho, 'rho'), volume)") == ""
        kernel.run("from vtkmodules.vtkFiltersCore import vtkContourFilter; cut = vtkContourFilter()")
        kernel.run("cut.SetInputConnection(rho.GetOutputPort()); cut.SetValue(0, 5.0)")
        before = kernel.run("answer = len(pvlink.fetch(cut).points)")
        assert kernel.run("again = pvlink.put(volume * 2, name='rho'); answer = again == rho") is True
        assert kernel.run("answer = len(pvlink.fetch(cut.GetOutputPort()).points)") not in (0, before)
        assert "nothing was put under the name 'no'. There is: 'rho'." in said(kernel, "pvlink.fetch('no')")


def test_pyvista_in_the_kernel_needs_no_session(vtk_python: str) -> None:
    with Kernel(vtk_python) as kernel:
        kernel.run("import pvlink, pyvista; ball = pyvista.Sphere()")
        kernel.run("both = pyvista.MultiBlock({'ball': ball, 'box': pyvista.ImageData(dimensions=(3, 3, 3))})")
        assert kernel.run("answer = [one.kind for one in pvlink.fetch(pvlink.put(both, name='m')).values()]") == [
            "polydata",
            "image",
        ]
        assert kernel.run("pvlink.put(ball); answer = len(pvlink.fetch('PolyData1').points) == ball.n_points") is True


def test_pyvistas_objects_go_to_paraview(vtk_python: str) -> None:
    with Kernel(vtk_python) as kernel:
        kernel.run("import pvlink; pvlink.start(); from paraview.simple import *; import pyvista, numpy as np")
        kernel.run(
            "ball = pyvista.Sphere(); ball['height'] = ball.points[:, 2]; source = pvlink.put(ball, name='ball')"
        )
        kernel.run("cut = Clip(Input=source); cut.UpdatePipeline()")
        assert kernel.run("answer = bool((pvlink.fetch(source, 'height') == ball['height']).all())") is True
        assert kernel.run("answer = len(pvlink.fetch(cut).points) > 100") is True


def test_paraview_in_the_kernel_takes_copies(paraview_python: str) -> None:
    with Kernel(paraview_python) as kernel:
        kernel.run("import pvlink; from paraview.simple import *\n" + PREPARE)
        kernel.run("rho = pvlink.put(volume, name='rho'); half = Calculator(Input=rho, Function='rho / 2')")
        kernel.run("volume += 100; a = pvlink.fetch(half, 'Result'); a += 100")
        assert kernel.run("answer = float(pvlink.fetch(half, 'Result').max())") == 11.5
        kernel.run("pvlink.put(volume, name='rho')")
        assert kernel.run("answer = float(pvlink.fetch('Calculator1', 'Result').max())") == 61.5
