"""A kernel that is in a job of Slurm's already (salloc, Open OnDemand, JupyterHub): servers in what it has."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import pvlink
from pvlink.launchers import launching
from tests.cluster.conftest import ended, nothing_left
from tests.cluster.slurm import Slurm
from tests.cluster.test_jobs import BEGIN, PIDS, SHOW
from tests.integration.household import until
from tests.integration.interpreter import Kernel

pytestmark = pytest.mark.cluster


@pytest.fixture
def around(cluster: Slurm, on_slurm: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a process in an allocation of two nodes finds in its environment."""
    told = tmp_path / "told"
    command = [
        "salloc",
        "--partition=gpu",
        "--nodes=2",
        "--time=20",
        "sh",
        "-c",
        f"env >{told}.new; mv {told}.new {told}; cat",
    ]
    environment = os.environ | cluster.environment
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as shell:
        until(told.exists)
        yield dict(line.partition("=")[::2] for line in told.read_text().splitlines() if line.startswith("SLURM_"))
        shell.kill()
    cluster.ask("scancel", "--state=RUNNING")


def test_a_server_in_the_job_that_the_kernel_is_in(around: dict[str, str], on_slurm: str) -> None:
    with Kernel(**around) as kernel:
        kernel.run(f"{BEGIN}from pvlink import fetch")
        said = kernel.attempt(f"job = pvlink.launch({on_slurm!r}, time='10:00'); job.cancel()")
        assert said.wrong is None
        # A hint, and a job of its own all the same.
        assert f"this is job {around['SLURM_JOB_ID']} (2 nodes" in said.out
        assert "inside=True" in said.out
        kernel.run(f"job = pvlink.launch({on_slurm!r}, inside=True, ranks=2)")
        assert "2 ranks" in kernel.run("answer = repr(session.connect(job))")
        assert kernel.run(f"{SHOW}\n{PIDS}; answer = sorted(set(answer))") == [0, 1]
        # As long as there is time.
        assert 60 < kernel.run("answer = job.remaining.total_seconds()") <= 1200
        key = kernel.run("answer = job.key")
        kernel.run("job.cancel()")
    # Also from outside.
    job = launching.attach(key)
    assert ended(job) == "It was cancelled."
    nothing_left(job)


def test_it_ends_with_the_job_around_it(
    around: dict[str, str], cluster: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(pvlink.OptionError, match="are left"):
        pvlink.launch(inside=True, time="2h")
    job = pvlink.launch(inside=True, time="3")
    assert job.site == "allocation"
    job.cancel()
    nothing_left(job)


def test_outside_it_is_refused() -> None:
    with pytest.raises(pvlink.OptionError, match="is in no job of Slurm's"):
        pvlink.launch(inside=True)
    with pytest.raises(pvlink.OptionError, match="needs the name of a site"):
        pvlink.launch()
