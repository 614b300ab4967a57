"""A real kernel with a real ParaView and a live view, for those who look for what it gives away."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.cells import START, Cells

CANARY = "Canary-7hK92mQ-" + "pw"
SCENE = "sphere = Sphere(); Show(sphere); view = pvlink.show(GetActiveView()); Render()"
needs_paraview = pytest.mark.skipif(shutil.which("pvpython") is None, reason="needs pvpython")


class Real:
    """A kernel, its processes, and where they keep things."""

    def __init__(self, cells: Cells, directory: Path) -> None:
        self.cells = cells
        self.directory = directory
        self.session: str = cells.value("session.id")
        self.pid = int(cells.value("__import__('os').getpid()"))

    @property
    def processes(self) -> dict[str, psutil.Process]:
        """By name; the kernel's children and theirs."""
        found = {"kernel": psutil.Process(self.pid)}
        for child in psutil.Process(self.pid).children(recursive=True):
            line = " ".join(child.cmdline())
            name = (
                "streamer" if "pvlink.streamer" in line else "engine" if "engine/__main__.py" in line else child.name()
            )
            found[name if name not in found else f"{name} {child.pid}"] = child
        return found

    @property
    def socket(self) -> Path:
        return self.directory / f"{self.session}.sock"

    def message(self) -> dict[str, Any]:
        """The connection of the kernel, as Jupyter's file has it."""
        return dict(self.cells.manager.get_connection_info())


@contextlib.contextmanager
def real(home: Path) -> Iterator[Real]:
    """With all that is kept in `home`."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="pv") as short:
        os.environ["PVLINK_RUNTIME_DIR"] = short
        os.environ["XDG_DATA_HOME"] = str(home / "data")
        os.environ["IPYTHONDIR"] = str(home / "ipython")
        try:
            with Cells() as cells:
                started = cells.run(f"{START}\n{SCENE}")
                assert started.error is None, started.error
                yield Real(cells, Path(short))
        finally:
            os.environ.clear()
            os.environ.update(before)
