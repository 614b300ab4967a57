"""The doctor in a notebook: a kernel of a real Jupyter server, with a session whose processes die."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.browser.jupyter import Server
from tests.integration.cells import START, Cells
from tests.integration.household import until
from tests.integration.test_doctor import NOWHERE, Told, Ward, plain_server

pytestmark = [
    pytest.mark.ways,
    pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython"),
]
SHOW = "Show(Sphere()); widget = pvlink.show(); widget.screenshot(); None"


class Notebook(Cells):
    """The cells of a kernel that a Jupyter server has started."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def __enter__(self) -> Self:
        asked = urllib.request.Request(f"{self.server.url}api/kernels", b"{}", method="POST")  # noqa: S310
        asked.add_header("Authorization", f"token {self.server.token}")
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            self.kernel = json.loads(answer.read())["id"]
        file = self.server.log.parent / "runtime" / f"kernel-{self.kernel}.json"
        until(file.exists, 20)
        self.client: Any = BlockingKernelClient()
        self.client.load_connection_file(str(file))
        self.client.start_channels()
        until(self._ready, 60)
        return self

    def _ready(self) -> bool:
        # On a busy machine it gives a slow kernel up for dead.
        with contextlib.suppress(RuntimeError):
            self.client.wait_for_ready(timeout=20)
            return True
        return False

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.server.ask(f"api/kernels/{self.kernel}", "DELETE")

    def doctor(self) -> Told:
        shown = self.run("print((report := pvlink.doctor()).json())")
        assert shown.error is None, shown.error
        told = json.loads(shown.out)
        assert self.value("bool(report)") == told["good"]
        return Told(0, told["findings"], shown.out)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    sockets = tempfile.mkdtemp(prefix="pvl-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PVLINK_RUNTIME_DIR", sockets)
        patch.delenv("DISPLAY", raising=False)
        with plain_server(tmp_path_factory.mktemp("house") / "home") as server:
            yield server
    shutil.rmtree(sockets)


@pytest.fixture(scope="module")
def notebook(server: Server) -> Iterator[Notebook]:
    with Notebook(server) as notebook:
        started = notebook.run(f"{START}\n{SHOW}")
        assert started.error is None, started.error
        yield notebook


def test_a_notebook_is_told_of_its_server_its_session_and_its_transport(notebook: Notebook, server: Server) -> None:
    told = notebook.doctor()

    assert told.problems == set(), told.text
    told.says("server", "ok", "finds this session", f":{server.port}/")
    told.says("frontend", "ok", "a Jupyter server", "relay")
    told.says("kernel-transport", "note", "tcp", "other users of this machine can read", "ipc")
    told.says("engine", "ok", "ParaView", "is alive", " ms")
    told.says("streamer", "ok", "alive")
    told.says("viewers", "ok", "0 watching")
    told.says("listening", "ok", "no port is open")
    assert told.of("graphics")["facts"]["renderer"]
    assert 0 < told.of("engine")["facts"]["round_trip_ms"] < 1000
    assert server.token not in told.text


def test_the_report_of_a_cell_is_a_table(notebook: Notebook) -> None:
    shown = notebook.run("report")

    assert any("<table" in page for page in shown.html)
    assert "All is well." in (shown.result or "")


def test_the_door_of_a_shared_link_is_told_and_its_password_is_not(notebook: Notebook) -> None:
    password = notebook.value("(share := widget.share()).password")
    told = notebook.doctor()
    notebook.run("share.revoke()")

    told.says("listening", "note", "https://127.0.0.1:", "revoke")
    assert password not in told.text


def test_a_session_that_the_server_does_not_find_is_told(notebook: Notebook, ward: Ward) -> None:
    with Notebook(notebook.server) as elsewhere:
        elsewhere.run(f"import os; os.environ['PVLINK_RUNTIME_DIR'] = {str(ward.sockets)!r}\n{START}")
        told = elsewhere.doctor()

    told.says("server", "problem", "does not find this kernel's session", "PVLINK_RUNTIME_DIR")
    assert told.problems == {"server"}


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    ward = Ward(tmp_path_factory.mktemp("ward"))
    yield ward
    shutil.rmtree(ward.sockets)


def test_a_streamer_that_was_killed_is_told_and_comes_back(notebook: Notebook) -> None:
    os.kill(notebook.value("session._streamer.pid"), signal.SIGKILL)
    told = notebook.doctor()

    told.says("streamer", "problem", "sends the pictures", "pvlink.session().restart()", "untouched")
    told.says("engine", "ok", "is alive")
    assert notebook.run("session.restart()").error is None
    assert notebook.doctor().problems == set()


def test_an_engine_that_is_stopped_or_killed_is_told(notebook: Notebook) -> None:
    engine = notebook.value("session.about['pid']")
    os.kill(engine, signal.SIGSTOP)
    try:
        stopped = notebook.doctor()
    finally:
        os.kill(engine, signal.SIGCONT)
    os.kill(engine, signal.SIGKILL)
    until(lambda: not notebook.value("session.alive"))
    killed = notebook.doctor()

    stopped.says("engine", "problem", "is stopped", f"kill -CONT {engine}")
    killed.says("engine", "problem", "has ended", "pvlink.session().restart()")
    # A new one would start: it is this one that died, not ParaView.
    killed.says("start", "ok", "starts in")
    killed.says("streamer", "ok", "alive")


def test_a_python_that_has_imported_vtk_itself_is_told_so(ward: Ward, vtk_python: str) -> None:
    code = "import sys, vtkmodules.vtkCommonCore, pvlink; r = pvlink.doctor(); print(r.json()); sys.exit(not r)"
    told = ward.doctor(code=code, python=vtk_python)

    told.says("paraview", "note", "imported VTK itself", "restart the kernel")


def test_sockets_of_the_dead_are_counted(ward: Ward) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(ward.sockets / f"{'0' * 32}.sock"))
    told = ward.doctor(**NOWHERE)

    told.says("sessions", "ok", "1 dead socket")


def test_what_is_wrong_in_an_environment_that_may_not_be_jupyters_is_only_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jupyter_server_config.json").write_text(
        '{"ServerApp": {"jpserver_extensions": {"pvlink.server": false}}}'
    )
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setenv("PVLINK_PVPYTHON", "/nowhere/pvpython")
    # Started by this test, which is no Jupyter server.
    with Cells() as kernel:
        shown = kernel.run("import pvlink; print(pvlink.doctor().json())")
    assert shown.error is None, shown.error
    told = Told(0, json.loads(shown.out)["findings"], shown.out)

    told.says("server", "note", f"started by process {os.getpid()}", "no Jupyter server")
    told.says("extension", "note", "switched off")
    assert told.problems == {"paraview"}
