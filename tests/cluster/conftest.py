"""A cluster for all tests of a file, a home for each, and what was left of a job."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pvlink.launchers import launching
from pvlink.launchers.job import Job
from tests.cluster import slurm
from tests.cluster.slurm import Slurm
from tests.integration.household import until
from tests.integration.interpreter import Kernel

Site = Callable[..., str]
SETUP = ["export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"] if os.getuid() == 0 else []
MPIEXEC = ["mpiexec", "--oversubscribe"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    if why := slurm.why_not():
        pytest.skip(f"no Slurm here: {why}")
    with Slurm() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, with its sites and records."""
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(place))
    for name in ("PVLINK_SITES", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(launching, "_clusters", {})
    return place


@pytest.fixture
def write_site(home: Path) -> Site:
    """Writes a site's file: lines before its tables, and more of its tables; its name."""

    def write(text: str = "", name: str = "here", *, paraview: str = "", display: str = "own") -> str:
        folder = home / ".config" / "pvlink" / "sites"
        folder.mkdir(parents=True, exist_ok=True)
        usual = f"[paraview]\nsetup = {SETUP}\nmpiexec = {MPIEXEC}\ndisplay = '{display}'\n"
        (folder / f"{name}.toml").write_text(textwrap.dedent(text) + usual + paraview)
        return name

    return write


@pytest.fixture
def on_slurm(cluster: Slurm, write_site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The site of a real Slurm."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    yield write_site(
        """
        title = "Slurm on this machine"
        [slurm]
        partitions = ["gpu", "busy", "short"]
        gpus = "gpu"
        memory = "45G"
        nodes = 2
        [rule]
        per = "45G"
        gpus = 1
        most = 4
        """
    )
    end_all()


@pytest.fixture
def on_machine(write_site: Site) -> Iterator[str]:
    """A site without a scheduler."""
    yield write_site('scheduler = "none"\n')
    end_all()


def end_all() -> None:
    """No test leaves a job."""
    for job in launching.jobs():
        with suppress(Exception):
            job.cancel()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A kernel that sees the same home and cluster."""
    with Kernel() as running:
        yield running


def belongings(job: Job) -> list[str]:
    """Processes and files of a job on its nodes."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("PVLINK_JOB") == job.key and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
    return [*found, *map(str, Path("/tmp").glob(f"pvlink-{job.key}*"))]


def nothing_left(job: Job) -> None:
    left: list[str] = []

    def gone() -> bool:
        left[:] = belongings(job)
        return not left

    try:
        until(gone, 20)
    except AssertionError:
        pytest.fail(f"of {job} there is left: {left}")


def ended(job: Job) -> str:
    """Until it has; how."""
    until(lambda: job.state == "ended", 30)
    return job.sentence
