"""Slurm runs it."""

from __future__ import annotations

from collections.abc import Iterable

from pvlink.errors import JobError
from pvlink.launchers import slurm
from pvlink.launchers.order import Order
from pvlink.launchers.shells import Shell
from pvlink.launchers.site import Site
from pvlink.launchers.states import Report

_UNKNOWN = "invalid job id"


class Slurm:
    """Of one cluster."""

    def __init__(self, site: Site, shell: Shell) -> None:
        self._site = site
        self._shell = shell
        # Not every Slurm keeps accounts.
        self._accounts = True

    def submit(self, order: Order, place: str, script: str) -> str:
        done = self._shell.run(slurm.submit(order, place), given=script)
        if done.code != 0:
            raise slurm.refused("sbatch", done.err or done.out)
        return slurm.submitted(done.out)

    def look(self, jobs: Iterable[str]) -> dict[str, Report]:
        wanted = list(jobs)
        done = self._shell.run(slurm.queue(self._site, wanted))
        # It says so of one that it has forgotten; of several it lists those it knows.
        if done.code != 0 and _UNKNOWN not in done.err.lower():
            raise slurm.refused("squeue", done.err or done.out)
        found = slurm.queued(done.out)
        missing = [job for job in wanted if job not in found]
        return found | (self._remembered(missing) if missing and self._accounts else {})

    def _remembered(self, jobs: list[str]) -> dict[str, Report]:
        try:
            done = self._shell.run(slurm.account(self._site, jobs))
        except JobError:
            self._accounts = False
            return {}
        self._accounts = done.code == 0
        return slurm.accounted(done.out)

    def cancel(self, job: str) -> None:
        done = self._shell.run(slurm.cancel(self._site, job))
        if done.code != 0 and _UNKNOWN not in done.err.lower():
            raise slurm.refused("scancel", done.err or done.out)
