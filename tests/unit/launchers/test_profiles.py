"""Clusters as they differ: each line of this table is one that somebody has, and what becomes of a launch there."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import Any

import pytest

from pvlink.errors import OptionError
from pvlink.launchers import batch, slurm
from pvlink.launchers.batch import PARTS, Plan
from pvlink.launchers.order import Order, settle
from pvlink.launchers.site import Site, read

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Profile:
    """A site's file, what its user asks for, and what must come of it."""

    what: str
    text: str
    asked: dict[str, Any] = field(default_factory=dict)
    # Words that sbatch is told, and words that it must not be.
    told: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    # Lines of the script.
    lines: tuple[str, ...] = ()
    # Of the steward's plan.
    plan: dict[str, Any] = field(default_factory=dict)
    # Why it is refused.
    refused: str = ""


PROFILES = [
    Profile(
        "modules, and GPUs that memory pays for",
        "[slurm]\npartitions = ['gpu', 'gpu-he']\ngpus = 'gpu'\nmemory = '45G'\n"
        "[rule]\nper = '45G'\ngpus = 1\nmost = 4\n"
        "[paraview]\nsetup = ['module purge', 'module load paraview/5.11.0']\n",
        {"memory": "90G", "time": "1:30:00"},
        told=("--partition=gpu", "--mem=92160M", "--gres=gpu:2", "--ntasks=2", "--time=01:30:00"),
        lines=("module purge", "module load paraview/5.11.0"),
        plan={"launcher": ("mpiexec", "-n", "2"), "ranks": 2, "limit": 0},
    ),
    Profile(
        "MPI by srun only",
        "[slurm]\naccount = 'geo42'\nnodes = 8\n[paraview]\nmpi = 'srun'\n",
        {"nodes": 2, "ranks": 4},
        told=("--account=geo42", "--nodes=2", "--ntasks=4", "--ntasks-per-node=2"),
        plan={"launcher": ("srun", "--ntasks=4", "--kill-on-bad-exit=1", "--unbuffered")},
    ),
    Profile(
        "an srun that has to be told which MPI it is",
        "[paraview]\nmpi = 'srun'\nsrun = ['srun', '--mpi=pmix']\n",
        {"ranks": 2},
        plan={"launcher": ("srun", "--mpi=pmix", "--ntasks=2", "--kill-on-bad-exit=1", "--unbuffered")},
    ),
    Profile(
        "no MPI at all",
        "[paraview]\nmpi = 'none'\n",
        {"ranks": 1},
        told=("--ntasks=1",),
        plan={"launcher": (), "arguments": ("--no-mpi",)},
    ),
    Profile("no MPI, and several ranks", "[paraview]\nmpi = 'none'\n", {"ranks": 2}, refused="starts one rank only"),
    Profile(
        "an mpirun of its own with words of its own",
        "[paraview]\nmpiexec = ['/opt/mpi/bin/mpirun', '--bind-to', 'none', '--mca', 'btl', 'self,tcp']\n",
        {"ranks": 3},
        plan={"launcher": (*("/opt/mpi/bin/mpirun", "--bind-to", "none", "--mca", "btl", "self,tcp", "-n", "3"),)},
    ),
    Profile(
        "ports that the firewall leaves open", "[paraview]\nports = '11111-11199'\n", plan={"ports": (11111, 11199)}
    ),
    Profile("no port on a node", "[paraview]\nports = 'none'\n", plan={"ports": None}),
    Profile(
        "scratch of the job's own, and homes that are small",
        "[files]\nscratch = '$TMPDIR'\njobs = '/project/geo42/pvlink'\n",
        plan={"node": "$TMPDIR/pvlink-20260101-00000000", "place": "/project/geo42/pvlink/20260101-00000000"},
    ),
    Profile(
        "a login in two steps",
        "[ssh]\nhost = 'login.inside'\nuser = 'ann'\njumps = ['ann@gateway.example.org:2222']\nways = ['jump']\n",
        told=("--parsable",),
    ),
    Profile(
        "a kind of GPU, a feature, a QOS, a reservation, whole nodes",
        "[slurm]\ngpus = 'gpu:a100'\nqos = 'vis'\nconstraint = 'a100&nvlink'\nreservation = 'demo'\nexclusive = true\n",
        {"gpus": 2},
        told=("--gres=gpu:a100:2", "--qos=vis", "--constraint=a100&nvlink", "--reservation=demo", "--exclusive"),
    ),
    Profile(
        "several ParaViews",
        "[paraview]\nsetup = ['module load gcc']\n[paraview.versions.'5.9']\nsetup = ['module load paraview/5.9.1']\n"
        "pvserver = '/opt/5.9/bin/pvserver'\nmpi = 'srun'\n",
        {"version": "5.9.1", "ranks": 2},
        lines=("module load gcc", "module load paraview/5.9.1"),
        plan={
            "pvserver": "/opt/5.9/bin/pvserver",
            "launcher": ("srun", "--ntasks=2", "--kill-on-bad-exit=1", "--unbuffered"),
        },
    ),
    Profile("one that it has not", "[paraview]\n", {"version": "5.9"}, refused="none by its version"),
    Profile(
        "a ParaView without X",
        "[paraview]\ndisplay = 'none'\npvserver = '~/paraview-egl/bin/pvserver'\n",
        plan={"display": "none", "pvserver": "/home/ann/paraview-egl/bin/pvserver"},
    ),
    Profile(
        "AWS ParallelCluster: Slurm beside the PATH, queues without memory",
        "[slurm]\nbin = '/opt/slurm/bin'\npartitions = ['queue1']\nextra = ['--nice=100']\n",
        told=("--partition=queue1", "--nice=100"),
    ),
    Profile(
        "a workstation without a scheduler",
        "scheduler = 'none'\n",
        {"time": "2h", "grace": "30m"},
        plan={"limit": 7200, "grace": 1800},
    ),
    Profile(
        "a Python that is not the system's",
        "[paraview]\npython = ['/opt/python/3.11/bin/python3']\n[engine]\npython = ['/opt/pvlink/bin/python']\n",
        lines=("for each in /opt/python/3.11/bin/python3; do",),
        plan={"python": ("/opt/python/3.11/bin/python3",), "engine": ("/opt/pvlink/bin/python",)},
    ),
    Profile(
        "limits",
        "[slurm]\nlongest = '4:00:00'\npartitions = ['short']\n",
        {"time": "5h"},
        refused="4 h at most",
    ),
    Profile(
        "mail by a server that the nodes reach",
        "[mail]\nsmtp = 'mail.example.org:25'\nsender = 'hpc@example.org'\n",
        {"mail": "ann@example.org"},
        told=("--mail-user=ann@example.org", "--mail-type=BEGIN,END,FAIL,TIME_LIMIT_90"),
        untold=("--exclusive",),
    ),
]


