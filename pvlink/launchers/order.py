"""What one job asks for: what its user has said, the rest as the site has it. Pure."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pvlink.errors import OptionError, refuse_unknown
from pvlink.launchers import amounts, words
from pvlink.launchers.site import VERSION, Mpi, Site

OPTIONS = (
    "memory",
    "time",
    "partition",
    "ranks",
    "nodes",
    "gpus",
    "account",
    "qos",
    "constraint",
    "reservation",
    "exclusive",
    "extra",
    "version",
    "grace",
    "mail",
)
# What sbatch may be told besides: nothing that says what is run, as whom, with which environment or where its words go.
EXTRA = (
    "--begin",
    "--bb",
    "--clusters",
    "--comment",
    "--core-spec",
    "--cpu-freq",
    "--deadline",
    "--delay-boot",
    "--distribution",
    "--exclude",
    "--gpu-bind",
    "--gpu-freq",
    "--gres-flags",
    "--hint",
    "--licenses",
    "--mem-bind",
    "--mincpus",
    "--network",
    "--nice",
    "--nodelist",
    "--oversubscribe",
    "--power",
    "--prefer",
    "--priority",
    "--sockets-per-node",
    "--spread-job",
    "--switches",
    "--thread-spec",
    "--threads-per-core",
    "--tmp",
    "--use-min-nodes",
    "--wckey",
)
_EXTRA = re.compile(r"(--[a-z-]+)(?:=(.*))?", re.ASCII | re.DOTALL)
MOST_RANKS, MOST_NODES = 100_000, 10_000


@dataclass(frozen=True)
class Program:
    """The ParaView that is started: the site's for all, with what it says of one version."""

    setup: tuple[str, ...]
    pvserver: str
    mpi: Mpi
    mpiexec: tuple[str, ...]
    srun: tuple[str, ...]
    # "5.11", if one was chosen.
    version: str


@dataclass(frozen=True)
class Order:
    """All of it, with no question left."""

    site: Site
    program: Program
    # MiB, of each node.
    memory: int
    seconds: int
    nodes: int
    # Processes of the server, over all nodes; cores of each.
    ranks: int
    cores: int
    # Of each node.
    gpus: int
    partition: str
    account: str
    qos: str
    constraint: str
    reservation: str
    exclusive: bool
    extra: tuple[str, ...]
    # Seconds that it stays when nobody is connected.
    grace: int
    # Who is written to; nobody, if it is empty.
    mail: str = ""

    @property
    def words(self) -> str:
        """For people: "90 GB, 2 cores and 2 GPUs for 1 h 30 min in gpu"."""
        each = " on each of " + f"{self.nodes} nodes" if self.nodes > 1 else ""
        cores = self.cores * math.ceil(self.ranks / self.nodes)
        what = [amounts.memory_words(self.memory), f"{cores} core{'s' if cores > 1 else ''}"]
        if self.gpus:
            what.append(f"{self.gpus} GPU{'s' if self.gpus > 1 else ''}")
        where = f" in {self.partition}" if self.partition else ""
        return f"{', '.join(what[:-1])} and {what[-1]}{each} for {amounts.duration_words(self.seconds)}{where}"


