"""What is asked of a running simulation: each word waits until it counts, or says why it does not."""

from __future__ import annotations

import getpass
import json
import math
import pwd
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pvlink.errors import SimulationError, StreamerLost
from pvlink.insitu.provenance import Provenance
from pvlink.monitor.simulation import Simulation
from tests.unit.monitor.rehearsal import PLACE, Rehearsal, until

pytestmark = pytest.mark.insitu

CONDITION = "max(V) > 3 and step >= 2"


def sent(host: Rehearsal) -> list[dict[str, Any]]:
    return host.orders()


# -- how it is -------------------------------------------------------------------------------------


def test_how_it_is_is_asked_each_time(sim: Simulation, host: Rehearsal) -> None:
    assert sim.step_number == 0
    assert sim.step_number == 1
    assert sim.time == 1.0
    assert not sim.paused
    assert sim.state == "gray-scott runs, at step 4."
    assert repr(sim) == f"<pvlink simulation at {PLACE}: gray-scott runs, at step 5.>"
    host.leaves("finished")
    assert repr(sim) == f"<pvlink simulation at {PLACE}: gray-scott has finished, at step 5.>"


def test_before_one_has_come_nothing_is_known(host: Rehearsal) -> None:
    sim = Simulation(host, PLACE, lambda view: view)
    assert sim.step_number == -1
    assert sim.time == 0.0
    assert not sim.paused
    assert sim.parameters == {}
    assert dict(sim.declared) == {}
    assert sim.events == []
    assert sim.log == []
    assert sim.history("max(V)") == ([], [], [])
    assert sim.state == f"No simulation has come to {PLACE} yet."


def test_what_may_be_changed_is_known_with_what_it_is(sim: Simulation) -> None:
    assert sim.parameters == {"F": 0.04, "n": 8}
    assert list(sim.declared) == ["F", "n"]
    assert sim.declared["F"].unit == "1/s"
    assert sim.declared["n"].whole
    sim.parameters["F"] = 7
    assert sim.parameters["F"] == 0.04


@pytest.mark.parametrize(("role", "steers"), [("owner", True), ("control", True), ("view", False)])
def test_who_looks_may_steer_or_only_look(sim: Simulation, host: Rehearsal, role: str, steers: bool) -> None:
    host.role = role
    assert sim.steers is steers
    # The notebook itself is not who looks.
    sim.pause()
    assert host.stands()


def test_what_it_offers_is_what_paraview_knows(sim: Simulation, host: Rehearsal) -> None:
    assert sim.sources == host.desk.sources
    host.desk.connected = False
    assert sim.sources == {}


def test_what_has_happened_is_what_has_happened_by_now(sim: Simulation, host: Rehearsal) -> None:
    host.note({"kind": "met", "text": "step > 1"})
    assert [one["kind"] for one in sim.events] == ["came", "met"]


def test_what_has_happened_is_a_copy(sim: Simulation) -> None:
    assert sim.step_number == 0
    sim.events.clear()
    assert [one["kind"] for one in sim.events] == ["came"]


def test_a_time_that_is_no_number_is_one_that_is_none(sim: Simulation, host: Rehearsal) -> None:
    host.extra = {"time": math.nan}
    assert math.isnan(sim.time)


def test_of_a_session_that_has_ended_it_can_be_shown(sim: Simulation, host: Rehearsal) -> None:
    host.lost = "The process that sends the pictures has ended."
    assert PLACE in repr(sim)


def test_who_has_no_name_can_watch_as_well(host: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(number: int) -> Any:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    Simulation(host, PLACE, lambda view: view)


# -- control ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "stale"), [(0, 0), (5, 0), (0, 5), (7, 9)])
def test_a_pause_waits_until_it_stands(sim: Simulation, host: Rehearsal, late: int, stale: int) -> None:
    host.late, host.stale = late, stale
    sim.pause()
    assert host.stands()
    at = host.step
    assert sim.paused
    assert sim.step_number == at
    assert sim.state == f"gray-scott stands at step {at}. You have paused it."
    sim.resume()
    assert not host.stands()
    assert sim.state.startswith("gray-scott runs, at step ")
    assert sent(host) == [{"do": "pause", "stays": False}, {"do": "go"}]


def test_a_pause_may_stay(sim: Simulation, host: Rehearsal) -> None:
    sim.pause(stays=True)
    assert sent(host) == [{"do": "pause", "stays": True}]


def test_each_order_has_a_number_of_its_own_and_a_higher_one(sim: Simulation, host: Rehearsal) -> None:
    for _ in range(3):
        sim.pause()
        sim.resume()
    numbers = [facts["order"]["number"] for op, facts in host.asked if op == "insitu-order"]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 6
    # Also than those of another notebook before this one.
    assert numbers[-1] < Simulation(host, PLACE, lambda view: view)._orders.number() + 1000


def test_orders_of_several_threads_have_different_numbers(sim: Simulation) -> None:
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(sim._orders.number() for _ in range(500))) for _ in range(4)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 2000


