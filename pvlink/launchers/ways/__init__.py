"""FAMILY: who runs a job and knows how it stands: Slurm, or nobody (a process of its own)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pvlink.launchers.order import Order
from pvlink.launchers.shells import Shell
from pvlink.launchers.site import Site
from pvlink.launchers.states import Report


class Way(Protocol):
    """Of one site, on one shell."""

    def submit(self, order: Order, place: str, script: str) -> str:
        """Have it run; its number. `place`, its folder, is there. Raises JobError."""

    def look(self, jobs: Iterable[str]) -> dict[str, Report]:
        """How they stand, in one question; one that is not known any more is missing. Raises JobError."""

    def cancel(self, job: str) -> None:
        """End it. Nothing if it has ended. Raises JobError."""


def way(site: Site, shell: Shell) -> Way:
    from pvlink.launchers.ways import direct, slurm

    ways: dict[str, Callable[[Site, Shell], Way]] = {"slurm": slurm.Slurm, "none": direct.Direct}
    return ways[site.scheduler](site, shell)
