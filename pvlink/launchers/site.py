"""A cluster as a file describes it, in TOML: what to run, where jobs go, what they cost, where files may lie. Pure.

    title = "Oscar"
    [slurm]
    partitions = ["gpu", "gpu-he"]     # the first one is the usual one
    time = "1:00:00"                   # of a job that says nothing else
    longest = "2-00:00:00"
    memory = "45G"
    gpus = "gpu"                       # how Slurm calls them; "gpu:a100" for a kind
    [rule]                             # memory buys cores and GPUs
    per = "45G"
    cores = 1
    gpus = 1
    most = 4                           # of these in one node
    [paraview]
    setup = ["module load paraview/5.11.0"]
    mpi = "mpiexec"                    # "srun", or "none"

`schema` lists all keys. One that is not there is refused together with those that are: a misspelled limit must not be
no limit.
"""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Struct, field

from pvlink.errors import OptionError
from pvlink.launchers import amounts, words

Count = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
VERSION = re.compile(r"\d{1,2}\.\d{1,3}(\.\d{1,3})?", re.ASCII)


Way = Literal["direct", "socket", "jump"]


class Ssh(Struct, frozen=True, forbid_unknown_fields=True):
    """How the cluster is reached from elsewhere."""

    host: str
    # What is not said is in ~/.ssh/config, or as ssh has it.
    user: str = ""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    # Hosts on the way, the first one first: "gateway.example.org", "me@gateway:2222".
    jumps: tuple[str, ...] = ()
    # A key's file.
    identity: str = ""
    # Host names, with * and ?, on which no ssh is needed: the cluster's own.
    inside: tuple[str, ...] = ()
    # How a job's door is reached, in the order that they are tried: from the login node to the node's port; by ssh to
    # the node, to its unix socket; by ssh to the node, to its port.
    ways: tuple[Way, ...] = ("direct", "socket", "jump")


class Slurm(Struct, frozen=True, forbid_unknown_fields=True):
    """Where jobs go, and what they ask for when their user says nothing else."""

    # Where they may go; the first one is the usual one. None: Slurm's own usual one.
    partitions: tuple[str, ...] = ()
    account: str = ""
    qos: str = ""
    constraint: str = ""
    reservation: str = ""
    # How GPUs are called: "gpu" or "gpu:a100"; empty where there are none.
    gpus: str = ""
    memory: str = "4G"
    time: str = "1:00:00"
    # The longest a job may ask for.
    longest: str = ""
    # The most nodes of a job.
    nodes: Count = 1
    exclusive: bool = False
    # Further options of sbatch for each job.
    extra: tuple[str, ...] = ()
    # The folder of sbatch, squeue and the others, where they are not on the PATH.
    bin: str = ""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """What memory buys: so many units of `per` as are needed, each with its cores and GPUs."""

    per: str
    cores: Count = 1
    gpus: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    # Units in one node.
    most: Count = 1


Mpi = Literal["mpiexec", "srun", "none"]
Display = Literal["own", "none"]
Scheduler = Literal["slurm", "none"]
_CHOICES = {"ways": get_args(Way), "mpi": get_args(Mpi), "display": get_args(Display), "scheduler": get_args(Scheduler)}


class Version(Struct, frozen=True, forbid_unknown_fields=True):
    """One ParaView of several; what it does not say is as for all."""

    # After the lines for all.
    setup: tuple[str, ...] = ()
    pvserver: str = ""
    mpi: Mpi | None = None
    mpiexec: tuple[str, ...] = ()
    srun: tuple[str, ...] = ()


class ParaView(Struct, frozen=True, forbid_unknown_fields=True):
    """How pvserver is started there."""

    # Lines for the shell before anything else: `module load ...`. They are the site's own, and run as they are.
    setup: tuple[str, ...] = ()
    pvserver: str = "pvserver"
    # Who starts several ranks: "mpiexec", "srun" or "none".
    mpi: Mpi = "mpiexec"
    # The program, if it is not called mpiexec, and its further arguments: ["mpirun", "--bind-to", "none"].
    mpiexec: tuple[str, ...] = ("mpiexec",)
    # The same for srun: ["srun", "--mpi=pmix"].
    srun: tuple[str, ...] = ("srun",)
    # "own": an X server of its own for each node; "none": its ParaView draws without one (EGL, OSMesa).
    display: Display = "own"
    # At which of a node's ports a job's door may be, "11111-11199"; "any"; "none" for a unix socket alone.
    ports: str = "any"
    # Which Python runs pvlink's part of a job, 3.9 or newer; tried in this order.
    python: tuple[str, ...] = ("python3", "pvpython")
    # By version, if there are several: [paraview.versions."5.11"].
    versions: dict[str, Version] = {}


