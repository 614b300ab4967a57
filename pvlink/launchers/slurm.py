"""Slurm's commands and what they answer. Pure: argument lists and texts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from pvlink.errors import JobError
from pvlink.launchers import amounts
from pvlink.launchers.order import Order
from pvlink.launchers.site import Site
from pvlink.launchers.states import Report
from pvlink.servers.mpi import OF_ANOTHER_JOB

JOB = re.compile(r"\d{1,12}")
# What squeue is asked for, in this order. The reason comes last: nobody promises that it has no bar in it.
_FIELDS = "%i|%T|%S|%e|%N|%P|%r"
_SACCT = "JobIDRaw,State,Start,End,NodeList,Partition,ExitCode"
# Without it Slurm writes a time without its zone, which is the cluster's.
_EPOCH = ("env", "SLURM_TIME_FORMAT=%s")
# What a job has inherited, and must not have, or it takes itself for a part of another one.
INHERITED = (*OF_ANOTHER_JOB, "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_", "SRUN_")
KEPT = "SLURM_CONF"


def submit(order: Order, place: str) -> list[str]:
    """The script comes on standard input."""
    each = math.ceil(order.ranks / order.nodes)
    words = {
        "--job-name": "pvlink",
        "--partition": order.partition,
        "--account": order.account,
        "--qos": order.qos,
        "--constraint": order.constraint,
        "--reservation": order.reservation,
        "--nodes": str(order.nodes),
        "--ntasks": str(order.ranks),
        "--ntasks-per-node": str(each),
        "--cpus-per-task": str(order.cores),
        "--mem": f"{order.memory}M",
        "--time": amounts.clock(order.seconds),
        "--gres": f"{order.site.slurm.gpus}:{order.gpus}" if order.gpus else "",
        "--chdir": place,
        # When it begins and ends, and shortly before its limit; when it is ready it writes itself.
        "--mail-user": order.mail,
        "--mail-type": "BEGIN,END,FAIL,TIME_LIMIT_90" if order.mail else "",
        # Before the script has its own.
        "--output": f"{place}/slurm.log",
    }
    given = [f"{name}={value}" for name, value in words.items() if value]
    exclusive = ["--exclusive"] if order.exclusive else []
    return [_program(order.site, "sbatch"), "--parsable", "--no-requeue", *given, *exclusive, *order.extra]


def submitted(said: str) -> str:
    """The job's number. Raises JobError."""
    found = JOB.match(said.strip().splitlines()[-1] if said.strip() else "")
    if found is None:
        raise JobError(f"sbatch gave no job number, but: {said.strip()[:500]!r}")
    return found[0]


def queue(site: Site, jobs: Iterable[str]) -> list[str]:
    """All of them in one question."""
    return [
        *_EPOCH,
        _program(site, "squeue"),
        "--noheader",
        "--states=all",
        f"--jobs={','.join(jobs)}",
        f"--format={_FIELDS}",
    ]


def queued(said: str) -> dict[str, Report]:
    found = {}
    for line in said.splitlines():
        fields = line.strip().split("|", 6)
        if len(fields) == 7 and JOB.fullmatch(fields[0]):
            job, word, start, end, nodes, partition, reason = fields
            found[job] = Report(job, word, reason, _when(start), _when(end), nodes, partition)
    return found


def account(site: Site, jobs: Iterable[str]) -> list[str]:
    """For those that squeue has forgotten."""
    return [
        *(*_EPOCH, _program(site, "sacct"), "--noheader", "--parsable2", "--allocations", f"--jobs={','.join(jobs)}"),
        f"--format={_SACCT}",
    ]


def accounted(said: str) -> dict[str, Report]:
    found = {}
    for line in said.splitlines():
        fields = line.strip().split("|")
        if len(fields) == 7 and JOB.fullmatch(fields[0]):
            job, word, start, end, nodes, partition, code = fields
            # "CANCELLED by 1000"
            found[job] = Report(job, word.split(" ")[0], "", _when(start), _when(end), nodes, partition, code)
    return found


def cancel(site: Site, job: str) -> list[str]:
    return [_program(site, "scancel"), job]


def extend(site: Site, job: str, seconds: int) -> list[str]:
    """A new limit, counted from its start."""
    return [_program(site, "scontrol"), "update", f"JobId={job}", f"TimeLimit={amounts.clock(seconds)}"]


def refused(command: str, said: str) -> JobError:
    """What sbatch and the others say when they fail, with what to do."""
    words = " ".join(said.split())[:500]
    hint = next((hint for sign, hint in _HINTS.items() if sign.lower() in words.lower()), "")
    return JobError(f"{command}: {words or 'it failed and said nothing'}{f' {hint}' if hint else ''}")


_HINTS = {
    "invalid account": "(account=..., or slurm.account in the site's file; `sacctmgr show assoc` lists them.)",
    "invalid partition": "(partition=...; `sinfo` lists them.)",
    "invalid qos": "(qos=... or slurm.qos in the site's file.)",
    "requested node configuration is not available": "(No node has that much: ask for less, or another partition.)",
    "time limit": "(time=... is longer than the partition allows; `sinfo` shows its limit.)",
    "unable to contact slurm controller": "(Slurm does not answer here: is this machine part of the cluster?)",
    "access/permission denied": "(Your account may not do that here; ask the cluster's support.)",
    "violates accounting": "(Your account's limits do not allow it: less memory, time or fewer nodes.)",
    "invalid generic resource": "(The GPUs have another name here: slurm.gpus in the site's file.)",
}


def environment(outer: dict[str, str]) -> dict[str, str]:
    """`outer`, without what would make a job take itself for a part of another one."""
    return {name: value for name, value in outer.items() if name == KEPT or not name.startswith(INHERITED)}


def _program(site: Site, name: str) -> str:
    return str(PurePosixPath(site.slurm.bin) / name) if site.slurm.bin else name


def _when(text: str) -> float | None:
    """None where Slurm does not know."""
    return float(text) if text.isdigit() else None
