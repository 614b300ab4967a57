"""How a job stands, from what Slurm says of it and what it says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from pvlink.launchers.states import End, Report, State, never_starts, pending, standing

NOW = 1_700_000_000.0
READY = {"key": "k", "state": "ready", "host": "n0", "version": "5.11"}


def report(word: str, reason: str = "", **facts: Any) -> Report:
    return Report("7", word, reason, **facts)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Resources", "It waits in the queue: it is the next, as soon as enough is free."),
        ("Priority", "It waits in the queue: others are before it."),
        ("AssocGrpGRES", "It waits in the queue: it would go beyond your account's limit (AssocGrpGRES)."),
        ("QOSMaxMemoryPerUser", "It waits in the queue: it would go beyond its QOS's limit (QOSMaxMemoryPerUser)."),
        (
            "ReqNodeNotAvail, UnavailableNodes:n3",
            "It waits in the queue: a node it needs is down, drained or reserved.",
        ),
        ("SomethingNew", "It waits in the queue: SomethingNew."),
        ("", "It waits in the queue: Slurm does not say why."),
    ],
)
def test_why_it_waits_is_said(reason: str, said: str) -> None:
    assert pending(report("PENDING", reason), NOW) == said


def test_when_it_is_expected_is_said() -> None:
    waits = report("PENDING", "Priority", start=NOW + 5400)
    assert pending(waits, NOW).endswith("others are before it. Slurm expects it to start in 1 h 30 min.")
    never = report("PENDING", "PartitionTimeLimit", start=NOW + 5400)
    assert "expects" not in pending(never, NOW)
    assert never_starts(never)
    assert not never_starts(waits)
    assert standing(never, None, NOW).is_hopeless


@pytest.mark.parametrize(
    ("slurm", "status", "state", "sentence"),
    [
        (report("PENDING", "Resources"), None, State.WAITING, "It waits in the queue"),
        (report("CONFIGURING", nodes="n0"), None, State.STARTING, "It starts on n0."),
        (report("RUNNING", nodes="n0"), None, State.STARTING, "It starts on n0."),
        (report("RUNNING", nodes="n[0-1]"), READY, State.READY, "ParaView 5.11 is ready on n[0-1]."),
        (report("RUNNING"), {**READY, "state": "used"}, State.USED, "ParaView 5.11 is connected on n0."),
        (report("RUNNING"), {**READY, "state": "starting"}, State.STARTING, "It starts on n0."),
        (report("COMPLETING"), READY, State.ENDING, "It is being ended."),
        # It does not know by whom: Slurm says it a moment later.
        (report("RUNNING"), {"state": "ended", "why": "asked"}, State.ENDING, "It is being ended."),
    ],
)
def test_what_goes_on(slurm: Report, status: dict[str, Any] | None, state: State, sentence: str) -> None:
    found = standing(slurm, status, NOW)
    assert (found.state, found.why) == (state, None)
    assert found.sentence.startswith(sentence)
    assert not found.is_hopeless


@pytest.mark.parametrize(
    ("slurm", "status", "why", "sentence"),
    [
        (report("CANCELLED"), {"state": "ended", "why": "asked"}, End.CANCELLED, "It was cancelled."),
        (report("TIMEOUT"), {"state": "ended", "why": "asked"}, End.TIME, "Its time was over."),
        (report("OUT_OF_MEMORY"), READY, End.MEMORY, "It needed more memory"),
        (report("NODE_FAIL"), READY, End.NODE, "Its node failed."),
        (report("PREEMPTED"), READY, End.PREEMPTED, "A job with more rights"),
        (report("RUNNING"), {"state": "ended", "why": "grace"}, End.LEFT, "Nobody had been connected"),
        (None, {"state": "ended", "why": "limit"}, End.TIME, "Its time was over."),
        (None, {"state": "ended", "why": "setup", "said": "No module."}, End.SETUP, "Its setup failed. No module."),
        (
            report("FAILED"),
            {"state": "ended", "why": "server:-11", "said": "\x1b[31mone\x1b[0m\n\ntwo\n"},
            End.FAILED,
            "Its server ended too early. pvserver ended with -11. Its last words: one two",
        ),
        (report("FAILED"), READY, End.FAILED, "Its server ended too early."),
        (
            report("COMPLETED"),
            {"state": "ended", "why": "OSError: no"},
            End.FAILED,
            "Its server ended too early. OSError: no",
        ),
        (None, READY, End.LOST, "Slurm knows nothing of it any more."),
        (report("SOMETHING_NEW"), None, End.FAILED, "Its server ended too early."),
    ],
)
def test_how_it_ended(slurm: Report | None, status: dict[str, Any], why: End, sentence: str) -> None:
    found = standing(slurm, status, NOW)
    assert (found.state, found.why) == (State.ENDED, why)
    assert found.sentence.startswith(sentence)
    assert found.is_hopeless
