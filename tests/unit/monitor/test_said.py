"""What a simulation has said: remembered once, in order, within bounds, and put into a sentence."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

from pvlink.errors import StreamerLost
from pvlink.monitor import said as said_module
from pvlink.monitor.said import Follower, Said
from tests.unit.monitor.rehearsal import PLACE, Rehearsal

pytestmark = pytest.mark.insitu

NAMED: dict[str, Any] = {"name": "gray-scott"}
STEP: dict[str, Any] = {"step": 7, "time": 3.5}
PAUSED: dict[str, Any] = {**STEP, "paused": True, "why": "You have paused it."}


@pytest.fixture
def follower(host: Rehearsal) -> Follower:
    host.comes()
    host.runs = False
    return Follower(host.ask)


def asked(host: Rehearsal) -> dict[str, Any]:
    """The last question."""
    return host.asked[-1][1]


# -- in a sentence ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, f"No simulation has come to {PLACE} yet."),
        ({"strangers": "no key"}, f"No simulation has come to {PLACE} yet. One was turned away: no key."),
        ({"there": True, "simulation": NAMED}, "gray-scott runs, at its first step."),
        ({"there": True, "simulation": {}}, "the simulation runs, at its first step."),
        ({"there": True, "simulation": NAMED, "status": STEP}, "gray-scott runs, at step 7."),
        ({"there": True, "simulation": NAMED, "status": {"step": 0}}, "gray-scott runs, at step 0."),
        ({"there": True, "simulation": NAMED, "status": PAUSED}, "gray-scott stands at step 7. You have paused it."),
        ({"there": True, "simulation": NAMED, "status": {**PAUSED, "why": ""}}, "gray-scott stands at step 7."),
        ({"there": True, "simulation": NAMED, "status": STEP, "silent": 3.0}, "gray-scott runs, at step 7."),
        ({"there": True, "simulation": NAMED, "status": STEP, "silent": 12.7},
         "gray-scott has said nothing for 12 s, after step 7."),
        # Of one that stands no word is expected.
        ({"there": True, "simulation": NAMED, "status": PAUSED, "silent": 12.7},
         "gray-scott stands at step 7. You have paused it."),
        ({"there": True, "simulation": NAMED, "status": STEP, "standing": "stopped"},
         "gray-scott is stopped by the system (SIGSTOP), at step 7."),
        ({"simulation": NAMED, "status": STEP},
         "gray-scott cannot be reached since step 7: it runs on by itself, and comes back when it can."),
        ({"simulation": NAMED, "status": PAUSED},
         "gray-scott cannot be reached since step 7: it runs on by itself, and comes back when it can."),
        ({"simulation": NAMED, "status": STEP, "ended": "finished"}, "gray-scott has finished, at step 7."),
        ({"there": True, "simulation": NAMED, "status": STEP, "ended": "finished"},
         "gray-scott has finished, at step 7."),
        ({"simulation": NAMED, "status": STEP, "ended": "ended"}, "gray-scott has ended, at step 7."),
        ({"simulation": NAMED, "status": STEP, "ended": "died"},
         "gray-scott has died, at step 7: it was killed, or has crashed. What it printed last says more."),
        ({"simulation": NAMED, "status": STEP, "ended": "ValueError: no"},
         "gray-scott has failed, at step 7. ValueError: no"),
    ],
)  # fmt: skip
def test_how_it_is_is_a_sentence(facts: dict[str, Any], words: str) -> None:
    assert Said(place=PLACE, **facts).words == words


def test_that_nobody_is_waited_for_is_a_sentence_too() -> None:
    assert "  " not in Said(place="").words


def test_it_stands_only_where_it_is() -> None:
    assert Said(there=True, status=PAUSED).paused
    assert not Said(there=False, status=PAUSED).paused
    assert not Said(there=True, status=STEP).paused
    assert Said().step == -1


# -- remembered ------------------------------------------------------------------------------------


def test_only_what_is_new_is_asked_for(host: Rehearsal, follower: Follower) -> None:
    follower.look()
    assert asked(host) == {"event": 0, "point": 0}
    host.note({"kind": "met"})
    host.measure(1, 0.5, {"max(V)": 0.25})
    host.note({"kind": "left"})
    follower.look()
    follower.look()
    assert asked(host) == {"event": host.events[-1][0], "point": host.points[-1][0]}
    assert [one["kind"] for one in follower.events] == ["came", "met", "left"]
    assert follower.points == [(1, 0.5, {"max(V)": 0.25})]


def test_how_it_is_is_what_was_said_last(host: Rehearsal, follower: Follower) -> None:
    host.steps(3)
    assert follower.look().step == 2
    assert follower.said.step == 2
    assert follower.said.place == PLACE
    host.leaves("finished")
    assert follower.look().ended == "finished"
    assert not follower.said.there


def test_what_was_measured_to_be_no_number_is_none(host: Rehearsal, follower: Follower) -> None:
    host.measure(1, 0.5, {"max(V)": math.nan, "min(V)": 3})
    follower.look()
    ((step, time, values),) = follower.points
    assert (step, time) == (1, 0.5)
    assert math.isnan(values["max(V)"])
    assert values["min(V)"] == 3.0


def test_a_time_that_is_no_number_disturbs_nothing(host: Rehearsal, follower: Follower) -> None:
    host.measure(1, math.nan, {"max(V)": 0.25})
    host.measure(2, 0.5, {"max(V)": 0.5})
    follower.look()
    assert [values for _, _, values in follower.points] == [{"max(V)": 0.25}, {"max(V)": 0.5}]


def test_not_more_is_remembered_than_there_is_room_for(
    host: Rehearsal, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said_module, "MAX_LOG", 5)
    monkeypatch.setattr(said_module, "MAX_POINTS", 7)
    for n in range(30):
        host.note({"kind": "met", "step": n})
        host.measure(n, 0.0, {})
        if n % 4 == 0:
            follower.look()
    follower.look()
    assert [one["step"] for one in follower.events] == list(range(25, 30))
    assert [step for step, _, _ in follower.points] == list(range(23, 30))


def test_whatever_many_threads_look_nothing_is_there_twice(host: Rehearsal, follower: Follower) -> None:
    def look() -> None:
        for n in range(50):
            host.note({"kind": "met", "step": n})
            follower.look()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    follower.look()
    assert follower.events == [one for _, one in host.events]


def test_where_nobody_answers_what_is_known_stays(host: Rehearsal, follower: Follower) -> None:
    host.steps(3)
    before = follower.look()
    host.lost = "The process that sends the pictures has ended."
    with pytest.raises(StreamerLost):
        follower.look()
    assert follower.said == before
    host.lost = ""
    host.note({"kind": "met"})
    follower.look()
    assert [one["kind"] for one in follower.events] == ["came", "met"]


def test_of_another_simulation_nothing_is_known_that_was_the_formers(host: Rehearsal, follower: Follower) -> None:
    host.note({"kind": "changed", "changes": []})
    host.measure(1, 0.5, {"max(V)": 0.25})
    follower.look()
    host.comes(pid=5)
    follower.look()
    assert follower.events == [{"kind": "came", "again": False}]
    assert follower.points == []


# -- answers ---------------------------------------------------------------------------------------


def test_the_newest_answer_to_an_order_counts(host: Rehearsal, follower: Follower) -> None:
    assert follower.answer(5) is None
    host.note({"kind": "waits", "number": 5})
    host.note({"kind": "done", "number": 6})
    follower.look()
    assert follower.answer(5) == {"kind": "waits", "number": 5}
    host.note({"kind": "changed", "number": 5})
    follower.look()
    assert follower.answer(5) == {"kind": "changed", "number": 5}
    assert follower.answer(7) is None