@pytest.mark.parametrize(("late", "stale"), [(0, 0), (4, 0), (0, 4), (5, 8)])
def test_so_many_steps_are_computed_and_no_more(sim: Simulation, host: Rehearsal, late: int, stale: int) -> None:
    host.late, host.stale = late, stale
    sim.pause()
    at = host.step
    assert sim.step() == at + 1
    assert host.step == at + 1
    assert sim.step(5) == at + 6
    assert host.step == at + 6
    assert host.stands()


def test_a_step_of_one_that_runs_stops_it_first(sim: Simulation, host: Rehearsal) -> None:
    at = sim.step(2)
    assert at == host.step
    assert [one["do"] for one in sent(host)] == ["pause", "step"]


@pytest.mark.parametrize("steps", [-1, 1.5, "two", None, True])
def test_what_is_no_number_of_steps_is_refused(sim: Simulation, steps: Any) -> None:
    with pytest.raises(SimulationError, match="number of steps"):
        sim.step(steps)


def test_a_step_that_takes_too_long_is_said_and_goes_on(sim: Simulation, host: Rehearsal) -> None:
    sim.pause()
    host.runs = False
    with pytest.raises(SimulationError, match=r"has not come there within 0\.05 s, and goes on\. gray-scott runs"):
        sim.step(timeout=0.05)


def test_it_runs_until_a_step(sim: Simulation, host: Rehearsal) -> None:
    assert sim.run_until(20) == 20
    assert host.step == 20
    assert sim.state == "gray-scott stands at step 20. It was to run until step 20."


def test_it_runs_until_a_time(sim: Simulation, host: Rehearsal) -> None:
    assert sim.run_until(time=5.2) == 11
    assert sent(host) == [{"do": "until", "time": 5.2}]


def test_nobody_has_to_wait_for_it(sim: Simulation, host: Rehearsal) -> None:
    assert sim.run_until(200, wait=False) < 100
    assert not host.stands()
    until(lambda: sim.paused)
    assert host.step == 200


def test_a_step_that_is_over_is_refused(sim: Simulation, host: Rehearsal) -> None:
    host.steps(10)
    with pytest.raises(SimulationError, match=r"Step 3 is over: it is at step \d+\."):
        sim.run_until(3)
    with pytest.raises(SimulationError, match="either a step or a time"):
        sim.run_until()
    with pytest.raises(SimulationError, match="either a step or a time"):
        sim.run_until(100, 50.0)
    assert not host.stands()


@pytest.mark.parametrize("time", [math.nan, math.inf])
def test_what_is_no_time_is_refused(sim: Simulation, host: Rehearsal, time: float) -> None:
    with pytest.raises(SimulationError, match="time is a number, not"):
        sim.run_until(time=time)
    assert sent(host) == []


@pytest.mark.parametrize("goal", [1 + 2j, object(), {}, 1j])
def test_what_is_no_number_at_all_is_refused(sim: Simulation, host: Rehearsal, goal: Any) -> None:
    with pytest.raises(SimulationError, match="step is a number, not"):
        sim.run_until(goal)
    assert sent(host) == []


def test_numpys_numbers_are_numbers(sim: Simulation) -> None:
    assert sim.run_until(np.int64(20)) == 20  # type: ignore[arg-type]  # as many a notebook has it
    assert sim.run_until(time=np.float32(15.0)) == 30  # type: ignore[arg-type]  # and this
    assert sim.step(np.int8(2)) == 32  # type: ignore[arg-type]  # and this


def test_what_goes_over_the_wire_has_to_have_a_word_there(sim: Simulation) -> None:
    with pytest.raises(SimulationError, match="cannot do"):
        sim.when("step > 3", then="\ud800")


def test_it_stops_when_something_comes_to_be_true(sim: Simulation, host: Rehearsal) -> None:
    number = sim.when(CONDITION)
    until(lambda: sim.paused)
    assert host.step == 4
    assert sim.state == f"gray-scott stands at step 4. {CONDITION} is true."
    assert sent(host) == [{"do": "when", "id": number, "text": CONDITION, "then": "pause"}]


