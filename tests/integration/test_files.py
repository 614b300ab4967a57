"""Folders and files where a real ParaView reads them: its own machine's, and those of a server of two processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.household import until
from tests.integration.interpreter import Display, Kernel

pytestmark = pytest.mark.servers

MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "HWLOC_COMPONENTS": "-gl",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}
WRITE = """
contour = Contour(Input=Wavelet(), ContourBy=['POINTS', 'RTData'], Isosurfaces=[157.0])
for step in range(12):
    contour.Isosurfaces = [100.0 + 10 * step]
    SaveData({folder!r} + f'/flow_{{step}}.vtp', proxy=contour)
SaveData({folder!r} + '/volume.vti', proxy=contour.Input)
Delete(contour); Delete(FindSource('Wavelet1'))
"""
FACTS = "(e.name, e.kind, e.size, e.modified and e.modified.timestamp(), e.count, e.reader)"
NAMES = "answer = [entry.name for entry in session.files({folder!r})]"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a simulation leaves, and what else may be lying about."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("sub", ".hidden", "plt1", "plt2"):
        (folder / name).mkdir()
    for name in ("run1.pvd", "run2.pvd", "0001.vtk", "0002.vtk", "notes.abc", "broken.vtk", "<b>.vtk", "new\nline.vtk"):
        (folder / name).write_text("no data")
    (folder / "table.csv").write_text("a,b\n1,2\n3,4\n")
    (folder / ("x" * 251 + ".vtk")).touch()
    return folder


@pytest.fixture(scope="module")
def kernel(data: Path) -> Iterator[Kernel]:
    with Kernel.started() as kernel:
        kernel.run(WRITE.format(folder=str(data)))
        # Bytes that are no UTF-8.
        shutil.copy(os.fsencode(data / "volume.vti"), os.fsencode(data) + b"/caf\xe9.vti")
        yield kernel


@contextmanager
def pvserver(ranks: int, folder: Path) -> Iterator[int]:
    """The port of a server, which ends with the block."""
    if not (shutil.which("mpiexec") and shutil.which("pvserver")):
        pytest.skip("no mpiexec and pvserver here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["mpiexec", "--oversubscribe", "-n", str(ranks), "pvserver", "-p", str(port)]
    with Display() as display, (folder / "said").open("w+") as said:
        env = {key: value for key, value in os.environ.items() if not key.startswith(("OMPI_", "PMIX_"))}
        server = subprocess.Popen(
            command,
            env=env | MPI | {"DISPLAY": display},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=folder,
            start_new_session=True,
        )
        try:
            until(lambda: "Accepting connection" in (folder / "said").read_text(), 60)
            yield port
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@pytest.fixture(scope="module")
def near_facts(kernel: Kernel, data: Path) -> list[list[object]]:
    """What is said of the folder before a server is connected; as JSON has it."""
    found: list[list[object]] = kernel.run(f"answer = [{FACTS} for e in session.files({str(data)!r}, hidden=True)]")
    return found


@pytest.fixture(scope="module")
def far(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """Another one, its ParaView on a server of two processes."""
    with pvserver(2, tmp_path_factory.mktemp("server")) as port, Kernel.started() as kernel:
        kernel.run(f"assert Connect('127.0.0.1', {port})")
        yield kernel


@pytest.fixture(params=["here", "there"])
def either(request: pytest.FixtureRequest, kernel: Kernel) -> Iterator[Kernel]:
    one: Kernel = kernel if request.param == "here" else request.getfixturevalue("far")
    yield one
    one.run("for source in list(GetSources().values()): Delete(source)")
    one.run("for view in GetViews(): Delete(view)")


def test_series_are_grouped_readers_proposed_and_folders_first(either: Kernel, data: Path) -> None:
    lines = either.run(f"answer = [(e.name, e.kind, e.count, e.reader) for e in session.files({str(data)!r})]")
    names = [line[0] for line in lines]

    assert names[:3] == ["plt1", "plt2", "sub"]
    assert ["flow_..vtp", "series", 12, "XMLPolyDataReader"] in lines
    assert ["..vtk", "series", 2, "LegacyVTKReader"] in lines
    assert ["run1.pvd", "file", 1, "PVDReader"] in lines
    assert ["notes.abc", "file", 1, None] in lines
    assert ".hidden" not in names


def test_a_series_has_its_files_in_the_order_of_their_numbers(either: Kernel, data: Path) -> None:
    files = either.run(f"answer = session.files({str(data)!r})['flow_..vtp'].files")

    assert files == [str(data / f"flow_{step}.vtp") for step in range(12)]


def test_a_series_opens_as_steps_in_time_and_is_shown(either: Kernel, data: Path) -> None:
    either.run(f"source = session.files({str(data)!r})['flow_..vtp'].open()")

    assert either.run("answer = len(source.TimestepValues)") == 12
    assert either.run("answer = source.GetDataInformation().GetNumberOfPoints()") > 100
    assert either.run("answer = [name for name, _ in GetSources()]") == ["flow_0.vtp*"]
    assert either.run("answer = GetDisplayProperties(source, GetActiveView()).Visibility") == 1


def test_the_camera_turns_to_what_is_shown_first_and_then_stays(either: Kernel, data: Path) -> None:
    either.run(f"session.open_files({str(data / 'volume.vti')!r})")
    either.run("GetActiveView().CameraPosition = [1, 2, 3]")
    either.run(f"session.open_files({str(data / 'flow_3.vtp')!r})")

    assert either.run("answer = list(GetActiveView().CameraPosition)") == [1, 2, 3]


def test_names_are_whatever_they_are(either: Kernel, data: Path) -> None:
    either.run(f"listing = session.files({str(data)!r})")
    names = either.run("answer = [entry.name for entry in listing]")

    assert {"<b>.vtk", "new\nline.vtk", "x" * 251 + ".vtk", "caf\udce9.vti"} <= set(names)
    assert "<b>" not in either.run("answer = listing._repr_html_()").replace(f"<b>{data}", "")
    either.run("source = listing['caf\\udce9.vti'].open()")
    assert either.run("answer = source.GetDataInformation().GetNumberOfPoints()") >= 9261
    assert either.run("answer = [name for name, _ in GetSources()]") == ["caf\ufffd.vti"]


def test_readers_are_asked_whether_a_file_is_theirs(either: Kernel, data: Path) -> None:
    for name, said in (
        ("broken.vtk", "LegacyVTKReader would read files of that name, and says that this is none of theirs"),
        ("notes.abc", "no reader for files that end in .abc"),
        ("none.vtk", "no such file, or its permissions forbid it"),
    ):
        wrong = either.attempt(f"session.open_files({str(data / name)!r})").wrong
        assert wrong is not None
        assert wrong[0].endswith("DataError")
        assert said in wrong[1]
    assert either.run("answer = len(GetSources())") == 0


def test_a_reader_can_be_named(either: Kernel, data: Path) -> None:
    either.run(f"source = session.open_files({str(data / 'table.csv')!r}, reader='CSVReader')")
    wrong = either.attempt(f"session.open_files({str(data / 'table.csv')!r}, reader='CVSReader')").wrong
    several = [str(data / "run1.pvd"), str(data / "run2.pvd")]
    twice = either.attempt(f"session.open_files({several!r}, reader='PVDReader')").wrong

    assert either.run("answer = source.GetDataInformation().GetNumberOfRows()") == 2
    assert wrong is not None
    assert "no reader 'CVSReader'. It has: CSVReader" in wrong[1]
    assert twice is not None
    assert "PVDReader reads one file at a time, and these are 2" in twice[1]


@pytest.mark.parametrize(
    ("path", "said"), [("/nowhere/at/all", "/nowhere/at/all"), ("/etc/passwd", "is a file, no folder")]
)
def test_what_is_no_folder_is_an_error_that_says_so(either: Kernel, path: str, said: str) -> None:
    wrong = either.attempt(f"session.files({path!r})").wrong

    assert wrong is not None
    assert wrong[0].endswith("OptionError")
    assert said in wrong[1]


def test_an_empty_folder_is_none(either: Kernel, data: Path) -> None:
    assert either.run(f"answer = len(session.files({str(data / 'sub')!r}))") == 0


def test_a_server_says_the_same_of_its_files_as_this_machine(far: Kernel, near_facts: list[object], data: Path) -> None:
    there = far.run(f"answer = [{FACTS} for e in session.files({str(data)!r}, hidden=True)]")

    assert json.loads(json.dumps(there)) == near_facts


def test_paths_are_relative_to_the_servers_folder_and_home(
    far: Kernel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = far.run("answer = session.files('').path")

    assert Path(folder).name.startswith("server")
    assert far.run("answer = session.files('..').path") == str(Path(folder).parent)
    assert far.run("answer = session.files('~').path") == str(Path.home())
    assert far.run("answer = session.files('').places")["Home"] == str(Path.home())


def test_a_server_on_another_machine_has_sizes_and_no_times(far: Kernel, data: Path) -> None:
    # As if its machine were called something else: by the number of the connection.
    far.run("there = session.desk.attribute('pvlink.engine.files', '_host_of')")
    far.run("session.desk.assign('pvlink.engine.files', '_host_of', session.desk.attribute('builtins', 'str'))")
    try:
        said = far.run(f"listing = session.files({str(data)!r}); answer = [(e.size, e.modified) for e in listing][-1]")
        assert said[0] is not None
        assert said[1] is None
        assert far.run("answer = listing.host").isdigit()
    finally:
        far.run("session.desk.assign('pvlink.engine.files', '_host_of', there)")


def test_large_folders_come_in_pages(either: Kernel, tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"p{number}_{'ab'[number % 2]}.x{number}y").touch()
    either.run(f"listing = session.files({str(tmp_path)!r})")

    assert either.run("answer = [len(listing), len(listing.page(0)), len(listing.page(4)), listing.pages]") == [
        *(1000, 200, 200, 5),
    ]
    assert either.run("answer = [e.name for e in listing][::500]") == ["p0_a.x0y", "p500_a.x500y"]
    assert either.run("answer = len(session.files(listing.path, pattern='_b.'))") == 500


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that others can reach, and not read. Pytest's own are closed to them from above."""
    with tempfile.TemporaryDirectory(prefix="pvl-") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "closed").mkdir(mode=0o700)
        yield Path(folder) / "closed"


