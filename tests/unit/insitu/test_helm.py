"""Where a simulation stops and when it goes on: step by step, and second by second, without either."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pvlink.insitu.conditions import Quantity
from pvlink.insitu.helm import GRACE, MAX_CONDITIONS, MAX_QUANTITIES, Event, Helm, Nonsense
from tests.unit.insitu.run import Run

pytestmark = pytest.mark.insitu


# -- pause, step, go -------------------------------------------------------------------------------


def test_who_is_told_nothing_goes_on() -> None:
    run = Run()

    assert run.go(1000) == 1000
    assert (run.helm.why, run.helm.left, run.helm.needs, run.events) == ("", False, set(), [])


def test_a_pause_holds_until_it_is_let_go() -> None:
    run = Run()
    run.order("pause")

    assert (run.helm.paused, run.helm.why, run.go()) == (True, "You have paused it.", 0)

    run.order("go")
    assert (run.helm.paused, run.helm.why, run.go(10)) == (False, "", 10)


@pytest.mark.parametrize("steps", [1, 2, 17])
def test_steps_are_exact_wherever_it_stands(steps: int) -> None:
    run = Run()
    for _ in range(3):
        run.order("pause")
        run.order("step", steps=steps)

        assert run.go() == steps
        assert run.helm.why == f"It was to run until step {run.step}."


def test_a_step_is_one_step() -> None:
    run = Run()
    run.go(5)
    run.order("step")

    assert (run.go(), run.step) == (1, 6)


def test_the_first_step_of_all_may_be_asked_for_before_it_ends() -> None:
    helm = Helm()
    helm.order({"do": "step", "steps": 1})

    helm.end_of_step(0, 0.0, {})

    assert helm.paused


def test_it_runs_until_a_step() -> None:
    run = Run()
    run.order("pause")
    run.order("until", step=40)

    assert (run.go(), run.step, run.helm.why) == (40, 40, "It was to run until step 40.")
    run.order("go")
    assert run.go(100) == 100


def test_it_stops_at_the_first_step_of_those_that_it_has() -> None:
    helm = Helm()
    helm.order({"do": "until", "step": 45})
    for step in (10, 20, 30, 40):
        helm.end_of_step(step, 0.0, {})
        assert not helm.paused

    helm.end_of_step(50, 0.0, {})

    assert helm.paused


@pytest.mark.parametrize(("time", "step"), [(0.5, 5), (0.55, 6), (2, 20), (-1.0, 1), (0, 1)])
def test_it_runs_until_a_time(time: float, step: int) -> None:
    run = Run()
    run.order("until", time=time)

    assert (run.go(), run.helm.why) == (step, f"It was to run until time {time:g}.")


def test_the_last_goal_counts() -> None:
    run = Run()
    run.order("until", step=10)
    run.order("until", time=0.5)
    assert run.go() == 5
    run.order("until", time=1.0)
    run.order("until", step=20)
    assert (run.go(), run.step) == (15, 20)
    run.order("until", step=100)
    run.order("go")
    assert run.go(500) == 500


def test_a_pause_on_the_way_ends_the_way() -> None:
    run = Run()
    run.order("until", step=10)
    run.go(5)
    run.order("pause")
    run.order("go")

    assert run.go(100) == 100


# -- conditions ------------------------------------------------------------------------------------


def test_a_condition_pauses_at_the_step_at_which_it_comes_to_hold() -> None:
    run = Run()
    run.order("when", id=1, text="max(V) > 0.4", then="pause")
    run.go(5, **{"max(V)": 0.4})

    assert run.go(100, **{"max(V)": 0.5}) == 1
    assert run.helm.why == "max(V) > 0.4 is true."
    assert run.events == [Event("met", {"id": 1, "text": "max(V) > 0.4", "then": "pause"})]


def test_a_condition_that_goes_on_to_hold_pauses_once() -> None:
    run = Run()
    run.order("when", id=1, text="F > 1", then="pause")
    assert run.go(F=2.0) == 1
    run.order("go")

    assert run.go(50, F=2.0) == 50
    assert run.met() == [1]


def test_a_condition_is_told_of_each_time_it_comes_to_hold() -> None:
    run = Run()
    run.order("when", id=7, text="F > 1", then="note")
    for value in (2.0, 2.0, 0.5, 2.0, 0.5, 0.5, 2.0, 2.0):
        run.go(1, F=value)

    assert run.met() == [7, 7, 7]
    assert not run.helm.paused


def test_what_is_not_known_for_a_while_does_not_hold_meanwhile() -> None:
    run = Run()
    run.order("when", id=1, text="not F < 1", then="note")
    run.go(1, F=2.0)
    run.go(1)
    run.go(1, F=math.nan)
    run.go(1, F=2.0)

    assert run.met() == [1, 1]


def test_several_are_told_in_their_order_and_one_pauses_for_all() -> None:
    run = Run()
    run.order("when", id=3, text="step >= 2", then="note")
    run.order("when", id=1, text="time > 0.15", then="pause")
    run.order("when", id=2, text="step > 50", then="pause")

    assert run.go() == 2
    assert run.met() == [1, 3]
    assert [one["id"] for one in run.helm.conditions] == [1, 2, 3]


def test_a_condition_and_a_goal_at_the_same_step_are_one_pause() -> None:
    run = Run()
    run.order("when", id=1, text="step == 3", then="pause")
    run.order("until", step=3)
    assert run.go() == 3
    run.order("go")

    assert run.go(100) == 100


def test_a_condition_that_is_written_anew_is_another_one() -> None:
    run = Run()
    run.order("when", id=1, text="step > 0", then="note")
    run.go(1)
    run.order("when", id=1, text="step > 1", then="note")
    run.go(2)

    assert run.met() == [1, 1]
    assert run.helm.conditions == [{"id": 1, "text": "step > 1", "do": "note"}]


def test_what_is_forgotten_is_not_told_any_more() -> None:
    run = Run()
    run.order("when", id=1, text="max(V) > 1", then="pause")
    run.order("unwhen", id=1)
    run.order("unwhen", id=1)

    assert run.go(10, **{"max(V)": 2.0}) == 10
    assert (run.helm.conditions, run.helm.needs, run.events) == ([], set(), [])


def test_it_measures_what_conditions_need_and_what_is_followed() -> None:
    run = Run()
    run.order("when", id=1, text="max(V) > 1 and F > 1", then="note")
    run.order("when", id=2, text="max(V) > 2 or min(U) > 1", then="note")
    run.order("follow", quantities=["mean(T)", "max('V')", "mean(T)"])
    assert run.helm.needs == {Quantity("max", "V"), Quantity("min", "U"), Quantity("mean", "T")}

    run.order("unwhen", id=2)
    run.order("follow", quantities=[])
    assert run.helm.needs == {Quantity("max", "V")}


def test_what_can_be_followed_and_waited_for_has_an_end() -> None:
    run = Run()
    for number in range(MAX_CONDITIONS):
        run.order("when", id=number, text=f"step > {number}", then="note")
    with pytest.raises(Nonsense, match=r"50 conditions already; sim\.forget"):
        run.order("when", id=MAX_CONDITIONS, text="step > 1", then="note")
    run.order("unwhen", id=0)
    run.order("when", id=MAX_CONDITIONS, text="step > 1", then="note")

    run.order("follow", quantities=[f"max(a{number})" for number in range(MAX_QUANTITIES)])
    with pytest.raises(Nonsense, match="At most 50"):
        run.order("follow", quantities=["max(V)"] * (MAX_QUANTITIES + 1))
    assert (len(run.helm.conditions), len(run.helm.needs)) == (MAX_CONDITIONS, MAX_QUANTITIES)


# -- who asked for it ------------------------------------------------------------------------------


def test_a_pause_is_over_once_its_owner_was_gone_for_a_while() -> None:
    run = Run()
    run.order("pause")
    run.helm.owner_left(100.0)

    assert run.helm.look(100.0) == run.helm.look(100.0 + GRACE - 0.001) == []
    assert run.helm.paused
    assert run.helm.look(100.0 + GRACE) == [Event("released")]
    assert (run.helm.paused, run.helm.why, run.helm.left, run.go(100)) == (False, "", False, 100)
    assert run.helm.look(1e9) == []


def test_a_clock_may_begin_at_nothing() -> None:
    run = Run()
    run.order("pause")
    run.helm.owner_left(0.0)

    assert run.helm.left
    assert run.helm.look(GRACE - 0.001) == []
    assert run.helm.look(GRACE) == [Event("released")]


def test_an_owner_who_comes_back_in_time_finds_it_as_it_was() -> None:
    run = Run()
    run.order("when", id=1, text="step > 5", then="pause")
    run.order("follow", quantities=["max(V)"])
    run.order("pause")
    for begun in (100.0, 200.0, 300.0):
        run.helm.owner_left(begun)
        assert run.helm.look(begun + GRACE - 0.001) == []
        run.helm.owner_came()
        assert not run.helm.left
        assert run.helm.look(begun + 50.0) == []

    assert run.helm.paused
    assert (len(run.helm.conditions), len(run.helm.needs)) == (1, 1)


def test_leaving_twice_is_no_longer_stay() -> None:
    run = Run()
    run.order("pause")
    run.helm.owner_left(100.0)
    run.helm.owner_left(100.0 + GRACE - 1)

    assert run.helm.look(100.0 + GRACE) == [Event("released")]


def test_a_goal_is_forgotten_like_a_pause() -> None:
    run = Run()
    run.order("until", step=50)
    run.helm.owner_left(0.0)
    run.go(10)

    assert run.helm.look(GRACE) == []
    assert run.go(200) == 200


def test_a_condition_that_pauses_while_nobody_is_there_is_released_in_time() -> None:
    run = Run()
    run.order("when", id=1, text="step == 3", then="pause")
    run.helm.owner_left(100.0)
    assert run.go() == 3
    assert run.helm.look(100.0 + GRACE / 2) == []

    assert run.helm.look(100.0 + GRACE) == [Event("released")]


def test_who_is_gone_for_long_leaves_notes_and_no_pauses() -> None:
    run = Run()
    run.order("when", id=1, text="step > 10", then="pause")
    run.order("when", id=2, text="step > 10", then="note")
    run.order("follow", quantities=["max(V)"])
    run.helm.owner_left(0.0)
    run.helm.look(GRACE)

    assert run.go(50) == 50
    assert run.met() == [2]
    assert run.helm.needs == set()


def test_a_pause_that_stays_outlives_its_owner() -> None:
    run = Run()
    run.order("pause", stays=True)
    run.order("when", id=1, text="step > 10", then="pause")
    run.helm.owner_left(0.0)

    assert run.helm.look(GRACE) == run.helm.look(1e9) == []
    assert (run.helm.paused, run.go()) == (True, 0)

    run.helm.owner_came()
    run.order("go")
    assert run.go() == 11


@pytest.mark.parametrize("stays", [False, None, 1, "yes"])
def test_a_pause_stays_only_if_that_was_said(stays: object) -> None:
    run = Run()
    run.order("pause", stays=True)
    run.order("pause", stays=stays)
    run.helm.owner_left(0.0)

    assert run.helm.look(GRACE) == [Event("released")]


def test_an_owner_who_comes_again_and_leaves_again_is_waited_for_again() -> None:
    run = Run()
    run.helm.owner_left(0.0)
    run.helm.look(GRACE)
    run.helm.owner_left(50.0)
    assert not run.helm.left
    run.helm.owner_came()
    run.order("pause")
    run.helm.owner_left(100.0)

    assert run.helm.look(100.0 + GRACE - 0.001) == []
    assert run.helm.look(100.0 + GRACE) == [Event("released")]


@pytest.mark.parametrize("later", [{"do": "when", "id": 1, "text": "step > 5", "then": "pause"},
                                   {"do": "until", "step": 5}], ids=["when", "until"])  # fmt: skip
def test_the_next_pause_does_not_stay_because_the_last_one_did(later: dict[str, Any]) -> None:
    run = Run()
    run.order("pause", stays=True)
    run.order("go")
    run.helm.order(later)
    run.go(10)
    assert run.helm.paused
    run.helm.owner_left(0.0)

    assert run.helm.look(GRACE) == [Event("released")]
