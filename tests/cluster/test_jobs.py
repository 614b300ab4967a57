"""Jobs of a real Slurm and real ParaView servers: launched, connected, extended, ended, found again."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

import pvlink
from pvlink import launchers
from pvlink.launchers.job import Job
from tests.cluster import slurm
from tests.cluster.conftest import Site, belongings, ended, nothing_left
from tests.cluster.slurm import Slurm
from tests.integration.household import until
from tests.integration.interpreter import Kernel

pytestmark = pytest.mark.cluster

BEGIN = "import pvlink\nsession = pvlink.start()\nfrom paraview.simple import *\n"
SHOW = """\
parts = ProcessIdScalars(Input=Wavelet())
view = CreateView("RenderView"); view.ViewSize = [320, 240]
shown = Show(parts, view); ColorBy(shown, ("POINTS", "ProcessId")); shown.SetRepresentationType("Surface")
view.ResetCamera()
"""
LOOK = "import base64; answer = base64.b64encode(pvlink.show(GetActiveView()).screenshot()).decode()"
PIDS = "answer = [int(part) for part in fetch(parts, 'ProcessId').ravel()]"


def programs(job: Job, name: str) -> list[psutil.Process]:
    """The job's processes of this name, the oldest first."""
    found = [psutil.Process(int(line.split()[0])) for line in belongings(job) if line[0].isdigit()]
    return [one for one in found if one.name() == name]


@pytest.mark.parametrize("ranks", [2, pytest.param(1, marks=pytest.mark.soak)])
def test_one_line_and_a_view(on_slurm: str, kernel: Kernel, ranks: int) -> None:
    kernel.run(BEGIN)
    assert kernel.run(f"job = pvlink.launch({on_slurm!r}, ranks={ranks}, time='30:00'); answer = job.number").isdigit()
    answer = "answer = repr(session.connect(job)), session.server.ranks, job.state, job.nodes, job.sentence"
    said, number, state, nodes, sentence = kernel.run(answer)
    assert re.fullmatch(
        rf"<ParaView server job \d+ at here: {ranks} ranks?, ParaView 5\.\d+, drawn by the server>", said
    )
    assert (number, state, nodes) == (ranks, "used", "n0")
    assert sentence == f"ParaView {said.split('ParaView ')[2].split(',')[0]} is connected on n0."
    first = kernel.run(f"{SHOW}\n{LOOK}")
    assert kernel.run(
        f"{SHOW}\nfrom pvlink import fetch\nanswer = sorted(set(fetch(parts, 'ProcessId').ravel().tolist()))"
    ) == list(range(ranks))
    assert kernel.run("session.disconnect(); session.reconnect(); " + LOOK.replace("first", "")) != ""
    assert first
    left = kernel.run("job.extend('30:00'); answer = job.remaining.total_seconds()")
    assert 3500 < left <= 3600
    key = kernel.run("answer = job.key")
    kernel.run("job.cancel()")
    job = pvlink.attach(key)
    assert ended(job) == "It was cancelled."
    nothing_left(job)
    name, message = kernel.attempt("Render()").wrong or ("", "")
    assert name == "ServerLost"
    assert "has ended: It was cancelled. The picture" in message or "being ended" in message


def test_a_busy_partition_says_why_and_a_waiting_job_is_cancelled(on_slurm: str, cluster: Slurm) -> None:
    cluster.ask("sbatch", "--partition=busy", "--exclusive", "--wrap=sleep 600", "--output=/dev/null")
    job = pvlink.launch(on_slurm, partition="busy")
    until(lambda: "as soon as enough is free" in job.sentence or "others are before it" in job.sentence)
    assert job.state == "waiting"
    assert job.remaining is None
    assert "It waits in the queue" in repr(job)
    job.cancel()
    assert ended(job) == "It was cancelled."
    cluster.ask("scancel", "--user=root")


