"""What users get wrong, and what machines lack: a clear sentence, nothing lost, nothing dead."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink.protocol import PROTOCOL_VERSION
from tests.integration.household import children, descriptors
from tests.integration.interpreter import START, Kernel
from tests.integration.watcher import Watcher

GARBAGE = {"points.vtu": b"<VTKFile type='UnstructuredGrid'><x", "cut.vtp": b"<?xml", "nothing.vtk": b""}
# What a Debian pvpython's folder looks like when Xvfb is not in it.
PROGRAMS = ("pvpython", "sh", "uname", "ldconfig")


def program(folder: Path, text: str, name: str = "pvpython") -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def failure(kernel: Kernel, code: str) -> tuple[str, str]:
    wrong = kernel.attempt(code).wrong
    assert wrong is not None, f"{code} did not fail"
    return wrong


@pytest.fixture(scope="module")
def bare() -> Iterator[Kernel]:
    """A kernel that has imported pvlink and started nothing."""
    with Kernel() as kernel:
        kernel.run("import pvlink, pvlink.sessions")
        yield kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel.started() as kernel:
        kernel.run("from IPython.display import display\nview = CreateView('RenderView')\nShow(Cone(), view)")
        yield kernel


@pytest.fixture(autouse=True)
def _nothing_is_dead(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "kernel" in request.fixturenames:
        found: Kernel = request.getfixturevalue("kernel")
        assert found.run("Sphere(); answer = session.alive")


# -- a pvpython that is none ---------------------------------------------------------------------------

NOT_PVPYTHON = {
    "/bin/ls": "is not a working pvpython: it ended with exit code 2",
    "/bin/true": "is not a working pvpython: it ended with exit code 0 and said nothing",
    sys.executable: "is not ParaView's Python: No module named 'paraview'",
    "/nowhere/pvpython": "which does not exist",
    "/tmp": "which is a folder without bin/pvpython",
    "/etc/passwd": "which cannot be run",
}


@pytest.mark.parametrize("path", NOT_PVPYTHON)
def test_a_program_that_is_no_pvpython_is_named(path: str, bare: Kernel) -> None:
    before = descriptors(bare.process.pid)

    name, message = failure(bare, f"pvlink.start(pvpython={path!r})")

    assert name in ("EngineStartError", "PvpythonNotFound")
    assert path in message
    assert NOT_PVPYTHON[path] in message
    assert children(bare.process.pid) == []
    assert descriptors(bare.process.pid) == before


@pytest.mark.parametrize("script", ["no header", "#!/nowhere/sh\n"])
def test_a_file_that_cannot_be_run_leaves_nothing_behind(script: str, bare: Kernel, tmp_path: Path) -> None:
    before = descriptors(bare.process.pid)

    name, message = failure(bare, f"pvlink.start(pvpython={str(program(tmp_path, script))!r})")

    assert name == "EngineStartError"
    assert "cannot be run" in message
    assert descriptors(bare.process.pid) == before


@pytest.mark.parametrize("script", ["#!/bin/sh\nsleep 1000\n", "#!/bin/sh\nexec sleep 1000\n"])
def test_a_program_that_hangs_is_given_up(script: str, bare: Kernel, tmp_path: Path) -> None:
    bare.run("patience, pvlink.processes.START_PATIENCE = pvlink.processes.START_PATIENCE, 1.0")

    name, message = failure(bare, f"pvlink.start(pvpython={str(program(tmp_path, script))!r})")

    bare.run("pvlink.processes.START_PATIENCE = patience")
    assert name == "EngineStartError"
    assert "gave no answer in 1 s" in message
    assert "pvlink.start(pvpython=" in message
    assert children(bare.process.pid) == []


def test_what_a_program_said_is_in_the_message(bare: Kernel, tmp_path: Path) -> None:
    script = program(tmp_path, "#!/bin/sh\necho error while loading shared libraries: libvtk >&2\nexit 127\n")

    _, message = failure(bare, f"pvlink.start(pvpython={str(script)!r})")

    assert "exit code 127" in message
    assert "libvtk" in message


def test_a_python_too_old_says_so(bare: Kernel, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.version_info = (3, 7, 3, 'final', 0)\n")
    script = program(tmp_path, f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n', "oldpython")

    _, message = failure(bare, f"pvlink.start(pvpython={str(script)!r})")

    assert "this ParaView's Python is 3.7; pvlink needs 3.9 or newer" in message


def test_a_paraview_too_old_says_so(bare: Kernel, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import paraview.servermanager as manager\n"
        "class Old(manager.vtkSMProxyManager):\n"
        "    GetVersionMajor = GetVersionPatch = staticmethod(lambda: 5)\n"
        "    GetVersionMinor = staticmethod(lambda: 8)\n"
        "manager.vtkSMProxyManager = Old\n"
    )
    python = shutil.which("python3", path="/usr/bin")
    if python is None or subprocess.run([python, "-c", "import paraview"], check=False).returncode:
        pytest.skip("there is no Python here that imports ParaView before its script")
    script = program(tmp_path, f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {python} "$@"\n', "oldparaview")

    _, message = failure(bare, f"pvlink.start(pvpython={str(script)!r})")

    assert "this is ParaView 5.8.5; pvlink needs 5.9 or newer" in message


def test_a_wrapper_script_around_pvpython_works_and_ends(bare: Kernel, tmp_path: Path) -> None:
    script = program(tmp_path, '#!/bin/sh\n/usr/bin/env pvpython "$@"\nexit $?\n', "pvpython-wrapped")

    bare.run(f"pvlink.start(pvpython={str(script)!r})\nfrom paraview.simple import *\nSphere()\npvlink.stop()")

    assert children(bare.process.pid) == []


# -- options -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "valid"),
    [
        ("pvlink.start(dispaly='own')", "pvpython, on, display"),
        ("pvlink.start(display='screen')", "'auto', 'own', 'none'"),
        ("pvlink.show(None, witdh=3)", "width, height"),
        ("pvlink.show(None, width=0)", "16 to 8192"),
        ("pvlink.show(None, height=100000)", "16 to 8192"),
        ("pvlink.show(None, height=True)", "CSS length"),
    ],
)
def test_an_option_that_cannot_be_lists_the_valid_ones(call: str, valid: str, kernel: Kernel) -> None:
    name, message = failure(kernel, call)

    assert name == "OptionError"
    assert valid in message


# -- views ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("pvlink.show(Sphere())", "is not a view with a picture"),
        ("pvlink.show(3)", "is not a view with a picture"),
        ("pvlink.show(CreateView('SpreadSheetView'))", "is not a view with a picture"),
        ("v = CreateView('RenderView'); Delete(v); pvlink.show(v)", "This view was deleted"),
        ("v = CreateView('RenderView'); pvlink.show(v); Delete(v); pvlink.show(v)", "This view was deleted"),
        ("v = CreateView('RenderView'); w = pvlink.show(v); Delete(v); w.screenshot()", "This view was deleted"),
    ],
)
def test_what_is_no_view_any_more_is_refused(code: str, sentence: str, kernel: Kernel) -> None:
    name, message = failure(kernel, code)

    assert name == "ViewError"
    assert sentence in message


@pytest.mark.parametrize("size", [[0, 0], [0, 100], [-5, 100], [100_000, 100_000], [100_000, 10]])
def test_a_size_that_cannot_be_drawn_is_refused_where_it_is_set(size: list[int], kernel: Kernel) -> None:
    name, message = failure(kernel, f"view.ViewSize = {size}")

    assert name == "RuntimeError"
    assert f"ViewSize = {size}: a view is 1 to 8192 pixels wide and high" in message
    assert kernel.run("Render(view); answer = min(view.ViewSize) > 0")


def test_a_size_that_came_in_another_way_costs_only_the_picture(kernel: Kernel) -> None:
    said = [kernel.attempt("view.ViewSize[0] = 100000; view.ViewSize[1] = 100000\ndisplay(view)")]
    said.append(kernel.attempt("Sphere()"))

    assert "ViewSize = [100000, 100000]: a view is 1 to 8192 pixels" in "".join(s.err for s in said)
    with Watcher(kernel.socket(), kernel.show("view"), 320, 240) as viewer:
        still = viewer.still()
    assert (still.width, still.height) == (320, 240)


@pytest.mark.parametrize("size", [(0, 100), (100_000, 100_000), (100, -1)])
def test_a_viewer_that_asks_for_no_size_is_refused(size: tuple[int, int], kernel: Kernel) -> None:
    view = kernel.show("view")
    with Watcher(kernel.socket(), view, 320, 240) as viewer:
        viewer.still()
        for method, fields in (
            ("pvlink.size", {}),
            ("pvlink.join", {"protocol": PROTOCOL_VERSION, "view": view, "codecs": ["jpeg"]}),
        ):
            answer = viewer.ask(method, {"width": size[0], "height": size[1], **fields})
            assert "error" in answer, answer

    assert kernel.run("answer = list(view.ViewSize)") == [320, 240]


# -- data ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GARBAGE)
def test_a_corrupt_file_is_reported_in_the_cell(name: str, kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(GARBAGE[name])

    said = kernel.attempt(
        f"reader = OpenDataFile({str(path)!r}); reader.UpdatePipeline(); Show(reader, view); Render(view)"
    )

    assert "not readable" in said.wrong[1] if said.wrong else "ERR" in said.err


def test_a_missing_file_is_an_exception_with_its_name(kernel: Kernel) -> None:
    name, message = failure(kernel, "OpenDataFile('/nowhere/case.vtu')")

    assert name == "RuntimeError"
    assert "/nowhere/case.vtu" in message


# -- what the machine lacks ----------------------------------------------------------------------------


def test_without_an_x_server_the_message_says_what_to_install(tmp_path: Path) -> None:
    for name in PROGRAMS:
        if found := shutil.which(name):
            (tmp_path / name).symlink_to(found)
    with Kernel(PATH=str(tmp_path)) as kernel:
        name, message = failure(kernel, START)

    assert name == "EngineStartError"
    assert "Xvfb is not installed" in message
    assert "apt install xvfb" in message


@pytest.mark.parametrize("display", [":4711", "nowhere:0", "localhost:10.0"])
def test_a_display_that_does_not_answer_is_not_used(display: str) -> None:
    with Kernel(DISPLAY=display) as kernel:
        kernel.run(START)

        assert "its own X server" in kernel.run("answer = session.about['screen']")


def test_a_display_asked_for_that_does_not_answer_is_named(bare: Kernel) -> None:
    name, message = failure(bare, "pvlink.start(display=':4711')")

    assert name == "EngineStartError"
    assert "the display :4711 does not answer" in message


def test_without_a_home_everything_works() -> None:
    with Kernel(HOME="/nowhere", IPYTHONDIR=tempfile.gettempdir()) as kernel:
        kernel.run(START + "Show(Cone())")

        assert kernel.run("answer = len(pvlink.show().screenshot())") > 1000


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    # A socket needs an inode and no block: a disk is full for it when it has no inode left.
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "nr_inodes=1,mode=0700", "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs to mount a tiny file system: {mounted.stderr.decode().strip()}")
    try:
        with Kernel(PVLINK_RUNTIME_DIR=str(tmp_path)) as kernel:
            name, message = failure(kernel, START)
            assert children(kernel.process.pid) == []
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)

    assert name == "StreamerLost"
    assert "No space left on device" in message
    assert str(tmp_path) in message
    assert "PVLINK_RUNTIME_DIR" in message


def test_a_folder_for_sockets_that_others_may_enter_is_not_used() -> None:
    with Kernel() as kernel:
        kernel.directory.chmod(0o755)
        kernel.run(START)

        assert list(kernel.directory.iterdir()) == []
        path = Path(kernel.run("from pvlink import rendezvous; answer = str(rendezvous.find(session.id))"))
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o600
