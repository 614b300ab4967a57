"""A simulation below a cell: what it says, what its buttons do, and that nothing disturbs it for good."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pvlink.monitor import panel as panel_module
from pvlink.monitor.panel import LINES, RUNS, STANDS, Panel
from pvlink.monitor.simulation import Simulation
from pvlink.servers.form import CALM, DONE, ERROR
from tests.unit.monitor.rehearsal import PLACE, Made, Rehearsal, ended, page, until

pytestmark = pytest.mark.insitu

NASTY = "<script>alert('&')</script>"


@pytest.fixture
def living(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Panel]:
    """One that looks again and again."""
    monkeypatch.setattr(panel_module, "TICK", 0.005)
    one = Panel(sim)
    yield one
    one.close()
    ended("pvlink simulation")


# -- how it is -------------------------------------------------------------------------------------


def test_before_one_has_come_there_is_nothing_to_press(host: Rehearsal, sim: Simulation, made: Made) -> None:
    host.hello, host.there = None, False
    panel = made()
    assert f"No simulation has come to {PLACE} yet." in panel.head
    assert CALM in panel.head
    assert "steps/s" not in panel.head
    assert panel.pause.disabled
    assert panel.step.disabled
    assert panel.until.disabled
    assert panel.form.fields == {}


def test_one_that_runs_says_so_with_what_it_costs(panel: Panel) -> None:
    assert "gray-scott runs, at step" in panel.head
    assert RUNS in panel.head
    for fact in ("time 4", "12.5 steps/s", "1.2 % of the time", "4 ranks on node17", "3 steps shown, 4 passed over"):
        assert fact in panel.head


def test_one_rank_is_not_several(host: Rehearsal, made: Made) -> None:
    host.comes(ranks=1)
    assert "1 rank on node17" in made().head


def test_before_its_first_step_there_are_no_facts_of_it(host: Rehearsal, made: Made) -> None:
    host.runs = False
    head = made().head
    assert "gray-scott runs, at its first step." in head
    assert "steps/s" not in head


@pytest.mark.parametrize(
    ("ends", "colour"), [("", CALM), ("finished", CALM), ("ended", CALM), ("died", ERROR), ("ValueError: no", ERROR)]
)
def test_one_that_has_gone_can_be_asked_for_nothing(panel: Panel, host: Rehearsal, ends: str, colour: str) -> None:
    host.leaves(ends)
    panel.look()
    assert colour in panel.head
    assert panel.pause.disabled
    assert panel.step.disabled
    assert panel.until.disabled
    assert panel.form.send.disabled
    assert all(field.disabled for field in panel.form.fields.values())
    host.comes()
    panel.look()
    assert not panel.pause.disabled
    assert not any(field.disabled for field in panel.form.fields.values())


def test_a_time_that_is_no_number_is_shown_as_none(panel: Panel, host: Rehearsal) -> None:
    host.extra = {"time": math.nan}
    panel.look()
    assert "time" in panel.head


def test_who_may_only_look_sees_how_it_is_and_nothing_to_press(host: Rehearsal, made: Made) -> None:
    host.role = "view"
    host.steps(8)
    panel = made()
    assert "gray-scott runs, at step" in panel.head
    assert "F = 0.04 · n = 8" in panel.head
    assert "It has come" in panel.log
    assert not any(word in page(panel) for word in ("Button", "Slider", "Text"))
    before = list(host.asked)
    panel.goal.value = "500"
    panel.form.fields["F"].value = 0.05
    for button in (panel.pause, panel.step, panel.until, panel.form.send):
        button.click()
    assert host.asked == before
    assert host.desk.done == []


def test_of_what_has_not_changed_no_page_hears(panel: Panel, host: Rehearsal) -> None:
    host.runs = False
    panel.look()
    heard: list[Any] = []
    widgets = [panel._widget]
    while widgets:
        one = widgets.pop()
        one.observe(heard.append)
        widgets += getattr(one, "children", ())
    for _ in range(5):
        panel.look()
    assert heard == []


# -- what has happened -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            {"kind": "changed", "step": 7, "changes": [{"name": "F", "old": 0.04, "new": 0.05, "who": "ann@node1"}]},
            "Step 7: F 0.04 → 0.05, by ann@node1",
        ),
        (
            {
                "kind": "changed",
                "step": 7,
                "changes": [{"name": "F", "old": 1, "new": 2, "who": ""}, {"name": "n", "old": 8, "new": 9}],
            },
            "Step 7: F 1 → 2, n 8 → 9<",
        ),
        ({"kind": "met", "step": 7, "text": "max(V) > 3"}, "Step 7: max(V) &gt; 3"),
        ({"kind": "refused", "number": 5, "why": "Step 3 is over."}, "Refused: Step 3 is over."),
        ({"kind": "released", "step": 7}, "Step 7: it went on, since nobody was there"),
        ({"kind": "came", "again": True}, "It can be reached again"),
        ({"kind": "came", "again": False}, "It has come"),
        ({"kind": "left"}, "It could not be reached"),
    ],
)
def test_what_has_happened_is_a_line(panel: Panel, host: Rehearsal, event: dict[str, Any], line: str) -> None:
    host.note(event)
    panel.look()
    assert panel.log.startswith('<div style="line-height: 1.5">' + line), panel.log


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "done", "number": 5},
        {"kind": "changed", "changes": []},
        # Its head says so.
        {"kind": "ended", "how": "finished"},
        {"kind": "new"},
        {},
        {"kind": None},
    ],
)
def test_of_the_rest_there_is_no_line(panel: Panel, host: Rehearsal, event: dict[str, Any]) -> None:
    before = panel.log
    host.note(event)
    panel.look()
    assert panel.log == before


def test_the_newest_lines_stand_first_and_there_are_not_many(panel: Panel, host: Rehearsal) -> None:
    for n in range(20):
        host.note({"kind": "met", "step": n, "text": "x"})
        host.note({"kind": "done", "number": n})
    panel.look()
    lines = panel.log.split("</div>")[:-1]
    assert [line.rpartition(">")[2] for line in lines] == [f"Step {n}: x" for n in range(19, 19 - LINES, -1)]


def test_what_others_have_written_is_text(made: Made, host: Rehearsal) -> None:
    host.strangers = NASTY
    host.hello = None
    panel = made()
    assert "&lt;script&gt;" in panel.head
    host.comes({"F": {"range": (0.0, 1.0), "unit": NASTY, "doc": NASTY}}, name=NASTY, host=NASTY)
    host.steps()
    host.extra = {"why": NASTY, "paused": True}
    for event in (
        {"kind": "met", "step": 1, "text": NASTY},
        {"kind": "refused", "why": NASTY},
        {"kind": "ended", "how": NASTY},
        {"kind": "changed", "step": NASTY, "changes": [{"name": NASTY, "old": 1, "new": 2, "who": NASTY}]},
    ):
        host.note(event)
    panel.look()
    panel.goal.value = "1"
    panel.until.click()
    for _ in range(2):
        assert "<script" not in page(panel)
        assert "&lt;script&gt;" in panel.head
        assert "&lt;script&gt;" in panel.log
        host.leaves(NASTY)
        panel.look()


# -- buttons ---------------------------------------------------------------------------------------


def test_the_first_button_pauses_and_lets_it_run_again(panel: Panel, host: Rehearsal) -> None:
    assert (panel.pause.description, panel.pause.icon) == ("Pause", "pause")
    panel.pause.click()
    assert host.stands()
    assert f"It stands at step {host.step}." in panel.said
    assert DONE in panel.said
    assert STANDS in panel.head
    assert (panel.pause.description, panel.pause.icon) == ("Resume", "play")
    panel.pause.click()
    assert not host.stands()
    assert "It runs." in panel.said
    assert panel.pause.description == "Pause"


def test_the_second_one_goes_a_step(panel: Panel, host: Rehearsal) -> None:
    panel.pause.click()
    at = host.step
    panel.step.click()
    assert host.step == at + 1
    assert f"It stands at step {at + 1}." in panel.said


def test_the_third_one_goes_to_a_step_and_nobody_waits_for_it(panel: Panel, host: Rehearsal) -> None:
    panel.goal.value = f" {host.step + 50} "
    panel.until.click()
    assert f"It runs until step {panel.goal.value.strip()}." in panel.said
    assert not host.stands()
    while not host.stands():
        panel.look()
    assert host.step == int(panel.goal.value)


@pytest.mark.parametrize("goal", ["", " ", "x", "-5", "1.5", "1e3", "ten", "²", "9" * 5000])
def test_without_a_step_it_goes_to_none(panel: Panel, host: Rehearsal, goal: str) -> None:
    panel.goal.value = goal
    panel.until.click()
    assert "Say beside the button until which step." in panel.said
    assert ERROR in panel.said
    assert host.orders() == []


def test_what_is_refused_is_said_in_words(panel: Panel) -> None:
    panel.goal.value = "1"
    panel.until.click()
    assert "Step 1 is over: it is at step" in panel.said
    assert ERROR in panel.said


def test_whoever_presses_when_it_has_gone_hears_that(panel: Panel, host: Rehearsal) -> None:
    host.leaves("died")
    panel.pause.click()
    assert "No simulation is there." in panel.said
    assert "has died" in panel.head
    host.lost = "The process that sends the pictures has ended."
    panel.step.click()
    assert host.lost in panel.said


def test_what_nobody_has_thought_of_is_said_beside_the_button(
    panel: Panel, host: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise TypeError(NASTY)

    monkeypatch.setattr(host.desk, "insitu_steer", fail)
    panel.form.fields["F"].value = 0.05
    panel.form.send.click()
    assert "TypeError: &lt;script&gt;" in panel.said
    assert ERROR in panel.said
    assert not panel._busy.locked()


def test_while_a_button_works_no_other_one_does(panel: Panel, host: Rehearsal) -> None:
    host.late = 50
    pressing = threading.Thread(target=panel.pause.click)
    pressing.start()
    until(lambda: panel._busy.locked())
    panel.step.click()
    panel.form.send.click()
    pressing.join(10.0)
    assert [one["do"] for one in host.orders()] == ["pause"]
    assert "It stands at step" in panel.said


# -- looking again and again -----------------------------------------------------------------------


def test_it_shows_how_it_is_as_long_as_it_is_there(living: Panel, host: Rehearsal) -> None:
    until(lambda: "at step 20." in living.head)
    host.leaves("finished")
    until(lambda: "has finished" in living.head)
    host.comes()
    until(lambda: "gray-scott runs" in living.head)


def test_that_the_session_has_ended_is_said_until_it_is_there_again(living: Panel, host: Rehearsal) -> None:
    host.lost = f"The process that sends the pictures has ended. {NASTY}"
    until(lambda: "The process that sends the pictures has ended. &lt;script" in living.head)
    assert ERROR in living.head
    host.lost = ""
    until(lambda: "gray-scott runs" in living.head)


@pytest.mark.parametrize(
    "error",
    [
        OSError("no more files"),
        ValueError("The streamer failed"),
        TypeError("null"),
    ],
)
def test_what_goes_wrong_once_ends_nothing(
    living: Panel, host: Rehearsal, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ask, failed = host.ask, threading.Event()

    def fail(op: str, **facts: Any) -> dict[str, Any]:
        if not failed.is_set():
            failed.set()
            raise error
        return ask(op, **facts)

    (thread,) = [one for one in threading.enumerate() if one.name == "pvlink simulation"]
    # A thread that ends of it would say so in the middle of another test.
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(living._simulation._follower, "_ask", fail)
    assert failed.wait(10.0)
    at = host.step
    until(lambda: host.step > at + 10 or not thread.is_alive())
    assert thread.is_alive()
    until(lambda: "gray-scott runs" in living.head)


def test_what_nobody_has_thought_of_is_shown(living: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(op: str, **facts: Any) -> dict[str, Any]:
        raise TypeError(NASTY)

    monkeypatch.setattr(living._simulation._follower, "_ask", fail)
    until(lambda: "TypeError: &lt;script&gt;" in living.head)
    assert ERROR in living.head


def test_of_a_panel_that_is_closed_no_thread_is_left(living: Panel, host: Rehearsal) -> None:
    until(lambda: host.asked)
    living.close()
    living.close()
    ended("pvlink simulation")
