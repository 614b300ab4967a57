"""The job of Slurm's that this kernel is in (`salloc`, `srun --pty`, Open OnDemand, JupyterHub), as a place for
servers: what it has is there already, and nobody waits in a queue. Pure.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from pvlink.errors import OptionError
from pvlink.launchers import amounts, words
from pvlink.launchers.site import Site

NAME = "allocation"
# What mpiexec and srun have to know of it; Slurm sets these in each of its jobs.
_KNOWN = ("NODELIST", "JOB_NODELIST", "NNODES", "JOB_NUM_NODES", "TASKS_PER_NODE", "JOB_CPUS_PER_NODE", "CONF")
# So long before its end, in seconds, a server in it ends by itself: in order.
MARGIN = 15
_NUMBER = re.compile(r"\d{1,12}", re.ASCII)


@dataclass(frozen=True)
class Allocation:
    """One job, from inside."""

    job: str
    nodes: int
    # MiB of each node, if Slurm says it.
    memory: int | None
    # Seconds of the epoch; none where this Slurm does not say it.
    end: float | None
    variables: tuple[tuple[str, str], ...]

    def remaining(self, now: float) -> int | None:
        return None if self.end is None else max(0, round(self.end - now) - MARGIN)

    def sentence(self, now: float) -> str:
        nodes = "1 node" if self.nodes == 1 else f"{self.nodes} nodes"
        left = self.remaining(now)
        return f"job {self.job} ({nodes}{f', {amounts.duration_words(left)} left' if left else ''})"


def found(environment: Mapping[str, str]) -> Allocation | None:
    """The one that this process is in; none outside."""
    job = environment.get("SLURM_JOB_ID", environment.get("SLURM_JOBID", ""))
    if _NUMBER.fullmatch(job) is None:
        return None
    known = [(f"SLURM_{name}", environment.get(f"SLURM_{name}", "")) for name in _KNOWN]
    return Allocation(
        job,
        _number(environment, "SLURM_JOB_NUM_NODES") or _number(environment, "SLURM_NNODES") or 1,
        _number(environment, "SLURM_MEM_PER_NODE"),
        _number(environment, "SLURM_JOB_END_TIME"),
        (("SLURM_JOB_ID", job), ("SLURM_JOBID", job), *((name, value) for name, value in known if value)),
    )


def inside(site: Site | None, allocation: Allocation | None) -> Site:
    """A site whose servers are processes of that job; `allocation`: none for one that was seen from inside before."""
    site = site or Site(name=NAME, title="the job of this notebook")
    here = replace(site, scheduler="none", ssh=None, rule=None)
    if allocation is None:
        return here
    memory = {} if allocation.memory is None else {"memory": f"{allocation.memory}M"}
    # mpiexec and srun find its nodes by these; and the step that this kernel may be keeps nothing to itself.
    told = [f"export {name}={_quoted(value, name)}" for name, value in allocation.variables]
    setup = (*told, "export SLURM_OVERLAP=1", *site.paraview.setup)
    return replace(
        here,
        slurm=replace(site.slurm, nodes=allocation.nodes, gpus="", longest="", partitions=(), **memory),
        paraview=replace(site.paraview, setup=setup),
    )


def seconds(allocation: Allocation, asked: int | None, now: float) -> int | None:
    """How long a server may stay: as was asked, or as long as there is. Raises OptionError."""
    left = allocation.remaining(now)
    if left is not None and left < (asked or 1):
        raise OptionError(
            f"{allocation.sentence(now)} ends before: {amounts.duration_words(left)} are left. Ask for less, or leave "
            "inside=True out for a job of its own."
        )
    return left if asked is None else asked


def here() -> Allocation | None:
    return found(os.environ)


def _number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name, "")
    return int(text) if _NUMBER.fullmatch(text) else None


def _quoted(value: str, name: str) -> str:
    # Within single quotes nothing is special but they themselves.
    return "'" + words.plain(value, name).replace("'", "'\\''") + "'"
