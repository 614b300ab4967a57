"""`paraview` in a Python that has none: every name, and each behaves as in plain pvpython."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pvlink
from pvlink.engine.rpc import Reference
from pvlink.mirror import MirrorModule

pytestmark = pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython")


def pvpython(code: str) -> str:
    """What plain ParaView prints. Without any view it needs no display."""
    done = subprocess.run(["pvpython", "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def session() -> Iterator[pvlink.Session]:
    with pvlink.start() as one:
        yield one


@pytest.fixture
def pvs(session: pvlink.Session) -> Iterator[Any]:
    """`paraview.simple` with an empty pipeline."""
    import paraview.simple

    yield paraview.simple
    for source in list(paraview.simple.GetSources().values()):
        paraview.simple.Delete(source)


# -- names ---------------------------------------------------------------------------------------


def test_every_public_name_of_paraview_simple_is_mirrored(pvs: Any) -> None:
    plain = json.loads(
        pvpython(
            "import json\nnames = {}\nexec('from paraview.simple import *', names)\n"
            "print(json.dumps({k: callable(v) for k, v in names.items() if k != '__builtins__'}))"
        ).splitlines()[-1]
    )
    mirrored: dict[str, Any] = {}
    exec("from paraview.simple import *", mirrored)  # noqa: S102 - as a user's cell does
    del mirrored["__builtins__"]

    assert set(mirrored) == set(plain)
    assert len(plain) > 600
    assert {name for name, value in mirrored.items() if callable(value)} == {n for n, yes in plain.items() if yes}
    assert set(plain) <= set(dir(pvs))


def test_the_ways_to_import_it_are_one(session: pvlink.Session) -> None:
    import paraview
    import paraview.servermanager as sm
    import paraview.simple as pvs
    from paraview import servermanager
    from paraview.simple import Sphere

    assert paraview.simple is pvs
    assert sm is servermanager is paraview.servermanager is pvs.servermanager
    assert pvs.Sphere is Sphere
    assert pvs.paraview is paraview


def test_submodules_come_on_demand(session: pvlink.Session) -> None:
    import paraview.numeric
    import paraview.util
    import paraview.vtk
    from paraview import selection, vtk
    from paraview.vtk.numpy_interface import dataset_adapter
    from paraview.vtk.util import numpy_support

    assert isinstance(paraview.util, MirrorModule)
    assert vtk is paraview.vtk
    assert callable(selection.QuerySelect)
    assert callable(dataset_adapter.WrapDataObject)
    assert numpy_support.vtk_to_numpy.__module__ == "paraview.vtk.util.numpy_support"
    assert vtk.vtkPoints().GetNumberOfPoints() == 0


@pytest.mark.parametrize("name", ["paraview.nothing", "paraview.simple.nothing", "paraview.util.nothing.at_all"])
def test_a_module_that_paraview_has_not_is_not_found(session: pvlink.Session, name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"has no module 'paraview\.") as caught:
        __import__(name)
    assert caught.value.name is not None
    assert name.startswith(caught.value.name)


def test_a_name_that_a_module_has_not_is_not_found(pvs: Any) -> None:
    with pytest.raises(AttributeError, match="NoSuchFilter"):
        _ = pvs.NoSuchFilter
    with pytest.raises(ImportError, match="NoSuchFilter"):
        exec("from paraview.simple import NoSuchFilter", {})  # noqa: S102


def test_settings_of_modules_reach_paraview(session: pvlink.Session) -> None:
    import paraview

    paraview.compatibility.major = 5
    paraview.compatibility.minor = 9
    assert paraview.compatibility.GetVersion() < (5, 10)
    paraview.compatibility.minor = 11
    assert paraview.compatibility.GetVersion() >= (5, 10)
    paraview.mine = [1, 2]
    assert session.desk.attribute("paraview", "mine") == [1, 2]
    paraview.simple._DisableFirstRenderCameraReset()


def test_the_kernels_own_standard_library_stays_its_own(pvs: Any) -> None:
    import paraview

    names: dict[str, Any] = {}
    exec("from paraview.simple import *", names)  # noqa: S102
    for name in {"os", "sys", "re", "math"} & set(names):
        assert names[name] is sys.modules[name]
    assert paraview.sys is sys


# -- what people and completion see --------------------------------------------------------------


def test_functions_describe_themselves_as_in_paraview(pvs: Any) -> None:
    plain = json.loads(
        pvpython(
            "import inspect, json, types\nfrom paraview import simple\n"
            "found = {n: (str(inspect.signature(f)), f.__doc__, f.__name__) for n, f in vars(simple).items()"
            " if isinstance(f, types.FunctionType)}\nprint(json.dumps(found))"
        ).splitlines()[-1]
    )
    assert "Contour" in plain
    for name, (signature, doc, own) in plain.items():
        function = getattr(pvs, name)
        assert str(inspect.signature(function)) == signature, name
        assert function.__doc__ == doc, name
        assert own in (function.__name__, name) or own.startswith("_")


def test_a_module_describes_itself(pvs: Any) -> None:
    assert "paraview.simple" in repr(pvs)
    assert "simple" in pvs.__doc__
    assert "_current" not in dir(pvs)


def test_dir_repr_and_docs_of_a_proxy_are_those_of_plain_paraview(pvs: Any) -> None:
    plain = json.loads(
        pvpython(
            "import json\nfrom paraview.simple import *\nw = Wavelet()\n"
            "print(json.dumps([dir(w), repr(w), w.__doc__, type(w).__name__, str(w.Center), w.ListProperties()]))"
        ).splitlines()[-1]
    )
    wavelet = pvs.Wavelet()
    names, shown, doc, kind, center, properties = plain
    assert dir(wavelet) == names
    assert repr(wavelet).partition(" at 0x")[0] == shown.partition(" at 0x")[0]
    assert wavelet.__doc__ == doc
    assert type(wavelet).__name__ == kind
    assert str(wavelet.Center) == center
    assert wavelet.ListProperties() == properties


# -- objects -------------------------------------------------------------------------------------


def test_proxies_are_instances_of_their_classes(pvs: Any) -> None:
    sm = pvs.servermanager
    wavelet = pvs.Wavelet()
    assert isinstance(wavelet, sm.SourceProxy)
    assert isinstance(wavelet, sm.Proxy)
    assert isinstance(wavelet.WholeExtent, sm.VectorProperty)
    assert not isinstance(wavelet, sm.VectorProperty)
    assert not isinstance(3, sm.Proxy)
    assert isinstance(wavelet, (int, sm.Proxy))


def test_the_same_source_fetched_twice_is_equal_and_one_key(pvs: Any) -> None:
    wavelet = pvs.Wavelet(registrationName="here")
    again = pvs.FindSource("here")
    assert wavelet == again
    assert hash(wavelet) == hash(again)
    assert {wavelet: 1}[again] == 1
    assert wavelet != pvs.Sphere()
    assert wavelet in [None, "here", object(), again]
    assert [name for (name, _), source in pvs.GetSources().items() if source == wavelet] == ["here"]


def test_vector_properties_are_sequences(pvs: Any) -> None:
    wavelet = pvs.Wavelet()
    extent = wavelet.WholeExtent
    assert len(extent) == 6
    assert list(extent) == [*extent] == [-10, 10, -10, 10, -10, 10]
    assert (extent[0], extent[-1], extent[1:3]) == (-10, 10, [10, -10])
    extent[2:4] = [0, 3]
    assert list(wavelet.WholeExtent) == [-10, 10, 0, 3, -10, 10]
    low, *_ = wavelet.WholeExtent
    assert low == -10
    assert np.array(wavelet.WholeExtent).tolist() == [-10, 10, 0, 3, -10, 10]
    wavelet.WholeExtent = np.array([0, 4, 0, 4, 0, 4])
    assert wavelet.GetPropertyValue("WholeExtent").GetData() == [0, 4, 0, 4, 0, 4]
    contour = pvs.Contour(Input=wavelet, ContourBy=("POINTS", "RTData"), Isosurfaces=range(100, 220, 40))
    assert list(contour.Isosurfaces) == [100, 140, 180]
    contour.Isosurfaces = np.linspace(100, 200, 3)
    contour.Isosurfaces = (value for value in contour.Isosurfaces)
    assert list(contour.Isosurfaces) == [100, 150, 200]


def test_wrong_properties_are_the_errors_of_paraview(pvs: Any) -> None:
    attempts = ("Sphere(Radios=1)", "Sphere().Radios", "setattr(Sphere(), 'Radius', 'wide')", "Contour(Input=3)")
    code = "\n".join(
        f"try:\n    {attempt}\n    print('nothing')\nexcept Exception as error:\n"
        "    print(type(error).__name__, str(error).replace(chr(10), ' '))"
        for attempt in attempts
    )
    namespace: dict[str, Any] = {"said": []}
    exec(f"from paraview.simple import *\ndef print(*words): said.append(' '.join(words))\n{code}", namespace)  # noqa: S102
    plain = pvpython(f"from paraview.simple import *\n{code}").splitlines()
    assert namespace["said"] == plain[-len(attempts) :]


def test_an_error_shows_where_in_paraview_and_nothing_of_the_wire(pvs: Any) -> None:
    with pytest.raises(AttributeError) as caught:
        pvs.Sphere(Radios=1)
    (note,) = caught.value.__notes__
    assert note.startswith("In ParaView's process:")
    assert "paraview/simple.py" in note
    assert "pvlink" not in note
    assert "rpyc" not in note


def test_pickling_and_copying_a_proxy_are_refused_with_the_reason(pvs: Any) -> None:
    wavelet = pvs.Wavelet()
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"a Wavelet lives in ParaView's process .* SaveState"):
            attempt(wavelet)


def test_fetched_data_are_numbers_for_numpy(pvs: Any) -> None:
    from paraview.vtk.numpy_interface import dataset_adapter as dsa
    from paraview.vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    data = pvs.servermanager.Fetch(pvs.Wavelet())
    assert data.GetClassName() == "vtkImageData"
    by_function = vtk_to_numpy(data.GetPointData().GetArray("RTData"))
    assert type(by_function) is np.ndarray
    assert by_function.shape == (21**3,)
    wrapped = dsa.WrapDataObject(data).PointData["RTData"]
    assert isinstance(wrapped, Reference)
    assert np.array_equal(np.asarray(wrapped), by_function)
    assert np.max(wrapped) == by_function.max()
    assert np.array_equal(np.asarray(data.GetPointData().GetArray("RTData")), by_function)
    there = numpy_to_vtk(by_function[:10], deep=1)
    assert there.GetNumberOfTuples() == 10
    assert there.GetValue(3) == by_function[3]


@pytest.mark.skipif(importlib.util.find_spec("vtkmodules") is not None, reason="this Python has its own VTK")
def test_vtk_is_paraviews_where_this_python_has_none(pvs: Any) -> None:
    import vtk
    from vtkmodules.util.numpy_support import vtk_to_numpy

    source = vtk.vtkSphereSource()
    source.Update()

    assert source.GetOutput().GetNumberOfPoints() == 50
    assert vtk_to_numpy(source.GetOutput().GetPoints().GetData()).shape == (50, 3)


def test_functions_of_the_user_are_observers(pvs: Any) -> None:
    wavelet = pvs.Wavelet()
    seen: list[tuple[str, str]] = []
    tag = wavelet.SMProxy.AddObserver(
        "PropertyModifiedEvent", lambda caller, event: seen.append((type(caller).__name__, event))
    )
    wavelet.Maximum = 100
    _ = wavelet.Maximum
    assert seen == [("vtkSMSourceProxy", "PropertyModifiedEvent")]
    wavelet.SMProxy.RemoveObserver(tag)
    wavelet.Maximum = 101
    _ = wavelet.Maximum
    assert len(seen) == 1


def test_an_observer_that_raises_harms_nothing_and_is_shown(pvs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("mine")

    wavelet = pvs.Wavelet()
    wavelet.SMProxy.AddObserver("PropertyModifiedEvent", broken)
    wavelet.Maximum = 100
    assert wavelet.Maximum == 100
    said = capsys.readouterr().err
    assert "In an observer, <function" in said
    assert "ValueError: mine" in said


def test_prints_and_warnings_of_paraview_appear_here(
    pvs: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = pvs.ProgrammableSource(
        Script="import sys\nprint('printed in ParaView é')\nprint('to stderr', file=sys.stderr)"
    )
    source.UpdatePipeline()
    said = capsys.readouterr()
    assert said.out == "printed in ParaView é\n"
    assert "to stderr" in said.err
    (tmp_path / "bad.vtp").write_text("this is no XML")
    pvs.XMLPolyDataReader(FileName=[str(tmp_path / "bad.vtp")]).UpdatePipeline()
    assert "XML" in capsys.readouterr().err


def test_much_output_comes_whole(pvs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    source = pvs.ProgrammableSource(Script="print('é' * 3_000_000 + 'end')")
    source.UpdatePipeline()
    assert capsys.readouterr().out == "é" * 3_000_000 + "end\n"


def test_relative_names_mean_this_kernels_folder(pvs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pvs.SaveData("here.vtp", proxy=pvs.Sphere())
    assert (tmp_path / "here.vtp").exists()
    assert pvs.OpenDataFile("here.vtp").FileName == ["here.vtp"]


def test_threads_of_the_user_may_call_paraview(pvs: Any) -> None:
    counts: dict[int, int] = {}

    def work(size: int) -> None:
        wavelet = pvs.Wavelet(WholeExtent=[0, size, 0, size, 0, size])
        for _ in range(10):
            wavelet.UpdatePipeline()
        counts[size] = wavelet.GetDataInformation().GetNumberOfPoints()

    threads = [threading.Thread(target=work, args=(size,)) for size in range(3, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counts == {size: (size + 1) ** 3 for size in range(3, 9)}


def test_a_forked_child_leaves_the_session_alone(session: pvlink.Session, pvs: Any) -> None:
    child = os.fork()
    if child == 0:
        session.stop()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert session.alive
    assert pvs.Sphere().Radius == 0.5


# -- sessions ------------------------------------------------------------------------------------


def test_starting_twice_is_the_same_session(session: pvlink.Session) -> None:
    assert pvlink.start() is session
    assert pvlink.start(pvpython="pvpython") is session
    assert pvlink.session() is session
