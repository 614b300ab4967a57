"""How a job stands, in a word for programs and a sentence for people. Pure."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Any

from pvlink.launchers import amounts


class State(enum.StrEnum):
    """Of a job. Only `ENDED` is for good."""

    # In the queue.
    WAITING = "waiting"
    # Its node does the site's setup, ParaView starts.
    STARTING = "starting"
    # A server is there for whoever comes.
    READY = "ready"
    # Somebody is connected.
    USED = "used"
    # Its processes are being ended.
    ENDING = "ending"
    ENDED = "ended"


# Why it ended.
class End(enum.StrEnum):
    CANCELLED = "cancelled"
    LEFT = "left"
    TIME = "time"
    MEMORY = "memory"
    NODE = "node"
    PREEMPTED = "preempted"
    FAILED = "failed"
    SETUP = "setup"
    LOST = "lost"


@dataclass(frozen=True)
class Report:
    """What Slurm says of a job."""

    job: str
    # In Slurm's words: "PENDING", and why.
    word: str
    reason: str = ""
    # Seconds of the epoch; none where it is not known.
    start: float | None = None
    end: float | None = None
    nodes: str = ""
    partition: str = ""
    # "0:9" as Slurm has them: exit code and signal.
    code: str = ""

    @property
    def waits(self) -> bool:
        return self.word in _WAITING

    @property
    def runs(self) -> bool:
        return self.word in _RUNNING

    @property
    def is_ending(self) -> bool:
        return self.word in _ENDING

    @property
    def why_ended(self) -> End | None:
        """None while it has not."""
        return None if self.waits or self.runs or self.is_ending else _ENDS.get(self.word, End.FAILED)


_WAITING = ("PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT")
_RUNNING = ("RUNNING", "CONFIGURING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING")
# Why, Slurm says only afterwards.
_ENDING = ("COMPLETING", "STAGE_OUT")
_ENDS = {
    "COMPLETED": End.LEFT,
    "CANCELLED": End.CANCELLED,
    "TIMEOUT": End.TIME,
    "DEADLINE": End.TIME,
    "OUT_OF_MEMORY": End.MEMORY,
    "NODE_FAIL": End.NODE,
    "BOOT_FAIL": End.NODE,
    "PREEMPTED": End.PREEMPTED,
    "REVOKED": End.CANCELLED,
}
# Slurm's reasons, for people. What is not here is said as Slurm says it.
_REASONS = {
    "Resources": "it is the next, as soon as enough is free",
    "Priority": "others are before it",
    "None": "Slurm has not looked at it yet",
    "BeginTime": "it is not to begin yet",
    "Dependency": "it waits for another job",
    "DependencyNeverSatisfied": "it waits for a job that will not end as wished; it will never start",
    "JobHeldUser": "it is held; scontrol release lets it go",
    "JobHeldAdmin": "an administrator holds it",
    "Licenses": "the licences it needs are in use",
    "Reservation": "its reservation has not begun, or has nothing free",
    "ReservationDeleted": "its reservation is gone; it will never start",
    "ReqNodeNotAvail": "a node it needs is down, drained or reserved",
    "NodeDown": "a node it needs is down",
    "PartitionDown": "its partition takes jobs, and starts none now",
    "PartitionInactive": "its partition is closed",
    "PartitionNodeLimit": "it asks for more nodes than its partition gives; it will never start",
    "PartitionTimeLimit": "it asks for more time than its partition gives; it will never start",
    "PartitionConfig": "it asks for what its partition does not have; it will never start",
    "BadConstraints": "no node has what it asks for; it will never start",
    "InvalidAccount": "its account is not valid; it will never start",
    "InvalidQOS": "its QOS is not valid; it will never start",
    "AccountNotAllowed": "its account may not use this partition; it will never start",
    "QOSNotAllowed": "its QOS may not use this partition; it will never start",
    "QOSTimeLimit": "its QOS gives less time than it asks for; it will never start",
    "AssociationJobLimit": "you have as many jobs running as you may",
    "AssociationTimeLimit": "your account's time is used up",
    "AssocMaxJobsLimit": "your account has as many jobs running as it may",
    "AssocGrpJobsLimit": "your group has as many jobs running as it may",
    "QOSMaxJobsPerUserLimit": "you have as many jobs running as this QOS lets you",
    "QOSJobLimit": "this QOS has as many jobs running as it may",
    "QOSResourceLimit": "this QOS gives no more now",
    "QOSUsageThreshold": "this QOS is used up",
    "Prolog": "its nodes are being prepared",
    "Cleaning": "its nodes are being cleared up after an earlier run",
    "launch_failed_requeued_held": "its start failed, and Slurm holds it; scontrol release tries again",
}
# "AssocGrpGRES", "QOSMaxMemoryPerUser" and their kin.
_LIMIT = re.compile(r"(Assoc|QOS)(Grp|Max|Min)(\w+?)(Limit|PerUser|PerAccount|PerJob|PerNode)*")
_NEVER = "never start"


def pending(report: Report, now: float) -> str:
    """Why it waits, and for how long: a sentence."""
    reason = report.reason.split(",")[0].strip()
    said = _REASONS.get(reason)
    if said is None and (found := _LIMIT.fullmatch(reason)):
        whose = "your account's" if found[1] == "Assoc" else "its QOS's"
        said = f"it would go beyond {whose} limit ({reason})"
    sentence = f"It waits in the queue: {said or reason or 'Slurm does not say why'}."
    if report.start is not None and report.start > now and _NEVER not in sentence:
        sentence += f" Slurm expects it to start in {amounts.duration_words(report.start - now)}."
    return sentence


def never_starts(report: Report) -> bool:
    """Whether there is nothing to wait for."""
    return report.waits and _NEVER in _REASONS.get(report.reason.split(",")[0].strip(), "")


_SENTENCES = {
    End.CANCELLED: "It was cancelled.",
    End.LEFT: "Nobody had been connected for as long as it was to wait, and it ended by itself.",
    End.TIME: "Its time was over.",
    End.MEMORY: "It needed more memory than it had asked for, and was ended. Ask for more: memory=...",
    End.NODE: "Its node failed.",
    End.PREEMPTED: "A job with more rights took its place.",
    End.FAILED: "Its server ended too early.",
    End.SETUP: "Its setup failed.",
    End.LOST: "Slurm knows nothing of it any more.",
}


@dataclass(frozen=True)
class Standing:
    """How a job stands, from what Slurm says and what it says of itself."""

    state: State
    sentence: str
    why: End | None = None
    # Of the last report, if there was one.
    report: Report | None = None
    # What it says of itself: host, door, port, connect_id, version.
    status: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_hopeless(self) -> bool:
        """Whether there is nothing to wait for."""
        waits = self.state is State.WAITING and self.report is not None
        return self.state is State.ENDED or (waits and self.report is not None and never_starts(self.report))

    @property
    def nodes(self) -> str:
        return (self.report.nodes if self.report else "") or str(self.status.get("host", ""))


def standing(report: Report | None, status: dict[str, Any] | None, now: float) -> Standing:
    """`report`: none if it is not known there any more; `status`: none if the job has said nothing yet."""
    said = status or {}
    if report is not None and report.waits and not said:
        return Standing(State.WAITING, pending(report, now), None, report, said)
    over = said.get("state") == "ended"
    # It was asked to end, and does not know why: by its user, or at its limit.
    if report is not None and (report.is_ending or (over and report.runs and said.get("why") == "asked")):
        return Standing(State.ENDING, "It is being ended.", None, report, said)
    if over or report is None or report.why_ended is not None:
        why = _why(report, said)
        return Standing(State.ENDED, ended(why, _last_words(why, said)), why, report, said)
    state = State(said["state"]) if said.get("state") in ("ready", "used") else State.STARTING
    where = f" on {report.nodes or said['host']}" if report.nodes or said.get("host") else ""
    sentence = {
        State.STARTING: f"It starts{where}.",
        State.READY: f"ParaView {said.get('version', '')} is ready{where}.",
        State.USED: f"ParaView {said.get('version', '')} is connected{where}.",
    }[state]
    return Standing(state, sentence, None, report, said)


# What a scheduler knows better than the job.
_SURE = (End.CANCELLED, End.TIME, End.MEMORY, End.NODE, End.PREEMPTED)
# Where the job itself may say more.
UNSURE = (End.LEFT, End.FAILED, End.LOST)
_OWN = {"asked": End.CANCELLED, "grace": End.LEFT, "limit": End.TIME, "setup": End.SETUP}


def _why(report: Report | None, said: dict[str, Any]) -> End:
    known = report.why_ended if report is not None else None
    if known in _SURE:
        return known
    if said.get("state") != "ended":
        return known or End.LOST
    return _OWN.get(str(said.get("why")), End.FAILED)


def _last_words(why: End, said: dict[str, Any]) -> str:
    if why is End.SETUP:
        return str(said.get("said", ""))
    if why is not End.FAILED:
        return ""
    lines = [line for line in without_colours(str(said.get("said", ""))).splitlines() if line.strip()]
    end = str(said.get("why", ""))
    how = f"pvserver ended with {end.partition(':')[2]}." if end.startswith("server:") else end
    return " ".join([how, *(["Its last words:", *lines[-5:]] if lines else [])]).strip()


_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def without_colours(text: str) -> str:
    """ParaView's logger colours what it says."""
    return _COLOUR.sub("", text)


def ended(why: End, more: str = "") -> str:
    return f"{_SENTENCES[why]}{f' {more}' if more else ''}"
