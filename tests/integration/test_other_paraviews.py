"""What other ParaViews do otherwise, done to the one that is here: read in their sources, as docs/versions.md says."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.interpreter import Interpreter

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython"),
]

ROOT = Path(__file__).parents[2]

# 6.0's Proxy.__init__ gives each proxy what add_attribute gives these.
KEPT_MANAGERS = """
from pvlink.engine.departed import Departed
sphere = simple.Sphere()
sphere.add_attribute("pxm", servermanager.ProxyManager())
number = sphere.SMProxy.GetGlobalID()
departed = Departed()
departed.take(servermanager.ActiveConnection.Session, lambda: RuntimeError("gone"))
departed.let_go()
kept = object.__getattribute__(sphere, "__dict__")["pxm"]
simple.Disconnect()
simple.Connect()
again = simple.Sphere()
departed.come_back(lambda wanted: again.SMProxy if wanted == number else None)
session = servermanager.ActiveConnection.Session
answer = [kept, sphere.SMProxy == again.SMProxy, sphere.pxm.SMProxyManager == session.GetSessionProxyManager()]
"""

# 5.9 has no property that says so, and does what later ones do when it is 1.
GROUPED = """
from pvlink.engine import files
manager = servermanager.vtkSMProxyManager.GetProxyManager().GetActiveSessionProxyManager()
helper = manager.NewProxy("misc", "FileInformationHelper")
for name, value in (("Path", {folder!r}), ("DirectoryListing", 1), ("GroupFileSequences", 1)):
    helper.GetProperty(name).SetElement(0, value)
helper.UpdateVTKObjects()
grouped = servermanager.vtkPVFileInformation()
helper.GatherInformation(grouped)
answer = [grouped.GetContents().GetNumberOfItems(), *(
    sorted((name, kind in files._DIRECTORIES) for name, kind, _, _ in files._contents(found))
    for found in (grouped, files._ask({folder!r}, listed=True))
)]
"""


@pytest.fixture(scope="module")
def paraview() -> Iterator[Interpreter]:
    """ParaView's own Python, which knows the engine."""
    with Interpreter(["pvpython", "--no-mpi"], os.environ | {"HWLOC_COMPONENTS": "-gl"}) as paraview:
        paraview.run(f"import sys; sys.path.insert(0, {str(ROOT)!r}); from paraview import servermanager, simple")
        yield paraview


def test_a_proxy_of_paraview_6_comes_back_with_the_manager_of_its_new_session(paraview: Interpreter) -> None:
    assert paraview.run(KEPT_MANAGERS) == [None, True, True]


def test_a_folder_that_paraview_5_9_has_grouped_has_all_its_files(paraview: Interpreter, tmp_path: Path) -> None:
    for name in ("flow_0.vtp", "flow_1.vtp", "flow_2.vtp", "0001.vtk", "0002.vtk", "alone.csv"):
        (tmp_path / name).touch()
    for name in ("step1", "step2"):
        (tmp_path / name).mkdir()

    items, grouped, plain = paraview.run(GROUPED.format(folder=str(tmp_path)))

    assert items < len(plain) == 8
    assert grouped == plain
