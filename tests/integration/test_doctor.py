"""The doctor at set-ups that were broken on purpose, for real; docs/how-to/doctor.md lists what it says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser.jupyter import Server

pytestmark = [
    pytest.mark.ways,
    pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython"),
]

PVPYTHON = shutil.which("pvpython") or ""
ROOT = Path(__file__).parents[2]
NOWHERE = {"PVLINK_PVPYTHON": "/nowhere/pvpython"}
# Root inside, with mounts of its own.
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
DOCTOR = "import sys; from pvlink.cli import main; main(['doctor', '--json', *sys.argv[1:]])"


@dataclass(frozen=True)
class Told:
    """What the doctor said to a program."""

    code: int
    findings: list[dict[str, Any]]
    text: str

    def of(self, name: str) -> dict[str, Any]:
        found = [one for one in self.findings if one["name"] == name]
        assert found, f"nothing about {name}: {self.text}"
        return max(found, key=lambda one: ("ok", "note", "problem").index(one["level"]))

    def says(self, name: str, level: str, *words: str) -> None:
        found = self.of(name)
        assert found["level"] == level, found
        for word in words:
            assert word.lower() in (found["sentence"] + " -> " + found["cure"]).lower(), (word, found)

    @property
    def problems(self) -> set[str]:
        return {one["name"] for one in self.findings if not one["good"]}


class Ward:
    """Where patients are examined: away from this user's own settings, servers and sockets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Short, as paths of sockets must be.
        self.sockets = Path(tempfile.mkdtemp(prefix="pvl-"))

    def doctor(
        self, *arguments: str, under: Sequence[str] = (), code: str = DOCTOR, python: str = sys.executable, **env: str
    ) -> Told:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "JPY_", "PVLINK")) and k != "DISPLAY"
        }
        places = {f"JUPYTER_{kind}_DIR": str(self.folder / kind.lower()) for kind in ("CONFIG", "RUNTIME")}
        done = subprocess.run(
            [*under, python, "-P", "-c", code, *arguments],
            env={**kept, "PVLINK_RUNTIME_DIR": str(self.sockets), **places, **env},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.stdout, done.stderr
        told = json.loads(done.stdout)
        assert (done.returncode == 0) == told["good"]
        return Told(done.returncode, told["findings"], done.stdout)

    def program(self, name: str, *lines: str) -> str:
        """An executable of these lines."""
        file = self.folder / name
        file.write_text("\n".join(("#!/bin/sh", *lines, "")))
        file.chmod(0o755)
        return str(file)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    ward = Ward(tmp_path_factory.mktemp("ward"))
    yield ward
    shutil.rmtree(ward.sockets)


@pytest.fixture(scope="module")
def namespace() -> Sequence[str]:
    """What gives a program mounts of its own."""
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False).returncode != 0:
        pytest.skip("this machine lets nobody make user namespaces")
    return NAMESPACE


def with_mounts(namespace: Sequence[str], script: str) -> list[str]:
    return [*namespace, "sh", "-c", f'set -e; {script}; exec "$@"', "sh"]


# -- nothing wrong -------------------------------------------------------------------------------


def test_where_all_is_well_nothing_is_a_problem_and_a_picture_was_drawn(ward: Ward) -> None:
    told = ward.doctor()

    assert told.code == 0, told.problems
    told.says("start", "ok", "ParaView", "starts in")
    told.says("picture", "ok", "first picture after")
    assert told.of("picture")["facts"]["engine_ms"] > 0
    told.says("display", "ok", "its own X server")
    assert told.of("graphics")["facts"]["renderer"]
    told.says("extension", "ok")
    told.says("labextension", "ok")
    # What it started has ended, and what it made is gone.
    assert list(ward.sockets.iterdir()) == []


# -- ParaView ------------------------------------------------------------------------------------