def test_it_may_only_note_it_and_forget_it(sim: Simulation, host: Rehearsal) -> None:
    first, second = sim.when("step > 3", then="note"), sim.when("F > 0.01")
    assert first != second
    sim.forget(second)
    sim.forget(second)
    host.steps(10)
    assert sim.step_number > 3
    assert [one["text"] for one in sim.events if one["kind"] == "met"] == ["F > 0.01", "step > 3"]
    assert host.helm.conditions == [{"id": first, "text": "step > 3", "do": "note"}]


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("", "cannot be read"),
        ("max(V) >", "cannot be read"),
        ("max(V)", "neither true nor false"),
        ("__import__('os').system('x') > 0", "no place in a condition"),
        ("g > 1", "g: no parameter"),
        ("g > 1 or h < F", "g, h: no parameter"),
        (5, "no condition"),
        ("step > " + "1" * 600, "no condition"),
    ],
)
def test_what_is_no_condition_is_not_sent(sim: Simulation, host: Rehearsal, condition: Any, why: str) -> None:
    with pytest.raises(SimulationError, match=why):
        sim.when(condition)
    assert sent(host) == []


def test_the_condition_of_another_notebook_has_another_number(
    sim: Simulation, host: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sim.when("step > 1000")
    later = time.time() + 60.0
    monkeypatch.setattr(time, "time", lambda: later)
    second = Simulation(host, PLACE, lambda view: view).when("step > 2000")
    assert first != second
    assert [one["text"] for one in host.helm.conditions] == ["step > 1000", "step > 2000"]


def test_what_cannot_happen_then_is_refused(sim: Simulation) -> None:
    with pytest.raises(SimulationError, match="'pause', 'note'"):
        sim.when("step > 3", then="explode")


# -- orders that are not followed ------------------------------------------------------------------


def test_an_order_that_takes_long_is_on_its_way_and_said_so(
    hasty: Simulation, host: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    host.deaf = True
    with pytest.raises(SimulationError, match=r"has not come there within 0\.2 s, and goes on"):
        hasty.pause()
    assert capsys.readouterr().out == "pvlink: It will be followed at the end of the step that it computes now.\n"


@pytest.mark.parametrize("act", ["pause", "resume", "step", "run_until", "when", "forget", "follow", "set"])
def test_where_nobody_is_every_order_says_so(sim: Simulation, host: Rehearsal, act: str) -> None:
    # It has come, and can be reached no more.
    assert sim.step_number == 0
    host.leaves()
    arguments: dict[str, tuple[Any, ...]] = {
        "run_until": (5,), "when": ("step > 5",), "forget": (1,), "follow": ("max(V)",)
    }  # fmt: skip
    given = {"F": 0.05} if act == "set" else {}
    with pytest.raises(SimulationError, match="No simulation is there") as error:
        getattr(sim, act)(*arguments.get(act, ()), **given)
    assert error.value.__cause__ is None
    assert host.desk.done == []


@pytest.mark.parametrize("act", ["pause", "resume", "step", "run_until", "set"])
@pytest.mark.parametrize("gone_in", [0, 1, 3])
def test_one_that_goes_in_the_middle_is_said_to_have_gone(
    sim: Simulation, host: Rehearsal, act: str, gone_in: int
) -> None:
    assert sim.step_number == 0
    host.late, host.ends = 50, "died"
    # `step` and `set` look first.
    host.gone_in = gone_in + {"step": 1, "set": 1}.get(act, 0)
    given: dict[str, Any] = {"F": 0.05} if act == "set" else {"step": 500} if act == "run_until" else {}
    with pytest.raises(SimulationError, match="gray-scott has died"):
        getattr(sim, act)(**given)


def test_one_that_ends_before_its_goal_is_said_to_have_ended(sim: Simulation, host: Rehearsal) -> None:
    host.gone_in, host.ends = 20, "finished"
    with pytest.raises(SimulationError, match="has finished"):
        sim.run_until(10_000)


def test_a_session_that_ends_in_the_middle_says_so(sim: Simulation, host: Rehearsal) -> None:
    host.late, host.lost_in = 10_000, 5
    with pytest.raises(StreamerLost, match="has ended"):
        sim.pause()


# -- parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "stale"), [(0, 0), (5, 0), (0, 5), (6, 9)])
def test_what_is_set_counts_when_the_cell_goes_on(sim: Simulation, host: Rehearsal, late: int, stale: int) -> None:
    host.late, host.stale = late, stale
    assert sim.set(F=0.05, n=12) == {"F": 0.05, "n": 12}
    assert host.values == {"F": 0.05, "n": 12}
    (change, other) = sim.log
    assert change == {
        "step": change["step"], "time": change["step"] * 0.5, "name": "F", "old": 0.04, "new": 0.05, "who": sim._who
    }  # fmt: skip
    assert getpass.getuser() in change["who"]
    assert (other["name"], other["old"], other["new"]) == ("n", 8, 12)
    until(lambda: sim.parameters == {"F": 0.05, "n": 12})


def test_it_may_be_set_at_a_step(sim: Simulation, host: Rehearsal) -> None:
    assert sim.set(50, F=0.05) == {"F": 0.05}
    assert host.desk.done == [("steer", 50, {"F": 0.05})]
    assert host.values["F"] == 0.04
    assert sim.log == []
    until(lambda: sim.step_number > 50)
    assert [one["step"] for one in sim.log] == [50]
    assert host.values["F"] == 0.05


def test_a_step_that_is_over_is_none_to_set_at(sim: Simulation, host: Rehearsal) -> None:
    host.steps(10)
    with pytest.raises(SimulationError, match="Step 3 is over"):
        sim.set(3, F=0.05)
    assert host.values["F"] == 0.04


def test_what_would_be_set_is_said_and_not_done(sim: Simulation, host: Rehearsal) -> None:
    assert sim.set(None, True, F=0.05, n=np.int32(12)) == {"F": 0.05, "n": 12}
    assert sent(host) == []
    assert host.desk.done == []


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"F": 0.2}, r"F = 0\.2 is out of its range from 0 to 0\.1 1/s\."),
        ({"F": -1e-9}, "out of its range"),
        ({"F": math.nan}, "F is a number"),
        ({"F": math.inf}, "F is a number"),
        ({"F": "0.05"}, "F is a number"),
        ({"F": None}, "F is a number"),
        ({"F": True}, "F is a number"),
        ({"F": [0.05]}, "F is a number"),
        ({"F": 10**400}, "F is a number"),
        ({"n": 1.5}, "n is a whole number from 1 to 64, not 1.5"),
        ({"n": 65}, "out of its range"),
        ({"g": 1.0}, r"no parameter 'g'\. It has F, n\."),
        ({"F": 0.05, "n": 0, "x": 1}, r"n = 0 is out of .* no parameter 'x'"),
    ],
)
@pytest.mark.parametrize("dry", [False, True])
def test_what_cannot_be_set_is_not_sent(
    sim: Simulation, host: Rehearsal, values: dict[str, Any], why: str, dry: bool
) -> None:
    with pytest.raises(SimulationError, match=why):
        sim.set(None, dry, **values)
    assert sent(host) == []
    assert host.desk.done == []
    assert host.values == {"F": 0.04, "n": 8}


