"""What an interrupt means while ParaView waits for its server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest

from pvlink.processes import worked
from pvlink.servers.patience import interrupted

pytestmark = pytest.mark.servers


@dataclass
class Moment:
    """A server, an engine and a user, with a clock of their own."""

    now: float = 0.0
    # Since when the server has said nothing.
    heard: float = 0.0
    waiting: bool = True
    state: str = "live"
    stopped: str = ""
    # When the answer comes, when the user interrupts again, and how busy ParaView's own process is.
    answer_at: float = float("inf")
    again_at: float = float("inf")
    share: float = 0.0
    # When the server says a word.
    word_at: float = float("inf")
    cuts: list[str] = field(default_factory=list)

    def look(self, seconds: float) -> bool | None:
        self.now += seconds
        if self.now >= self.word_at:
            self.heard = self.now
        if self.cuts or self.now >= self.answer_at:
            return True
        return None if self.now >= self.again_at else False

    def report(self) -> dict[str, Any]:
        return {"state": self.state, "waiting": self.waiting, "heard": self.now - self.heard}

    def hung(self) -> str:
        return self.stopped

    def interrupt(self, monkeypatch: pytest.MonkeyPatch) -> float:
        """How long the cell waited."""
        monkeypatch.setattr("pvlink.servers.patience.time.monotonic", lambda: self.now)
        origin: Any = self
        began = self.now
        interrupted("node17", origin, self.report, self.cuts.append, self.look, lambda: self.now * self.share)
        return self.now - began


def test_a_silent_server_is_cut_off_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment(now=5.0, heard=1.0)
    assert 2.5 <= moment.interrupt(monkeypatch) < 3.0
    assert "node17 had said nothing for 7 s, and was cut off when the cell was interrupted" in moment.cuts[0]


def test_one_that_says_something_is_left_to_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment(now=5.0, heard=1.0, word_at=6.0)
    assert 1.0 <= moment.interrupt(monkeypatch) < 1.5
    assert moment.cuts == []


def test_an_answer_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment(answer_at=0.5)
    assert moment.interrupt(monkeypatch) < 1.0
    assert moment.cuts == []


def test_a_second_interrupt_cuts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment(now=5.0, again_at=5.5)
    assert moment.interrupt(monkeypatch) < 1.0
    assert len(moment.cuts) == 1


def test_ranks_that_are_known_to_be_stopped_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment(now=5.0, stopped="Of its ranks number 1 is stopped.")
    assert moment.interrupt(monkeypatch) < 0.5
    assert "Of its ranks number 1 is stopped." in moment.cuts[0]


@pytest.mark.parametrize("moment", [Moment(waiting=False), Moment(state="lost")])
def test_who_does_not_wait_for_the_server_does_not_cut_it(moment: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert moment.interrupt(monkeypatch) < 0.5
    assert moment.cuts == []


def test_a_paraview_that_computes_by_itself_keeps_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment(now=5.0, share=0.9)
    assert 2.5 <= moment.interrupt(monkeypatch) < 3.0
    assert moment.cuts == []


def test_what_a_process_has_worked_grows() -> None:
    before = worked(os.getpid())
    while worked(os.getpid()) < before + 0.05:
        sum(range(100_000))
    assert worked(2**22 + 1) == 0.0