def test_a_paraview_that_does_not_work_is_told_by_what_is_wrong_with_it(ward: Ward) -> None:
    moved = ward.folder / "moved"
    wanted = b"libvtkRemotingApplication-pv"
    if wanted not in Path(PVPYTHON).read_bytes():
        pytest.skip("this pvpython is not a program whose library can be taken away")
    moved.write_bytes(Path(PVPYTHON).read_bytes().replace(wanted, b"libvtkRemotingApplicatiom-pv"))
    moved.chmod(0o755)
    (ward.folder / "old.py").write_text(
        "import runpy, sys\nsys.version_info = (2, 7, 18, 'final', 0)\nsys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    programs = {
        "nothing": "/nowhere/pvpython",
        "moved": str(moved),
        "ends": ward.program("ends", "echo 'licence server is away' >&2", "exit 7"),
        "hangs": ward.program("hangs", "sleep 1000"),
        "old": ward.program("old", f'exec {sys.executable} {ward.folder}/old.py "$@"'),
        "stranger": ward.program("stranger", f'exec {sys.executable} -I "$@"'),
        "crash": ward.program("crash", "kill -SEGV $$"),
    }
    with ThreadPoolExecutor(2) as pool:
        patients = {
            name: pool.submit(ward.doctor, "--patience", "3" if name == "hangs" else "30", PVLINK_PVPYTHON=path)
            for name, path in programs.items()
        }
        told = {name: patient.result() for name, patient in patients.items()}

    told["nothing"].says("paraview", "problem", "PVLINK_PVPYTHON", "/nowhere/pvpython", "does not exist", "unset")
    told["moved"].says("start", "problem", "cannot find the library libvtkRemotingApplicatiom", "LD_LIBRARY_PATH")
    told["ends"].says("start", "problem", "exit code 7", "licence server is away", "--version")
    told["hangs"].says("start", "problem", "gave no answer in 3 s", "--patience")
    told["old"].says("start", "problem", "too old", "2.7", "newer ParaView")
    told["stranger"].says("start", "problem", "has no ParaView in it")
    told["crash"].says("start", "problem", "crashed", "signal 11")
    assert all(len(one.problems) == 1 for one in told.values()), {name: one.problems for name, one in told.items()}


def test_a_machine_without_any_paraview_is_told_how_to_get_one(ward: Ward, namespace: Sequence[str]) -> None:
    hidden = " && ".join(f"mount --bind /dev/null {path}" for path in pvpythons())

    told = ward.doctor(under=with_mounts(namespace, hidden))

    told.says("paraview", "problem", "No ParaView found", "apt install paraview", "PVLINK_PVPYTHON")
    assert told.problems == {"paraview"}


def pvpythons() -> set[Path]:
    on_path = {Path(folder) / "pvpython" for folder in os.get_exec_path()}
    return {path.resolve() for path in (*on_path, Path("/usr/bin/pvpython")) if path.exists()}


# -- displays ------------------------------------------------------------------------------------


def test_no_way_to_draw_and_a_dead_display_are_told_with_what_to_install(ward: Ward) -> None:
    only = ward.folder / "only"
    only.mkdir()
    (only / "pvpython").symlink_to(PVPYTHON)
    with ThreadPoolExecutor(2) as pool:
        none = pool.submit(ward.doctor, PATH=str(only))
        dead = pool.submit(ward.doctor, PATH=str(only), DISPLAY=":4711")
        rescued = pool.submit(ward.doctor, DISPLAY=":4711")

    none.result().says("start", "problem", "X display only", "Xvfb", "apt-get install xvfb")
    none.result().says("display", "problem", "DISPLAY is not set", "Xvfb is not installed")
    dead.result().says("display", "problem", "DISPLAY is :4711, but no X server answers there", "unset DISPLAY")
    rescued.result().says("display", "note", "no X server answers there", "its own X server")
    assert rescued.result().problems == set()


# Two patiences long.
@pytest.mark.soak
def test_an_x_server_that_hangs_is_found_out_in_time(ward: Ward) -> None:
    answer, given = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(given), "-screen", "0", "64x64x24", "-nolisten", "tcp"],
        pass_fds=[given],
        stderr=subprocess.DEVNULL,
    )
    os.close(given)
    try:
        with os.fdopen(answer) as said:
            display = f":{said.readline().strip()}"
        server.send_signal(signal.SIGSTOP)
        told = ward.doctor("--patience", "2", DISPLAY=display)
    finally:
        server.send_signal(signal.SIGCONT)
        server.terminate()
        server.wait(10)

    told.says("start", "problem", f"the display {display} takes calls and does not answer", "unset DISPLAY")
    told.says("display", "problem", "does not answer")


# -- the machine ---------------------------------------------------------------------------------


def test_directories_that_take_no_sockets_are_told_with_the_reason(ward: Ward, namespace: Sequence[str]) -> None:
    if Path(sys.prefix).is_relative_to("/tmp"):
        pytest.skip("what runs lies in /tmp, and this test covers that")
    mounts = {
        "full": "mount -t tmpfs -o nr_inodes=1,mode=1777 none /tmp",
        "read-only": "mount -t tmpfs -o ro none /tmp",
        "open": "mount -t tmpfs none /tmp; mkdir -m 755 /tmp/pvl /tmp/pvlink-0",
    }
    with ThreadPoolExecutor(2) as pool:
        patients = {
            name: pool.submit(
                ward.doctor, under=with_mounts(namespace, script), PVLINK_RUNTIME_DIR="/tmp/pvl", **NOWHERE
            )
            for name, script in mounts.items()
        }
        told = {name: patient.result() for name, patient in patients.items()}

    told["full"].says("sockets", "problem", "No space left on device", "PVLINK_RUNTIME_DIR")
    told["read-only"].says("sockets", "problem", "Read-only file system", "PVLINK_RUNTIME_DIR")
    told["open"].says("sockets", "problem", "mode 0755", "chmod 700")