class Engine(Struct, frozen=True, forbid_unknown_fields=True):
    """How ParaView's own process is started there: `pvlink.start(on=job)`."""

    # Which Python has pvlink there; tried in this order.
    python: tuple[str, ...] = ("~/.pvlink/env/bin/python", "python3")
    pvpython: str = "pvpython"


class Files(Struct, frozen=True, forbid_unknown_fields=True):
    """Where files may lie."""

    # Of a node's own, for the time of a job; "/scratch/$USER" or "$TMPDIR" is what it is there.
    scratch: str = "/tmp"  # noqa: S108 - a folder of our own is made there, 0700
    # Seen from everywhere: what a job says of itself.
    jobs: str = "~/.pvlink/jobs"


class End(Struct, frozen=True, forbid_unknown_fields=True):
    """How a job ends."""

    # How long it stays when nobody is connected.
    grace: str = "10m"
    # So long before its limit its user is told.
    warning: str = "3m"


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """How a job writes to its user: when it is ready, and when it has ended. Without an address it does not."""

    to: str = ""
    sender: str = ""
    # A mail server that the nodes reach, "mail.example.org:25"; else sendmail.
    smtp: str = ""
    sendmail: str = "/usr/sbin/sendmail"


class Site(Struct, frozen=True, forbid_unknown_fields=True):
    """One cluster, or one machine."""

    title: str = ""
    # "slurm": jobs of Slurm; "none": a process right there.
    scheduler: Scheduler = "slurm"
    # None: jobs begin on this machine.
    ssh: Ssh | None = None
    slurm: Slurm = field(default_factory=Slurm)
    rule: Rule | None = None
    paraview: ParaView = field(default_factory=ParaView)
    engine: Engine = field(default_factory=Engine)
    files: Files = field(default_factory=Files)
    end: End = field(default_factory=End)
    mail: Mail = field(default_factory=Mail)
    # By what it is called, which is the file's name.
    name: str = ""


def read(text: str, where: str, name: str) -> Site:
    """A site from its file's text; `where` says in messages which file. Raises OptionError."""
    if NAME.fullmatch(name) is None:
        raise OptionError(f"{where}: {name!r} is no name for a site; it is letters, digits, dots and dashes.")
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise OptionError(f"{where}: this is not TOML: {error}.") from None
    _refuse_unknown(found, Site, "", where)
    if "name" in found:
        raise OptionError(f"{where}: a site is called as its file is: {name}. For a longer name there is `title`.")
    try:
        site = msgspec.convert(found | {"name": name}, Site, strict=True)
    except msgspec.ValidationError as error:
        raise OptionError(f"{where}: {_sentence(error)}.") from None
    _check(site, where)
    return site


def schema() -> dict[str, list[str]]:
    """The keys of each table."""
    found: dict[str, list[str]] = {}
    _tables(Site, "", found)
    return found


# Reading.


def _refuse_unknown(found: dict[str, Any], kind: type[Struct], place: str, where: str) -> None:
    valid = [name for name in kind.__struct_fields__ if name != "name"]
    kinds = get_type_hints(kind)
    for key, value in found.items():
        if key not in kind.__struct_fields__:
            raise OptionError(f"{where}: {place or 'the site'} has no key {key!r}. It has: {', '.join(valid)}.")
        inner = f"{place}.{key}" if place else key
        if not isinstance(value, dict):
            continue
        if key == "versions":
            for version, facts in value.items():
                if VERSION.fullmatch(version) is None:
                    raise OptionError(f'{where}: {inner}: {version!r} is no version such as "5.11".')
                if isinstance(facts, dict):
                    _refuse_unknown(facts, Version, f'{inner}."{version}"', where)
        elif (below := _struct(kinds[key])) is not None:
            _refuse_unknown(value, below, inner, where)