def test_one_that_will_never_start_is_not_waited_for(on_slurm: str, cluster: Slurm) -> None:
    job = pvlink.launch(on_slurm, partition="short", time="2:00:00")
    with pytest.raises(pvlink.JobError, match=r"will not start\. .*; it will never start\. pvlink cancel"):
        job.wait(60)
    job.cancel()
    with pytest.raises(pvlink.JobError, match=r"has ended\. It was cancelled"):
        job.wait(60)


def test_what_slurm_refuses_is_said_with_what_to_do(on_slurm: str) -> None:
    with pytest.raises(pvlink.JobError, match=r"^sbatch: .*[Ii]nvalid account.*sacctmgr|^sbatch: .*feature"):
        pvlink.launch(on_slurm, constraint="nonesuch")


@pytest.mark.parametrize(
    ("paraview", "said"),
    [
        ("pvserver = '/bin/false'", r"Its server ended too early\. pvserver ended with 1\."),
        ("pvserver = 'nopvserver'", r"Its setup failed\. There is no nopvserver after the lines of paraview\.setup\."),
        ("python = ['nopython']", r"Its setup failed\. No Python 3\.9 or newer was found \(nopython were tried\)\."),
    ],
)
def test_one_that_dies_at_once_says_of_what(on_slurm: str, write_site: Site, paraview: str, said: str) -> None:
    path = Path.home() / ".config/pvlink/sites/here.toml"
    path.write_text(path.read_text() + paraview)
    job = pvlink.launch(on_slurm, ranks=1)
    with pytest.raises(pvlink.JobError, match=said):
        job.wait(60)
    nothing_left(job)
    assert "job.log" not in job.log()


def test_nobody_comes_and_it_ends_by_itself(on_slurm: str) -> None:
    job = pvlink.launch(on_slurm, ranks=1, grace="3s").wait(60)
    assert ended(job).startswith("Nobody had been connected")
    nothing_left(job)


@pytest.mark.parametrize(
    "victim", ["pvserver", *(pytest.param(each, marks=pytest.mark.soak) for each in ("Xvfb", "mpiexec"))]
)
def test_a_server_that_is_killed_is_another_one_and_the_pipeline_comes_back(
    on_slurm: str, kernel: Kernel, victim: str
) -> None:
    kernel.run(BEGIN)
    job = pvlink.attach(
        kernel.run(f"job = pvlink.launch({on_slurm!r}, ranks=2); session.connect(job); answer = job.key")
    )
    before = kernel.run(SHOW + LOOK)
    programs(job, victim)[0].send_signal(signal.SIGKILL)
    name, message = kernel.attempt("import time; time.sleep(3); Render()").wrong or ("", "")
    assert (name, "reconnect()" in message) == ("ServerLost", True)
    assert kernel.run(f"session.reconnect(); {LOOK}") == before
    job.cancel()
    nothing_left(job)


@pytest.mark.soak
def test_a_steward_that_is_killed_takes_everything_along(on_slurm: str) -> None:
    job = pvlink.launch(on_slurm, ranks=2).wait(60)
    (steward,) = [one for one in programs(job, "python3") if "lib/steward.py" in " ".join(one.cmdline())]
    steward.kill()
    assert ended(job) == "Its server ended too early."
    until(lambda: not [line for line in belongings(job) if line[0].isdigit()], 20)


def test_a_kernel_that_is_killed_leaves_the_job_for_another(on_slurm: str, kernel: Kernel) -> None:
    kernel.run(BEGIN)
    key = kernel.run(f"job = pvlink.launch({on_slurm!r}, ranks=1); session.connect(job); answer = job.key")
    os.kill(kernel.process.pid, signal.SIGKILL)
    job = pvlink.attach(key)
    until(lambda: job.state == "ready")
    with Kernel() as another:
        another.run(BEGIN)
        said = another.run(f"job = pvlink.attach({key!r}); answer = repr(session.connect(job))")
        assert "1 rank" in said
        another.run("job.cancel()")
    nothing_left(job)


