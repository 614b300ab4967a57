"""Launch a job, list those there are, find one again."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Container
from pathlib import Path
from typing import Any

from pvlink.errors import JobError, OptionError
from pvlink.launchers import allocation, amounts, records, sites, slurm
from pvlink.launchers.allocation import Allocation
from pvlink.launchers.cluster import Cluster
from pvlink.launchers.job import Job
from pvlink.launchers.shells.here import Here
from pvlink.launchers.site import Site

_clusters: dict[tuple[str, str], Cluster] = {}


def launch(site: str | os.PathLike[str] | None, *, inside: bool = False, **options: Any) -> Job:
    """A ParaView server in a job there, or in the job that this process is in. Raises OptionError, JobError."""
    around = _around()
    if not inside:
        if site is None:
            raise OptionError("launch() needs the name of a site: `pvlink site list`; or inside=True within a job.")
        there = _cluster(site)
        if around is not None and there.site.scheduler == "slurm" and there.is_here:
            print(  # noqa: T201
                f"pvlink: this is {around.sentence(time.time())} of Slurm's. inside=True uses that one, with no queue."
            )
        return Job(there, there.launch(**options))
    if around is None:
        raise OptionError("inside=True: this process is in no job of Slurm's (SLURM_JOB_ID is not set).")
    asked = options.get("time")
    wish = allocation.seconds(around, None if asked is None else amounts.duration(asked), time.time())
    there = _cluster(site, around.job)
    return Job(there, there.launch(**{**options, **({} if wish is None else {"time": amounts.clock(wish)})}))


def cluster(site: str | os.PathLike[str]) -> Cluster:
    """A site as it is reached from here. Raises OptionError."""
    return _cluster(site)


def _around() -> Allocation | None:
    """The job that this process is in, with its end, which an older Slurm tells only when it is asked."""
    found = allocation.here()
    if found is not None and found.end is None:
        with contextlib.suppress(JobError):
            said = slurm.queued(Here().run(slurm.queue(Site(), [found.job])).out)
            if (report := said.get(found.job)) is not None:
                return dataclasses.replace(found, end=report.end)
    return found


def jobs(but: Container[str] = ()) -> list[Job]:
    """Those this user has launched from this machine and that had not ended when they were last looked at; `but`: not
    those of these keys."""
    found = []
    for record in records.read():
        if not record.ended and record.key not in but:
            try:
                found.append(Job(_cluster(record.where, record.inside), record))
            except OptionError:
                # Its site's file is gone: nobody can say how it stands.
                continue
    return found


def attach(job: str) -> Job:
    """One of them again, by its key or its number. Raises JobError."""
    known = records.read()
    found = [record for record in known if job in (record.key, record.job)]
    if not found:
        there = ", ".join(f"{record.job} ({record.site})" for record in known if not record.ended) or "none"
        raise JobError(
            f"There is no job {job!r} that was launched from this machine. Those that have not ended: {there}."
        )
    return Job(_cluster(found[0].where, found[0].inside), found[0])


def _cluster(name: str | os.PathLike[str] | None, inside: str = "") -> Cluster:
    """One for all jobs of a site, unless its file was changed meanwhile. `inside`: the job of Slurm's they are in."""
    where = str(Path(name).absolute() if Path(name).suffix == sites.SUFFIX else name) if name else ""
    site = sites.load(where) if where else None
    if inside:
        around = allocation.here()
        site = allocation.inside(site, around if around is not None and around.job == inside else None)
    assert site is not None
    if (known := _clusters.get((where, inside))) is None or known.site != site:
        known = _clusters[where, inside] = Cluster(site, where, inside=inside)
    return known