def made(profile: Profile) -> tuple[Site, Order, Plan]:
    site = read(profile.text, "there.toml", "there")
    order = settle(site, **profile.asked)
    return site, order, batch.plan(order, "20260101-00000000", "/home/ann")


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.what)
def test_a_cluster_that_somebody_has(profile: Profile) -> None:
    if profile.refused:
        with pytest.raises(OptionError, match=profile.refused):
            made(profile)
        return
    site, order, plan = made(profile)
    words = slurm.submit(order, plan.place)
    assert [word for word in profile.told if word not in words] == []
    assert [word for word in profile.untold if word in words] == []
    assert {name: getattr(plan, name) for name in profile.plan} == profile.plan
    text = batch.script(order, plan, dict.fromkeys(PARTS, "pass\n"))
    assert [line for line in profile.lines if line not in text.splitlines()] == []
    # bash reads it.
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert site.name == "there"


def test_a_program_beside_the_path_is_called_by_its_path() -> None:
    profile = next(one for one in PROFILES if "/opt/slurm/bin" in one.text)
    site, order, plan = made(profile)
    assert slurm.submit(order, plan.place)[0] == "/opt/slurm/bin/sbatch"
    assert slurm.cancel(site, "7") == ["/opt/slurm/bin/scancel", "7"]