def test_a_wish_for_sockets_that_cannot_be_is_noted(ward: Ward) -> None:
    told = ward.doctor(PVLINK_RUNTIME_DIR=f"/tmp/{'x' * 120}", **NOWHERE)

    told.says("socket-wish", "note", "107 are allowed", "short path")
    told.says("sockets", "ok")


def test_many_troubles_at_once_are_each_told(ward: Ward, tmp_path: Path) -> None:
    (tmp_path / "jupyter_server_config.json").write_text(
        '{"ServerApp": {"jpserver_extensions": {"pvlink.server": false}}}'
    )
    (tmp_path / "labconfig").mkdir()
    (tmp_path / "labconfig" / "page_config.json").write_text('{"disabledExtensions": {"pvlink": true}}')
    (tmp_path / "policy.toml").write_text("share = yes please")
    (tmp_path / "simplejpeg.py").write_text("raise ImportError('libturbojpeg.so.0: wrong ELF class')")

    told = ward.doctor(
        under=["sh", "-c", 'ulimit -Sn 100; exec "$@"', "sh"],
        JUPYTER_CONFIG_DIR=str(tmp_path),
        # Else an environment's own settings come before the user's.
        JUPYTER_PREFER_ENV_PATH="0",
        PVLINK_POLICY=str(tmp_path / "policy.toml"),
        PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        **NOWHERE,
    )

    told.says("extension", "problem", "switched off", "jupyter server extension enable pvlink.server")
    told.says("labextension", "problem", "switched off", "jupyter labextension enable pvlink")
    told.says("policy", "problem", "policy.toml", "Nothing can be shared")
    told.says("libraries", "problem", "simplejpeg", "wrong ELF class", "pip install --force-reinstall")
    told.says("open-files", "problem", "100", "ulimit -n")
    told.says("paraview", "problem", "/nowhere/pvpython")
    assert len(told.problems) == 6


def test_a_damaged_installation_is_told(ward: Ward, tmp_path: Path) -> None:
    altered(tmp_path, "9.9.9")
    shutil.rmtree(tmp_path / "pvlink" / "static")

    told = ward.doctor(PYTHONPATH=str(tmp_path), **NOWHERE)

    assert told.of("pvlink")["facts"]["version"] == "9.9.9"
    told.says("viewer", "problem", "widget.js", "--force-reinstall")
    told.says("labextension", "problem", "9.9.9", "pip install")


def altered(folder: Path, version: str) -> None:
    """A copy of pvlink that says it is another version."""
    package = Path(
        subprocess.check_output(
            [sys.executable, "-P", "-c", "import pvlink; print(*pvlink.__path__)"], text=True
        ).strip()
    )
    shutil.copytree(package, folder / "pvlink", ignore=shutil.ignore_patterns("labextension", "__pycache__"))
    (folder / "pvlink" / "version.py").write_text(f'__version__ = "{version}"\n')


# -- Jupyter servers -----------------------------------------------------------------------------


# What a Jupyter server would load besides, and here only costs time.
OTHERS = ("jupyterlab", "jupyter_lsp", "nbclassic", "notebook", "notebook_shim", "voila.server_extension")


def plain_server(home: Path, *off: str) -> Server:
    """A Jupyter server without JupyterLab and such, nor the extensions that are named."""
    home.mkdir()
    arguments = ["-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    arguments += [f"--ServerApp.root_dir={home}", "--ServerApp.port=PORT", "--ServerApp.port_retries=0"]
    arguments += [f"--ServerApp.jpserver_extensions={dict.fromkeys([*OTHERS, *off], False)}"]
    return Server(home, arguments)


@pytest.mark.soak
def test_each_running_server_is_asked_for_its_way_to_pvlink(
    ward: Ward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = plain_server(tmp_path / "without", "pvlink.server")
    well = plain_server(tmp_path / "well")

    def asked(server: Server) -> Told:
        told = ward.doctor(JUPYTER_RUNTIME_DIR=str(server.log.parent / "runtime"), **NOWHERE)
        assert server.token not in told.text
        return told

    altered(tmp_path, "0.0.9")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ThreadPoolExecutor(3) as pool, plain_server(tmp_path / "other") as other, ExitStack() as stack:
        monkeypatch.undo()
        list(pool.map(stack.enter_context, (well, without)))
        told = list(pool.map(asked, (well, without, other)))
        assert well._process is not None
        os.kill(well._process.pid, signal.SIGSTOP)
        stack.callback(os.kill, well._process.pid, signal.SIGCONT)
        stuck = asked(well)

    told[0].says("server", "ok", "has pvlink", "relay")
    told[1].says("server", "problem", "without pvlink's relay", "restart it", "extension enable")
    told[2].says("server", "problem", "pvlink 0.0.9", "same version", "restart Jupyter")
    stuck.says("server", "problem", "timed out", "restart it")
