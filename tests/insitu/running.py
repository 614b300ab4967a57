"""A real simulation under MPI: the reaction of the examples, which any notebook may watch."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from tests.integration.household import until
from tests.rules.tree import ROOT
from tests.servers.pvservers import free_ports

GRAY_SCOTT = ROOT / "notebooks" / "gray_scott.py"
PYTHON = "/usr/bin/python3"
FERRY = "insitu/ferry"


def why_not() -> str:
    """What a simulation needs and is not here; empty if all is."""
    if shutil.which("mpiexec") is None:
        return "mpiexec"
    tried = subprocess.run([PYTHON, "-c", "import mpi4py, paraview"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "ParaView's Python with mpi4py"


needs_simulation = [
    pytest.mark.insitu,
    pytest.mark.skipif(bool(missing := why_not()), reason=f"needs {missing}"),
]


class Running:
    """One of them, from its start until its end. `options` as on its command line."""

    def __init__(self, ranks: int, *options: str, live: str = "", program: Path = GRAY_SCOTT) -> None:
        self.live = live or f"localhost:{free_ports(1)[0]}"
        self.folder = Path(tempfile.mkdtemp(prefix="pvi-"))
        self.log = self.folder / "log"
        self._result = self.folder / "result.npy"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_", "PMI_"))}
        environment = kept | {
            "PYTHONPATH": str(ROOT),
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_mpi_yield_when_idle": "1",
            "HWLOC_COMPONENTS": "-gl",
            "TMPDIR": str(self.folder),
            "OMPI_MCA_btl": "self,vader",
            "OMPI_MCA_btl_vader_backing_directory": str(self.folder),
        }
        command = ["mpiexec", "--oversubscribe", "-n", str(ranks), PYTHON, str(program), "--live", self.live]
        with self.log.open("wb") as said:
            self.process = subprocess.Popen(
                [*command, "--result", str(self._result), *options],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    @property
    def ranks(self) -> list[int]:
        """Their processes, by number."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if process.name().startswith("python") and FERRY not in " ".join(process.cmdline()):
                found.append((int(process.environ()["OMPI_COMM_WORLD_RANK"]), process.pid))
        return [pid for _, pid in sorted(found)]

    @property
    def ferry(self) -> int:
        """Beside the first rank."""
        found = [p.pid for p in psutil.Process(self.ranks[0]).children() if FERRY in " ".join(p.cmdline())]
        assert len(found) == 1, found
        return found[0]

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def ended(self, patience: float = 60.0) -> int:
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended in {patience:.0f} s: {self.said()[-2000:]}") from None

    def result(self, patience: float = 60.0) -> npt.NDArray[np.float64]:
        """What it has computed, once it has."""
        code = self.ended(patience)
        assert code == 0, self.said()[-3000:]
        found: npt.NDArray[np.float64] = np.load(self._result)
        return found

    def kill(self) -> None:
        """All at once, as a scheduler does that has lost its patience."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if FERRY not in " ".join(process.cmdline()):
                process.kill()
        self.process.kill()
        self.process.wait()

    def left(self) -> list[str]:
        """Processes of it that are still there."""
        found = []
        for process in self._all():
            with contextlib.suppress(psutil.Error):
                found.append(" ".join(process.cmdline()))
        return found

    def _all(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("TMPDIR") == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def close(self) -> None:
        """May be called twice."""
        for process in self._all():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        until(lambda: not self.left(), 10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def undisturbed(ranks: int, *options: str) -> npt.NDArray[np.float64]:
    """What it computes where nobody watches."""
    with Running(ranks, *options) as alone:
        return alone.result()