def test_a_step_may_be_one_of_numpys(sim: Simulation, host: Rehearsal) -> None:
    sim.set(np.int64(50), F=0.05)  # type: ignore[arg-type]  # as many a notebook has it
    assert host.desk.done == [("steer", 50, {"F": 0.05})]


@pytest.mark.parametrize("at", ["soon", 0.05, math.nan, -5, True, 1 << 53, [5]])
def test_what_is_no_step_is_none_to_set_at(sim: Simulation, host: Rehearsal, at: Any) -> None:
    with pytest.raises(SimulationError):
        sim.set(at, F=0.05)
    assert host.desk.done == []


def test_what_the_simulation_refuses_is_said(sim: Simulation, host: Rehearsal) -> None:
    host.comes({"F": (0.0, 0.01, 0.005), "n": (1, 64, 8)})
    host.hello = {**(host.hello or {}), "parameters": [{"name": "F", "low": 0.0, "high": 1.0}]}
    with pytest.raises(SimulationError, match=r"F = 0\.5 is out of its range from 0 to 0\.01"):
        sim.set(F=0.5)


def test_a_change_that_takes_long_is_on_its_way_and_said_so(
    hasty: Simulation, host: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    host.deaf = True
    assert hasty.set(F=0.05) == {"F": 0.05}
    assert capsys.readouterr().out == "pvlink: The change is on its way at the end of the step that it computes now.\n"


def test_without_paraviews_link_nothing_is_set(sim: Simulation, host: Rehearsal) -> None:
    host.desk.connected = False
    with pytest.raises(SimulationError, match="ParaView has no link to it"):
        sim.set(F=0.05)


def test_the_log_is_a_file_that_another_run_can_follow(sim: Simulation, host: Rehearsal, tmp_path: Path) -> None:
    sim.set(F=0.05)
    sim.set(n=12)
    sim.set(host.step + 50, F=0.06)
    until(lambda: len(sim.log) == 3)
    sim.save_log(tmp_path / "log")
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert lines == sim.log
    steps = [one["step"] for one in lines]
    replay = Provenance(None, str(tmp_path / "log"), host.declared)
    assert replay.due(steps[1]) == [({"F": 0.05}, sim._who), ({"n": 12}, sim._who)]
    assert replay.due(steps[2] - 1) == []
    assert replay.due(steps[2]) == [({"F": 0.06}, sim._who)]


def test_where_a_log_cannot_be_is_said_as_it_is(sim: Simulation, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        sim.save_log(tmp_path / "nowhere" / "log")


def test_what_is_slow_in_coming_is_waited_for_with_patience(sim: Simulation, host: Rehearsal) -> None:
    host.late = 100
    sim.set(F=0.05)
    assert host.values["F"] == 0.05