def _struct(hint: Any) -> type[Struct] | None:
    """The table that a key is: itself, or if it is there."""
    return next((one for one in (hint, *get_args(hint)) if isinstance(one, type) and issubclass(one, Struct)), None)


def _sentence(error: msgspec.ValidationError) -> str:
    said, _, place = str(error).partition(" - at ")
    place = place.strip("`").removeprefix("$.")
    said = f"{said[:1].lower()}{said[1:]}".replace("`", "").replace("object", "table").replace("array", "list")
    if said.startswith("invalid enum value"):
        valid = ", ".join(map(repr, _CHOICES[place.rpartition(".")[2].partition("[")[0]]))
        said = f"{said.removeprefix('invalid enum value ')} is none of {valid}"
    return f"{place}: {said}"


def _check(site: Site, where: str) -> None:
    """All that can be wrong with a value, so that no job has to find out."""
    slurm, paraview = site.slurm, site.paraview
    try:
        words.plain(site.title, "title")
        for key in ("account", "qos", "constraint", "reservation", "gpus"):
            if value := getattr(slurm, key):
                words.name(value, f"slurm.{key}")
        for partition in slurm.partitions:
            words.name(partition, "slurm.partitions")
        amounts.memory(slurm.memory, "slurm.memory")
        usual = amounts.duration(slurm.time, "slurm.time")
        if slurm.longest and amounts.duration(slurm.longest, "slurm.longest") < usual:
            raise OptionError(f"slurm.longest={slurm.longest!r}: it is shorter than slurm.time, {slurm.time!r}.")
        if site.rule is not None:
            amounts.memory(site.rule.per, "rule.per")
            if site.rule.gpus and not slurm.gpus:
                raise OptionError('rule.gpus: how Slurm calls them is not said; slurm.gpus = "gpu" is usual.')
        for lines in (paraview.setup, *(version.setup for version in paraview.versions.values())):
            for line in lines:
                words.plain(line, "paraview.setup")
        words.path(paraview.pvserver, "paraview.pvserver")
        for version in paraview.versions.values():
            if version.pvserver:
                words.path(version.pvserver, "paraview.versions")
            for part in (*version.mpiexec, *version.srun):
                words.plain(part, "paraview.versions")
        for part in (*paraview.mpiexec, *paraview.srun, *paraview.python):
            words.plain(part, "paraview")
        if not (paraview.mpiexec and paraview.srun and paraview.python):
            raise OptionError("paraview: mpiexec, srun and python name at least one program.")
        if site.ssh is not None:
            for text in (site.ssh.host, site.ssh.user, *site.ssh.jumps):
                words.host(text, "ssh")
            for text in (*site.ssh.inside, site.ssh.identity):
                words.plain(text, "ssh")
            if not site.ssh.host or not site.ssh.ways:
                raise OptionError("ssh: it names a host and at least one way.")
        for program in site.engine.python:
            words.path(program, "engine.python")
        words.path(site.engine.pvpython, "engine.pvpython")
        for key in ("scratch", "jobs"):
            words.path(getattr(site.files, key), f"files.{key}")
        amounts.ports(paraview.ports, "paraview.ports")
        if slurm.bin:
            words.path(slurm.bin, "slurm.bin")
        for text in (site.mail.to, site.mail.sender):
            words.address(text, "mail")
        words.host(site.mail.smtp, "mail.smtp")
        words.path(site.mail.sendmail, "mail.sendmail")
        for key in ("grace", "warning"):
            amounts.duration(getattr(site.end, key), f"end.{key}")
    except OptionError as error:
        raise OptionError(f"{where}: {error}") from None


def _tables(kind: type[Struct], place: str, found: dict[str, list[str]]) -> None:
    hints = get_type_hints(kind)
    below = {name: _struct(hints[name]) for name in kind.__struct_fields__ if name != "name"}
    found[place] = [name for name, struct in below.items() if struct is None]
    for name, struct in below.items():
        if struct is not None:
            table = f'{name}."5.11"' if name == "versions" else name
            _tables(struct, f"{place}.{table}" if place else table, found)
