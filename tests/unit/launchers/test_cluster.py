"""All jobs of a site, on a shell that is nastier than one: late, forgetful, noisy."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pvlink.errors import JobError
from pvlink.launchers import cluster as clusters
from pvlink.launchers import site
from pvlink.launchers.cluster import Cluster
from pvlink.launchers.job import Job
from pvlink.launchers.shells import Dialled, Done


class Fake:
    """Slurm, as far as its commands tell."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []
        # Of each job: what squeue says, and what it has written into its folder.
        self.queue: dict[str, str] = {}
        self.statuses: dict[str, dict[str, Any] | str] = {}
        self.scripts: list[str] = []
        self.home = "/home/ann"
        self.accounts = "sacct: error: Slurm accounting storage is disabled"

    def run(self, command: Sequence[str], *, given: str = "", timeout: float = 60.0) -> Done:
        words = [word for word in command if word not in ("env", "SLURM_TIME_FORMAT=%s")]
        self.ran.append(words)
        if words[0] == "sbatch":
            self.scripts.append(given)
            number = str(40 + len(self.scripts))
            self.queue[number] = "PENDING|N/A|N/A||gpu|Priority"
            return Done(0, f"{number}\n", "")
        if words[0] == "squeue":
            (jobs,) = [word.partition("=")[2].split(",") for word in words if word.startswith("--jobs=")]
            lines = [f"{job}|{self.queue[job]}" for job in jobs if job in self.queue]
            return (
                Done(0, "\n".join(lines), "")
                if lines
                else Done(1, "", "slurm_load_jobs error: Invalid job id specified")
            )
        if words[0] == "sacct":
            return Done(1, "", self.accounts)
        if words[0] == "cat":
            found = [self.statuses[path] for path in words[1:] if path in self.statuses]
            return Done(0, "".join(one if isinstance(one, str) else json.dumps(one) for one in found), "")
        if words[0] == "printenv":
            return Done(0, f"{self.home}\n", "")
        return Done(0, "", "")

    def dial(self, host: str, door: str, port: int) -> Dialled:
        raise JobError("nobody is there")

    def close(self) -> None: ...

    def asked(self, program: str) -> int:
        return len([words for words in self.ran if words[0] == program])


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def cluster(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Cluster(site.read("[slurm]\npartitions = ['gpu']", "oscar.toml", "oscar"), "oscar", fake)


def launched(cluster: Cluster, **options: Any) -> Job:
    return Job(cluster, cluster.launch(**options))


def status(job: Job, fake: Fake, state: str, **facts: Any) -> None:
    fake.statuses[f"/home/ann/.pvlink/jobs/{job.key}/status"] = {"key": job.key, "state": state, **facts}


def test_ten_jobs_are_asked_for_in_one_question(cluster: Cluster, fake: Fake) -> None:
    jobs = [launched(cluster) for _ in range(10)]
    assert [job.state for job in jobs] == ["waiting"] * 10
    assert fake.asked("squeue") == 1
    assert fake.asked("cat") == 1


def test_a_job_says_what_it_is_asked_for(cluster: Cluster, fake: Fake) -> None:
    job = launched(cluster)
    assert job.sentence == "It waits in the queue: others are before it."
    fake.queue[job.number] = f"RUNNING|{time.time():.0f}|{time.time() + 3600:.0f}|n0|gpu|None"
    status(job, fake, "ready", host="n0", version="5.11")
    assert job.wait(5).state == "ready"
    assert job.nodes == "n0"
    assert job.remaining is not None
    assert 3500 < job.remaining.total_seconds() <= 3600


def test_its_own_last_word_is_waited_for(cluster: Cluster, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler may know of an end before the job's folder is seen to."""
    job = launched(cluster)
    fake.queue[job.number] = "FAILED|1|2|n0|gpu|NonZeroExitCode"
    assert job.standing(now=True).state == "ending"
    status(job, fake, "ended", why="setup", said="No module paraview.")
    assert job.standing(now=True).sentence == "Its setup failed. No module paraview."
    silent = launched(cluster)
    fake.queue[silent.number] = "FAILED|1|2|n0|gpu|NonZeroExitCode"
    monkeypatch.setattr(clusters, "SETTLE", 0.0)
    assert silent.standing(now=True).sentence == "Its server ended too early."


def test_one_that_slurm_has_forgotten_has_ended(cluster: Cluster, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "SETTLE", 0.0)
    job, other = launched(cluster), launched(cluster)
    del fake.queue[job.number]
    assert job.standing(now=True).sentence == "Slurm knows nothing of it any more."
    assert other.state == "waiting"
    # One that has ended is not asked about again.
    asked = fake.asked("squeue")
    assert job.state == "ended"
    assert fake.asked("squeue") == asked
    # Nor accounts where there are none.
    del fake.queue[other.number]
    assert other.standing(now=True).state == "ended"
    assert fake.asked("sacct") == 1


def test_noise_is_not_a_status(cluster: Cluster, fake: Fake) -> None:
    job = launched(cluster)
    fake.queue[job.number] = "RUNNING|1|2|n0|gpu|None"
    fake.statuses[f"/home/ann/.pvlink/jobs/{job.key}/status"] = "Welcome to Oscar! {]"
    assert job.state == "starting"


def test_what_slurm_says_of_a_command_that_fails_is_passed_on(
    cluster: Cluster, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = launched(cluster)
    monkeypatch.setattr(
        fake, "run", lambda *_, **__: Done(1, "", "Unable to contact slurm controller (connect failure)")
    )
    with pytest.raises(JobError, match="squeue: Unable to contact slurm controller"):
        job.standing(now=True)
    assert "Unable to contact" in repr(job)


def test_a_home_is_a_folder(cluster: Cluster, fake: Fake) -> None:
    fake.home = "nowhere"
    with pytest.raises(JobError, match="the home is 'nowhere'"):
        launched(cluster)


def test_the_script_is_handed_over_and_the_folder_is_closed_to_others(cluster: Cluster, fake: Fake) -> None:
    job = launched(cluster, memory="6G")
    place = f"/home/ann/.pvlink/jobs/{job.key}"
    assert ["mkdir", "-p", place] in fake.ran
    assert ["chmod", "700", place] in fake.ran
    assert f"export PVLINK_JOB={job.key}" in fake.scripts[0]
    (submitted,) = [words for words in fake.ran if words[0] == "sbatch"]
    assert "--mem=6144M" in submitted