@pytest.mark.soak
def test_whoever_comes_last_has_it(on_slurm: str, kernel: Kernel) -> None:
    """Of one user: the one before may be a laptop that sleeps."""
    kernel.run(BEGIN)
    key = kernel.run(f"job = pvlink.launch({on_slurm!r}, ranks=1); session.connect(job); answer = job.key")
    with Kernel() as another:
        another.run(BEGIN)
        assert "1 rank" in another.run(f"answer = repr(session.connect(pvlink.attach({key!r})))")
        assert (
            another.run("s = Sphere(); s.UpdatePipeline(); answer = s.GetDataInformation().GetNumberOfPoints()") == 50
        )
        name, _ = kernel.attempt("import time; time.sleep(1); Sphere().UpdatePipeline()").wrong or ("", "")
        assert name == "ServerLost"
    pvlink.attach(key).cancel()


def test_only_its_user_learns_where_its_door_is_and_what_opens_it(on_slurm: str) -> None:
    job = pvlink.launch(on_slurm, ranks=1).wait(60)
    status = job.standing().status
    place = Path.home() / ".pvlink" / "jobs" / job.key
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE((place / "status").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(status["door"]).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(status["door"]).parent.stat().st_mode) == 0o700
    number = str(status["connect_id"])
    for process in psutil.process_iter():
        try:
            assert number not in " ".join(process.cmdline())
        except psutil.Error:
            continue
    # The server itself has no id: nobody can come to it.
    (server,) = programs(job, "pvserver")
    assert [one for one in server.net_connections() if one.status == psutil.CONN_LISTEN] == []
    job.cancel()
    nothing_left(job)


def test_without_a_scheduler_it_is_a_process_of_its_own(on_machine: str, kernel: Kernel) -> None:
    kernel.run(BEGIN)
    key = kernel.run(f"job = pvlink.launch({on_machine!r}, ranks=2, time='1h'); session.connect(job); answer = job.key")
    job = pvlink.attach(key)
    assert job.state == "used"
    assert timedelta(minutes=58) < (job.remaining or timedelta()) <= timedelta(hours=1)
    with pytest.raises(pvlink.JobError, match="no scheduler"):
        job.extend("1h")
    job.cancel()
    assert ended(job) == "It was cancelled."
    nothing_left(job)


def test_its_time_ends_without_a_scheduler_too(on_machine: str) -> None:
    job = pvlink.launch(on_machine, ranks=1, time="4s", grace="1h")
    assert ended(job) == "Its time was over."
    nothing_left(job)


def test_the_same_without_a_notebook(on_slurm: str) -> None:
    def say(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-c", "from pvlink.cli import main; main()", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = say("launch", on_slurm, "-m", "90G", "-t", "30:00")
    number = re.search(r"job (\d+) at here: 90 GB, 2 cores and 2 GPUs for 30 min in gpu", said)
    assert number is not None
    assert f"session.connect(pvlink.attach('{number[1]}'))" in said
    assert "is ready on n" in say("jobs")
    assert "Client connected" in say("jobs", number[1])
    assert say("cancel", number[1]) == f"Cancelled {number[1]}.\n"
    ended(pvlink.attach(number[1]))
    assert "No job launched from here" in say("jobs")
    assert "There is no job '999'" in say("cancel", "999", code=1)
    assert "There is no site 'nowhere'. There are: here." in say("launch", "nowhere", code=1)
    assert "Slurm on this machine" in say("site", "list")


def test_what_was_killed_to_the_last_process_is_cleared_away_by_the_epilogue(
    write_site: Site, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why := slurm.why_not():
        pytest.skip(f"no Slurm here: {why}")
    epilogue = Path(launchers.__file__).with_name("epilogue.sh").read_text()
    with Slurm(epilogue) as own:
        monkeypatch.setenv("SLURM_CONF", own.environment["SLURM_CONF"])
        name = write_site()
        job, other = pvlink.launch(name, ranks=1).wait(60), pvlink.launch(name, ranks=1).wait(60)
        # In one go, so that nobody is there to clear up.
        found = [int(line.split()[0]) for line in belongings(job) if line[0].isdigit()]
        for pid in found:
            os.kill(pid, signal.SIGSTOP)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        assert belongings(job)
        ended(job)
        nothing_left(job)
        assert other.state == "ready"
        other.cancel()
        nothing_left(other)
