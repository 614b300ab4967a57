"""Launch a job, list those there are, find one again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pvlink.errors import JobError, OptionError
from pvlink.launchers import records, sites
from pvlink.launchers.cluster import Cluster
from pvlink.launchers.job import Job

_clusters: dict[str, Cluster] = {}


def launch(site: str | os.PathLike[str], **options: Any) -> Job:
    """A ParaView server in a job there. Raises OptionError, JobError."""
    cluster = _cluster(site)
    return Job(cluster, cluster.launch(**options))


def jobs() -> list[Job]:
    """Those this user has launched from this machine and that had not ended when they were last looked at."""
    found = []
    for record in records.read():
        if not record.ended:
            try:
                found.append(Job(_cluster(record.where), record))
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
    return Job(_cluster(found[0].where), found[0])


def _cluster(name: str | os.PathLike[str]) -> Cluster:
    """One for all jobs of a site, unless its file was changed meanwhile."""
    where = str(Path(name).absolute() if Path(name).suffix == sites.SUFFIX else name)
    site = sites.load(where)
    if (known := _clusters.get(where)) is None or known.site != site:
        known = _clusters[where] = Cluster(site, where)
    return known