def test_a_folder_that_is_forbidden_is_an_error(closed: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("who is not root cannot become another, and root may read all")
    # As of one's own machine, and as of a server's.
    code = (
        "from pvlink.engine import files\n"
        "for ask in (files.files, files._read_there):\n"
        f"    try: ask({str(closed)!r})\n"
        "    except files.Refusal as error: print('REFUSED', error)"
    )
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "pvpython", "-c", code]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.splitlines() == [
        f"REFUSED {closed} on this machine cannot be read: Permission denied.",
        f"REFUSED {closed} on this machine cannot be read: permission denied.",
    ], done.stderr


def test_a_kernel_that_holds_paraview_itself_has_the_same(paraview_python: str, kernel: Kernel, data: Path) -> None:
    own = Kernel(paraview_python)
    try:
        own.run("import pvlink; from paraview.simple import *")
        own.run("pvlink.show(CreateRenderView()); session = pvlink.session()")
        found = own.run(f"answer = [{FACTS} for e in session.files({str(data)!r}, hidden=True)]")
        assert found == kernel.run(f"answer = [{FACTS} for e in session.files({str(data)!r}, hidden=True)]")
        own.run(f"source = session.files({str(data)!r})['flow_..vtp'].open()")
        assert own.run("answer = len(source.TimestepValues)") == 12
        wrong = own.attempt("session.files('/no/where')").wrong
        assert wrong is not None
        assert wrong[0].endswith("OptionError")
    finally:
        own.close()


def test_a_session_on_vtk_alone_says_that_it_has_none(vtk_python: str) -> None:
    kernel = Kernel(vtk_python)
    try:
        kernel.run("import pvlink; session = pvlink.start('vtk')")
        wrong = kernel.attempt("session.files('/')").wrong
        assert wrong is not None
        assert "only ParaView lists folders" in wrong[1]
    finally:
        kernel.close()


def test_a_server_that_dies_is_no_folder_that_is_missing() -> None:
    if not (shutil.which("mpiexec") and shutil.which("pvserver")):
        pytest.skip("no mpiexec and pvserver here")
    with Kernel.started() as kernel:
        kernel.run("session.serve(ranks=1); answer = len(session.files('/'))")
        kernel.run(
            "import psutil\n"
            "for process in psutil.Process().children(recursive=True):\n"
            "    if 'pvserver' in process.name(): process.kill()"
        )
        wrong = kernel.attempt("session.files('/usr')").wrong
        assert wrong is not None
        assert wrong[0].endswith("ServerLost")