def settle(site: Site, **asked: Any) -> Order:
    """Raises OptionError, which says what the site has."""
    refuse_unknown("launch()", (name for name in asked if name not in OPTIONS), OPTIONS)
    given = {name: value for name, value in asked.items() if value is not None}
    slurm = site.slurm
    nodes = _count(given.get("nodes", 1), "nodes", max(1, slurm.nodes), f"{site.name} gives {slurm.nodes} at most")
    memory, cores, gpus = _share(site, given, nodes)
    ranks = _count(given.get("ranks", max(gpus, cores) * nodes), "ranks", MOST_RANKS)
    if ranks < nodes:
        raise OptionError(f"ranks={ranks}: {nodes} nodes need a rank each, or some would be idle.")
    each = math.ceil(ranks / nodes)
    return Order(
        site=site,
        program=_program(site, given.get("version")),
        memory=memory,
        seconds=_seconds(site, given.get("time")),
        nodes=nodes,
        ranks=ranks,
        cores=max(1, cores // each),
        gpus=gpus,
        partition=_partition(site, given.get("partition")),
        account=_name(given, "account", slurm.account),
        qos=_name(given, "qos", slurm.qos),
        constraint=_name(given, "constraint", slurm.constraint),
        reservation=_name(given, "reservation", slurm.reservation),
        exclusive=_truth(given.get("exclusive", slurm.exclusive), "exclusive"),
        extra=(*_extra(slurm.extra, "slurm.extra"), *_extra(given.get("extra", ()), "extra")),
        grace=amounts.duration(given.get("grace", site.end.grace), "grace"),
        mail=words.address(given.get("mail", site.mail.to), "mail"),
    )


def _share(site: Site, given: dict[str, Any], nodes: int) -> tuple[int, int, int]:
    """Memory (MiB), cores and GPUs of each node."""
    wanted = math.ceil(amounts.memory(given.get("memory", site.slurm.memory)) / nodes)
    gpus = _count(given["gpus"], "gpus", 64, least=0) if "gpus" in given else None
    if gpus and not site.slurm.gpus:
        raise OptionError(f"gpus={gpus}: {site.name} has none (its file says no slurm.gpus).")
    rule = site.rule
    if rule is None:
        ranks = _count(given.get("ranks", nodes), "ranks", MOST_RANKS)
        return wanted, math.ceil(ranks / nodes), gpus or 0
    per = amounts.memory(rule.per, "rule.per")
    # Who asks for more ranks or GPUs than the memory brings pays for as much memory as brings them.
    units = max(1, math.ceil(wanted / per))
    if gpus and rule.gpus:
        units = max(units, math.ceil(gpus / rule.gpus))
    if "ranks" in given:
        each = math.ceil(_count(given["ranks"], "ranks", MOST_RANKS) / nodes)
        units = max(units, math.ceil(each / max(rule.cores, rule.gpus)))
    if units > rule.most:
        most = amounts.memory_words(per * rule.most * nodes)
        room = f"{most} on {nodes} node{'s' if nodes > 1 else ''}"
        enough = math.ceil(units * nodes / rule.most)
        more = f" On more nodes there is more: nodes={enough}." if enough <= site.slurm.nodes else ""
        raise OptionError(
            f"This asks {site.name} for {amounts.memory_words(units * per * nodes)}, and it gives {room} at most "
            f"({amounts.memory_words(per)} with {_of(rule.cores, 'core')}"
            f"{' and ' + _of(rule.gpus, 'GPU') if rule.gpus else ''}, {rule.most} times in a node).{more}"
        )
    return units * per, units * rule.cores, units * rule.gpus if gpus is None else gpus


def _of(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"


def _program(site: Site, version: Any) -> Program:
    paraview = site.paraview
    if version is None:
        return Program(paraview.setup, paraview.pvserver, paraview.mpi, paraview.mpiexec, paraview.srun, "")
    if not isinstance(version, str) or VERSION.fullmatch(version) is None:
        raise OptionError(f'version={version!r}: it is one of ParaView\'s, such as "5.11".')
    short = ".".join(version.split(".")[:2])
    if (own := paraview.versions.get(version) or paraview.versions.get(short)) is None:
        there = ", ".join(paraview.versions) or "none by its version"
        raise OptionError(f"version={version!r}: {site.name} has {there} (paraview.versions in its file).")
    return Program(
        (*paraview.setup, *own.setup),
        own.pvserver or paraview.pvserver,
        own.mpi or paraview.mpi,
        own.mpiexec or paraview.mpiexec,
        own.srun or paraview.srun,
        version,
    )


def _seconds(site: Site, wish: str | datetime.timedelta | None) -> int:
    seconds = amounts.duration(site.slurm.time if wish is None else wish)
    longest = site.slurm.longest
    if longest and seconds > amounts.duration(longest, "slurm.longest"):
        said = amounts.duration_words(amounts.duration(longest))
        raise OptionError(
            f"time={wish!r}: that is {amounts.duration_words(seconds)}; {site.name} gives {said} at most."
        )
    return seconds


def _partition(site: Site, wish: Any) -> str:
    known = site.slurm.partitions
    if wish is None:
        return known[0] if known else ""
    if known and wish not in known:
        raise OptionError(f"partition={wish!r}: {site.name} has {', '.join(known)}.")
    return words.name(wish, "partition")


def _name(given: dict[str, Any], key: str, usual: str) -> str:
    wish = given.get(key, usual)
    return words.name(wish, key) if wish else ""


def _count(value: Any, what: str, most: int, why: str = "", least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise OptionError(f"{what}={value!r}: it is a whole number from {least} to {most}{f' ({why})' if why else ''}.")
    return value


def _truth(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise OptionError(f"{what}={value!r}: it is True or False.")
    return value


def _extra(flags: Any, what: str) -> tuple[str, ...]:
    if isinstance(flags, str) or not isinstance(flags, Sequence):
        raise OptionError(f'{what}={flags!r}: it is a list of options, such as ["--nice=100"].')
    for flag in flags:
        found = _EXTRA.fullmatch(words.plain(flag, what))
        if found is None or found[1] not in EXTRA:
            raise OptionError(
                f'{what}: {flag!r} is not passed on. It is "--OPTION=VALUE", with one of: {" ".join(EXTRA)}.'
            )
    return tuple(flags)
