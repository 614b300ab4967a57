"""`pvlink site new`: a site's file from a few questions. Pure but for the questions themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from pvlink.errors import OptionError
from pvlink.launchers.site import NAME, Site, read
from pvlink.launchers.sitefile import written

# Puts a question, with what counts if nothing is said; the answer.
Ask = Callable[[str, str], str]


@dataclass(frozen=True)
class Question:
    """One of them. `key`: where its answer goes in the file, by tables."""

    text: str
    key: str
    usual: str = ""
    many: bool = False
    whole: bool = False
    # Asked only where these keys have answers.
    where: tuple[str, ...] = ()


QUESTIONS = (
    Question("What is the cluster called, for people?", "title"),
    Question("Its login node, if this machine is not one of the cluster's own (empty: it is)", "ssh.host"),
    Question("Your name there (empty: as ~/.ssh/config says, or as here)", "ssh.user", where=("ssh.host",)),
    Question("Hosts on the way there, with blanks between", "ssh.jumps", many=True, where=("ssh.host",)),
    Question('What runs jobs there, "slurm" or "none"', "scheduler", usual="slurm"),
    Question("Partitions, the usual one first, with blanks between", "slurm.partitions", many=True),
    Question("The account that is charged", "slurm.account"),
    Question('How GPUs are called in --gres ("gpu", "gpu:a100"; empty: there are none)', "slurm.gpus"),
    Question("Memory of a job that asks for none", "slurm.memory", usual="4G"),
    Question("Time of a job that asks for none", "slurm.time", usual="1:00:00"),
    Question(
        'Is memory paid for in units with their cores and GPUs? One unit\'s memory ("45G"; empty: no)', "rule.per"
    ),
    Question("Cores of a unit", "rule.cores", usual="1", whole=True, where=("rule.per",)),
    Question("GPUs of a unit", "rule.gpus", usual="1", whole=True, where=("rule.per", "slurm.gpus")),
    Question("Units in one node", "rule.most", usual="4", whole=True, where=("rule.per",)),
    Question("The line that brings ParaView: module load ... (empty: it is there)", "paraview.setup"),
    Question('What starts several ranks: "mpiexec", "srun" or "none"', "paraview.mpi", usual="mpiexec"),
    Question(
        'Does its ParaView need an X server ("own"), or does it draw without ("none")', "paraview.display", usual="own"
    ),
)
# Lists of one answer.
_LISTS = ("paraview.setup",)


def asked(name: str, ask: Ask) -> tuple[Site, str]:
    """The site and its file's text. An answer that cannot be is asked for again."""
    if NAME.fullmatch(name) is None:
        raise OptionError(f"{name!r} is no name for a site; it is letters, digits, dots and dashes.")
    found: dict[str, Any] = {}
    for question in QUESTIONS:
        if not all(_given(found, key) for key in question.where):
            continue
        said = ask(question.text, question.usual)
        while (wrong := _put(found, question, said, name)) is not None:
            said = ask(f"{wrong} {question.text}", question.usual)
    site = _site(found, name)
    return site, written(site)


def _given(found: dict[str, Any], key: str) -> bool:
    table, _, name = key.rpartition(".")
    inner: dict[str, Any] = found.get(table, {}) if table else found
    return name in inner


def _put(found: dict[str, Any], question: Question, said: str, name: str) -> str | None:
    """Why the answer cannot be; else it is in its place."""
    said = said.strip() or question.usual
    if not said:
        return None
    value: Any = said.split() if question.many else [said] if question.key in _LISTS else said
    if question.whole:
        if not said.isdigit():
            return "That is no whole number."
        value = int(said)
    table, _, key = question.key.rpartition(".")
    before = msgspec.json.decode(msgspec.json.encode(found))
    (found.setdefault(table, {}) if table else found)[key] = value
    try:
        _site(found, name)
    except (OptionError, msgspec.ValidationError) as error:
        found.clear()
        found.update(before)
        # The sentence, without the place.
        return str(error).partition(": ")[2] or str(error)
    return None


def _site(found: dict[str, Any], name: str) -> Site:
    draft = msgspec.convert({**found, "name": name}, Site, strict=False)
    return read(written(draft), "new", name)
