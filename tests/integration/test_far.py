"""put and fetch where the data is on a ParaView server of two processes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.integration.household import until
from tests.integration.interpreter import Kernel

# Starting MPI and two servers takes its time on two cores.
pytestmark = [pytest.mark.ways, pytest.mark.soak]

ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "HWLOC_COMPONENTS": "-gl"}


@pytest.fixture(scope="module")
def far() -> Iterator[Kernel]:
    if not (shutil.which("mpiexec") and shutil.which("pvserver")):
        pytest.skip("no mpiexec and pvserver here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["mpiexec", "--oversubscribe", "-n", "2", "pvserver", "-p", str(port), "--disable-xdisplay-test"]
    with subprocess.Popen(
        command, env=os.environ | ENVIRONMENT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        try:
            assert server.stdout is not None
            until(lambda: "Accepting connection" in server.stdout.readline(), 60)  # type: ignore[union-attr]
            with Kernel.started() as kernel:
                kernel.run(f"import numpy as np; assert Connect('localhost', {port})")
                kernel.run("volume = np.arange(12000, dtype='f4').reshape(20, 30, 20)")
                yield kernel
        finally:
            os.killpg(server.pid, signal.SIGKILL)


def there_and_back(kernel: Kernel) -> None:
    for factor in (1, 2):
        kernel.run(f"rho = pvlink.put(volume * {factor}, name='rho', spacing=(0.1, 0.1, 0.2), origin=(1, 2, 3))")
        assert kernel.run(f"answer = bool((pvlink.fetch(rho, 'rho') == volume * {factor}).all())") is True
    assert kernel.run("answer = list(pvlink.fetch(rho).origin)") == [1, 2, 3]
    kernel.run("contour = Contour(Input=rho, ContourBy=['POINTS', 'rho'], Isosurfaces=[3000.5])")
    # Both processes have some of it.
    assert kernel.run("answer = len(pvlink.fetch(contour).points)") > 600


def test_a_grid_is_on_both_processes(far: Kernel) -> None:
    there_and_back(far)


def test_from_another_machine_it_comes_as_text(far: Kernel) -> None:
    far.run("session.desk.assign('pvlink.engine.far', 'PROC', '/proc/none')")
    there_and_back(far)
    far.run("session.desk.assign('pvlink.engine.far', 'MOST_IN_TEXT', 100)")
    wrong = far.attempt("pvlink.put(volume, name='more')").wrong
    assert wrong is not None
    assert "write a file that the server can read" in wrong[1]
    assert far.run("answer = FindSource('more') is None") is True
    far.run("session.desk.assign('pvlink.engine.far', 'PROC', '/proc')")


def test_meshes_and_tables_go_too(far: Kernel) -> None:
    far.run("import pandas, meshio; frame = pandas.DataFrame({'n': [1, 2], 's': ['a', 'b']})")
    assert far.run("answer = pvlink.fetch(pvlink.put(frame, name='t')).equals(frame)") is True
    far.run("mesh = meshio.Mesh(np.eye(3), [('triangle', [[0, 1, 2]])], point_data={'v': np.eye(3)})")
    assert far.run("answer = pvlink.fetch(pvlink.put(mesh, name='m'), 'v').tolist()") == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
    ]
