"""What is seen of a running simulation: its data in ParaView, its quantities over time; and the end of watching it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pvlink.errors import PvlinkError, SimulationError
from pvlink.insitu.helm import MAX_QUANTITIES
from pvlink.monitor.simulation import Simulation
from tests.unit.engine.pair import Pair
from tests.unit.monitor.rehearsal import NoSimulation, Rehearsal, Source, ended, until

pytestmark = pytest.mark.insitu

Views = list[tuple[Any, dict[str, Any]]]
BLANKS = 'max("velocity magnitude")'


# -- its data --------------------------------------------------------------------------------------


def test_an_extract_is_there_with_a_step_that_has_it(sim: Simulation, host: Rehearsal) -> None:
    source = sim.extract("input")
    assert isinstance(source, Source)
    assert host.desk.done == [("extract", "input"), ("update",)]
    assert host.desk.updates >= 2


def test_an_extract_waits_for_the_link(sim: Simulation, host: Rehearsal) -> None:
    host.desk.connects_in = 10
    sim.extract("input")
    assert host.desk.done[0] == ("extract", "input")


def test_without_a_link_nothing_is_extracted(hasty: Simulation, host: Rehearsal) -> None:
    host.desk.connected = False
    with pytest.raises(SimulationError, match=r"ParaView has no link to it \(open\)\. gray-scott runs"):
        hasty.extract("input")
    assert host.desk.done == []


def test_why_there_can_be_no_link_is_said_at_once(sim: Simulation, host: Rehearsal) -> None:
    host.desk.connected, host.desk.wrong = False, "The simulation has ParaView 5.10.0, this session 5.13."
    began = time.monotonic()
    with pytest.raises(SimulationError, match=r"has ParaView 5\.10\.0"):
        sim.add("Contour", "skin", of="input")
    assert time.monotonic() - began < 10.0


def test_to_one_that_has_ended_there_is_no_link(sim: Simulation, host: Rehearsal) -> None:
    host.desk.connected = False
    host.leaves("finished")
    with pytest.raises(SimulationError, match="has finished"):
        sim.view("input")


def test_where_no_step_comes_that_is_said(hasty: Simulation, host: Rehearsal) -> None:
    host.desk.frozen = True
    with pytest.raises(SimulationError, match=r"Nothing of 'input' has come yet\. gray-scott runs"):
        hasty.extract("input")


def test_where_it_goes_before_a_step_comes_that_is_said(sim: Simulation, host: Rehearsal) -> None:
    host.desk.frozen, host.gone_in = True, 3
    with pytest.raises(SimulationError, match=r"Nothing of 'input' has come yet\. gray-scott cannot be reached"):
        sim.extract("input")


def test_what_it_does_not_offer_is_said_with_what_it_does(sim: Simulation, host: Rehearsal) -> None:
    for act in (lambda: sim.extract("x"), lambda: sim.view("x"), lambda: sim.change("x", Isosurfaces=[1.0])):
        with pytest.raises(SimulationError, match="offers no 'x'; it offers input"):
            act()
    with pytest.raises(SimulationError, match="offers no 'x'"):
        sim.add("Contour", "skin", of="x")


def test_a_view_of_it_is_shown_as_it_was_asked_for(sim: Simulation, host: Rehearsal, views: Views) -> None:
    assert sim.view("input", width=300) == "view of input"
    assert views == [("view of input", {"width": 300})]
    assert host.desk.done == [("extract", "input"), ("update",), ("view", "input")]


def test_filters_are_made_and_changed_in_the_simulation(sim: Simulation, host: Rehearsal) -> None:
    sim.add("Contour", "skin", of="input", Isosurfaces=[0.1])
    host.desk.sources["skin"] = {}
    sim.change("skin", Isosurfaces=[0.3])
    assert host.desk.done == [
        ("make", "Contour", "skin", "input", {"Isosurfaces": [0.1]}),
        ("change", "skin", {"Isosurfaces": [0.3]}),
    ]


def test_what_else_goes_wrong_in_paraview_is_not_called_the_simulations(
    sim: Simulation, host: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> Any:
        raise RuntimeError("ParaView's own")

    monkeypatch.setattr(host.desk, "insitu_extract", fail)
    with pytest.raises(RuntimeError, match="ParaView's own") as error:
        sim.extract("input")
    assert not isinstance(error.value, PvlinkError)


class ParaViewsDesk:
    """What answers at the other end of the wire."""

    def insitu_facts(self) -> dict[str, Any]:
        return {"connected": True, "updates": 0, "wrong": "", "sources": {}}

    def insitu_extract(self, name: str) -> Any:
        raise NoSimulation(f"The simulation offers no {name!r}; it offers input.")


def test_what_paraview_says_over_its_wire_is_said(sim: Simulation, host: Rehearsal) -> None:
    pair = Pair(ParaViewsDesk())
    try:
        host.desk = pair.desk
        with pytest.raises(SimulationError, match="offers no 'x'; it offers input"):
            sim.extract("x")
    finally:
        pair.close()


# -- its quantities --------------------------------------------------------------------------------


def test_what_is_followed_has_a_history(sim: Simulation, host: Rehearsal) -> None:
    sim.follow("max(V)", " mean( U ) ")
    assert host.orders() == [{"do": "follow", "quantities": ["max(V)", "mean(U)"]}]
    until(lambda: len(sim.history("max(V)")[0]) >= 5)
    steps, times, values = sim.history("max(V)")
    assert steps == list(range(steps[0], steps[0] + len(steps)))
    assert times == [0.5 * step for step in steps]
    assert values == [float(step) for step in steps]
    assert sim.history("mean( U )")[0][: len(steps)] == steps
    assert sim.history("min(V)") == ([], [], [])


def test_what_is_followed_later_is_followed_as_well(sim: Simulation, host: Rehearsal) -> None:
    sim.follow("max(V)")
    sim.follow("min(V)", "max(V)")
    assert host.orders()[-1] == {"do": "follow", "quantities": ["max(V)", "min(V)"]}


@pytest.mark.parametrize("text", ["V", "max(V) > 1", "max(V", "", "most(V)", "max(U, V)", 5])
def test_what_is_no_quantity_is_not_sent(sim: Simulation, host: Rehearsal, text: Any) -> None:
    with pytest.raises(SimulationError):
        sim.follow("max(V)", text)
    with pytest.raises(SimulationError):
        sim.plot(text)
    assert host.orders() == []


def test_of_what_is_no_quantity_there_is_no_history(sim: Simulation) -> None:
    with pytest.raises(SimulationError):
        sim.history("most(V)")


def test_an_array_may_have_a_name_of_several_words(sim: Simulation) -> None:
    sim.follow(BLANKS)
    until(lambda: len(sim.history(BLANKS)[0]) >= 3)
    steps, _, values = sim.history(BLANKS)
    assert values == [float(step) for step in steps]


def test_what_was_refused_is_not_asked_for_again(sim: Simulation, host: Rehearsal) -> None:
    with pytest.raises(SimulationError, match=f"At most {MAX_QUANTITIES}"):
        sim.follow(*(f"max(V{n})" for n in range(MAX_QUANTITIES + 1)))
    sim.follow("max(V)")
    assert host.orders()[-1] == {"do": "follow", "quantities": ["max(V)"]}


def test_a_plot_follows_what_it_draws(sim: Simulation, host: Rehearsal) -> None:
    chart = sim.plot("max(V)")
    try:
        assert host.orders() == [{"do": "follow", "quantities": ["max(V)"]}]
        sim.run_until(host.step + 20)
        chart.look()
        assert "max(V)" in chart.picture
    finally:
        chart.close()


# -- the end of it ---------------------------------------------------------------------------------


def test_who_watches_no_more_says_so(sim: Simulation, host: Rehearsal) -> None:
    sim._repr_mimebundle_()
    panel = sim._panel
    assert panel is not None
    sim.close()
    assert host.asked[-1] == ("insitu-close", {})
    assert panel._over.is_set()
    sim.close()


def test_one_that_stands_goes_on_when_nobody_watches_it_any_more(sim: Simulation, host: Rehearsal) -> None:
    sim.pause()
    sim.close()
    assert host.orders()[-1] == {"do": "go"}


def test_one_that_is_to_stand_stands_when_nobody_watches_it_any_more(sim: Simulation, host: Rehearsal) -> None:
    sim.pause(stays=True)
    sim.close()
    assert host.orders() == [{"do": "pause", "stays": True}]


def test_after_a_pause_that_was_to_stay_another_one_does_not(sim: Simulation, host: Rehearsal) -> None:
    sim.pause(stays=True)
    sim.resume()
    sim.run_until(host.step + 5)
    sim.close()
    assert host.orders()[-1] == {"do": "go"}


def test_it_shows_itself_in_one_panel(sim: Simulation) -> None:
    first, second = sim._repr_mimebundle_(), sim._repr_mimebundle_()
    assert first == second
    assert "application/vnd.jupyter.widget-view+json" in first


def test_one_that_is_watched_no_more_can_be_shown(sim: Simulation) -> None:
    sim._repr_mimebundle_()
    sim.close()
    assert sim._repr_mimebundle_() == {"text/plain": repr(sim)}
    assert "No simulation is waited for any more" in repr(sim)


def test_what_had_happened_is_known_when_nobody_watches_any_more(sim: Simulation, host: Rehearsal) -> None:
    sim.set(F=0.05)
    sim.close()
    asked = list(host.asked)
    assert [one["new"] for one in sim.log] == [0.05]
    assert sim.step_number == -1
    assert host.asked == asked


def test_of_a_session_that_has_ended_nobody_has_to_be_told(sim: Simulation, host: Rehearsal) -> None:
    sim._repr_mimebundle_()
    host.lost = "The process that sends the pictures has ended."
    sim.close()
    host.lost = ""
    sim.close()
    assert "insitu-close" not in [op for op, _ in host.asked]
    ended("pvlink simulation")


def test_a_chart_that_is_closed_shows_what_it_showed_last(sim: Simulation) -> None:
    chart = sim.plot("max(V)")
    chart.close()
    assert chart._repr_mimebundle_() == {"text/html": chart.picture}


def test_with_it_its_charts_are_closed(sim: Simulation) -> None:
    chart = sim.plot("max(V)")
    try:
        sim.close()
        assert chart._over.is_set()
    finally:
        chart.close()


def test_of_what_is_closed_no_thread_is_left(sim: Simulation) -> None:
    sim._repr_mimebundle_()
    chart = sim.plot("max(V)")
    sim.close()
    chart.close()
    ended("pvlink simulation")
    ended("pvlink chart")
