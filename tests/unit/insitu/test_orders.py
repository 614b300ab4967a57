"""Orders that make no sense: each is refused with the reason, and the simulation is as it was."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvlink.insitu.conditions import Quantity
from pvlink.insitu.helm import ACTIONS, GRACE, Event, Nonsense
from tests.unit.insitu.run import Run

pytestmark = pytest.mark.insitu


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({}, "cannot do None; it has another version"),
        ({"do": "sink"}, "cannot do 'sink'"),
        ({"do": ["go"]}, "cannot do"),
        ({"do": "until"}, "either a step or a time"),
        ({"do": "until", "step": 50, "time": 1.0}, "either a step or a time"),
        ({"do": "until", "step": 20}, "Step 20 is over: it is at step 20"),
        ({"do": "until", "step": 0}, "Step 0 is over"),
        ({"do": "until", "step": 50.5}, "a whole number, not 50.5"),
        ({"do": "until", "step": "50"}, "a whole number, not '50'"),
        ({"do": "until", "step": True}, "a whole number, not True"),
        ({"do": "until", "step": -50}, "a whole number, not -50"),
        ({"do": "until", "step": 1 << 53}, "a whole number"),
        ({"do": "until", "time": math.nan}, "is a number, not nan"),
        ({"do": "until", "time": math.inf}, "is a number, not inf"),
        ({"do": "until", "time": "noon"}, "is a number, not 'noon'"),
        ({"do": "until", "time": True}, "is a number, not True"),
        ({"do": "when", "text": "step > 50", "then": "pause"}, "a condition has a number, not None"),
        ({"do": "when", "id": "1", "text": "step > 50", "then": "pause"}, "a condition has a number"),
        ({"do": "when", "id": 1, "text": "step > 50"}, "one of 'pause', 'note', not None"),
        ({"do": "when", "id": 1, "text": "step > 50", "then": "sink"}, "not 'sink'"),
        ({"do": "when", "id": 1, "then": "pause"}, "'None' has no place in a condition"),
        ({"do": "when", "id": 1, "text": "step", "then": "pause"}, "neither true nor false"),
        ({"do": "when", "id": 1, "text": "open('/')", "then": "pause"}, "has no place in a condition"),
        ({"do": "unwhen"}, "a condition has a number"),
        ({"do": "unwhen", "id": -1}, "a condition has a number"),
        ({"do": "follow"}, "At most"),
        ({"do": "follow", "quantities": "max(V)"}, "At most"),
        ({"do": "follow", "quantities": ["V"]}, "'V' is no quantity"),
        ({"do": "follow", "quantities": [None]}, "is no quantity"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(order: dict[str, Any], why: str) -> None:
    run = Run()
    run.go(20)
    run.order("when", id=9, text="step == 25", then="note")
    run.order("follow", quantities=["min(V)"])
    run.order("pause")

    with pytest.raises(Nonsense, match=why):
        run.helm.order(order)

    assert run.helm.paused
    assert run.helm.conditions == [{"id": 9, "text": "step == 25", "do": "note"}]
    assert run.helm.needs == {Quantity("min", "V")}
    run.order("go")
    assert run.go(50) == 50


@pytest.mark.parametrize("steps", [-1, 1.5, "2", None, True, 1 << 53])
def test_a_number_of_steps_that_makes_no_sense_changes_nothing_either(steps: object) -> None:
    run = Run()
    run.order("pause")

    with pytest.raises(Nonsense, match="a number of steps from 1 on"):
        run.order("step", steps=steps)

    assert run.helm.paused


def test_no_step_is_no_number_of_steps() -> None:
    with pytest.raises(Nonsense, match="a number of steps from 1 on, not 0"):
        Run().order("step", steps=0)


def test_a_time_that_no_double_has_makes_no_sense() -> None:
    with pytest.raises(Nonsense):
        Run().order("until", time=10**400)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
ORDERS = st.fixed_dictionaries(
    {"do": st.sampled_from(["pause", "go", "step", "until", "when", "unwhen", "follow"]) | JSON},
    optional={
        "stays": JSON,
        "steps": st.integers(1, 5) | JSON,
        "step": st.integers(0, 30) | JSON,
        "time": st.floats(0, 3) | JSON,
        "id": st.integers(0, 3) | JSON,
        "text": st.sampled_from(["step > 3", "max(V) > F", "F"]) | JSON,
        "then": st.sampled_from(ACTIONS) | JSON,
        "quantities": st.lists(st.sampled_from(["max(V)", "min(U)", "V"]), max_size=3) | JSON,
    },
)


@settings(max_examples=500, deadline=None)
@given(st.lists(ORDERS | st.sampled_from(["came", "left", "look", "end"]), max_size=20))
def test_whatever_is_ordered_it_goes_on_once_nobody_is_there(orders: list[Any]) -> None:
    run = Run()
    now = 0.0
    for order in orders:
        now += 0.5
        if isinstance(order, dict):
            with contextlib.suppress(Nonsense):
                run.helm.order(order)
        elif order == "look":
            run.helm.look(now)
        elif order == "end":
            run.go(1, F=1.0, **{"max(V)": 2.0})
        else:
            run.helm.owner_came() if order == "came" else run.helm.owner_left(now)
        assert bool(run.helm.why) == run.helm.paused
        json.dumps(run.helm.conditions)

    # What it was told last counts, and it was told that nothing stays.
    run.helm.owner_came()
    run.order("pause")
    run.helm.owner_left(now)
    assert run.helm.look(now + GRACE) == [Event("released")]
    assert run.go(100, F=1.0, **{"max(V)": 2.0}) == 100
