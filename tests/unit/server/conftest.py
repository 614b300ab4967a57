"""A real Jupyter server with the relay, under a base URL of its own."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.streamer.conftest import kernel
from tests.unit.streamer.harness import ROOT

__all__ = ["kernel"]


@dataclass
class Jupyter:
    port: int
    token: str
    base: str = "/user/ann/"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


# One for a module's tests: a Jupyter server takes seconds to start.
@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="pv") as short:
        patch.setenv("PVLINK_RUNTIME_DIR", short)
        yield Path(short)


@pytest.fixture(scope="module")
def jupyter(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    tmp_path = tmp_path_factory.mktemp("jupyter")
    one = Jupyter(_free_port(), secrets.token_hex(8))
    home = {name: str(tmp_path / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    environment = os.environ | home | {"PYTHONPATH": str(ROOT), "PVLINK_RUNTIME_DIR": str(directory)}
    # The file that the installation puts into etc/jupyter, read from where it is in the repository.
    environment |= {"JUPYTER_CONFIG_PATH": str(ROOT / "jupyter-config"), "JUPYTER_TOKEN": one.token}
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={one.port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.base_url={one.base}", f"--ServerApp.root_dir={tmp_path}"]
    with (tmp_path / "jupyter.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(one, process)
        yield one
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(jupyter: Jupyter, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            with urllib.request.urlopen(f"{jupyter.url}api?token={jupyter.token}"):  # noqa: S310 - http
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise TimeoutError
