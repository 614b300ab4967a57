"""A simulation on two ranks, seen by ParaView itself and by a server of two: every step, every stop, every change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.insitu.running import Running, needs_simulation, undisturbed
from tests.integration.household import until
from tests.integration.interpreter import Kernel
from tests.integration.scenes import difference, pixels
from tests.integration.watcher import Watcher

pytestmark = needs_simulation

SMALL = ("--size", "24")
# Slow enough for a notebook to say something meanwhile.
LONG = (*SMALL, "--steps", "100000", "--pause", "0.01")
SERVERS = {"here": "", "server": "session.serve(ranks=2)\n"}


# What make test shows here, make soak shows on a server, too.
ONE = pytest.mark.parametrize("kernel", ["here", pytest.param("server", marks=pytest.mark.soak)], indirect=True)


@pytest.fixture(scope="module", params=["here", "server"])
def kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """With ParaView in its own process, or on a server of two ranks."""
    with Kernel.started() as started:
        started.run(SERVERS[request.param])
        yield started


def watch(kernel: Kernel, simulation: Running) -> None:
    kernel.run(f"sim = session.monitor({simulation.live!r})")
    until(lambda: step(kernel) >= 1)


def step(kernel: Kernel) -> int:
    return int(kernel.run("answer = sim.step_number"))


def status(kernel: Kernel) -> dict[str, Any]:
    found: dict[str, Any] = kernel.run("answer = sim.said.status")
    return found


def test_what_it_offers_becomes_sources_that_filters_build_on(kernel: Kernel) -> None:
    with Running(2, *LONG) as simulation:
        watch(kernel, simulation)
        kernel.run("field = sim.extract('input')")
        arrays = kernel.run("answer = sim.sources['input']['arrays']['POINTS']")
        assert sorted(arrays) == ["U", "V"]
        # Both ranks' slabs, and where the server has two ranks each has one of them.
        bounds = kernel.run("answer = list(field.GetDataInformation().GetBounds())")
        assert bounds == [0, 23, 0, 23, 0, 23]
        kernel.run("pieces = ProcessIdScalars(Input=field); pieces.UpdatePipeline()")
        ranks = kernel.run("answer = session.server.ranks if session.server else 1")
        assert kernel.run("answer = pieces.PointData['ProcessId'].GetRange()") == [0.0, ranks - 1.0]

        kernel.run("sim.add('Contour', 'skin', of='input', ContourBy=['POINTS', 'V'], Isosurfaces=[0.1])")
        kernel.run("skin = sim.extract('skin')")
        cells = "skin.UpdatePipeline(); answer = skin.GetDataInformation().GetNumberOfCells()"
        assert kernel.run(cells) > 100
        kernel.run("sim.change('skin', Isosurfaces=[2.0])")
        until(lambda: kernel.run(cells) == 0)
        kernel.run("sim.close()")


def test_every_step_arrives_or_is_counted(kernel: Kernel) -> None:
    with Running(2, *SMALL, "--steps", "300", "--pause", "0.005") as simulation:
        watch(kernel, simulation)
        kernel.run("field = sim.extract('input')")
        until(lambda: status(kernel)["delivered"] > 0)
        kernel.run("seen = sim.said.status")
        simulation.result()
        until(lambda: kernel.run("answer = sim.said.ended"))
        assert kernel.run("answer = sim.state") == "gray_scott.py has finished, at step 299."
        last, first = status(kernel), kernel.run("answer = seen")
        arrived = [last[name] - first[name] for name in ("delivered", "skipped")]
        assert sum(arrived) == last["step"] - first["step"]
        assert arrived[0] > 0
        # The last one that came stays to be seen.
        assert kernel.run("field.UpdatePipeline(); answer = field.GetDataInformation().GetNumberOfPoints()") >= 24**3
        kernel.run("sim.close()")


def test_a_pause_holds_steps_are_exact_and_so_is_a_goal(kernel: Kernel) -> None:
    with Running(2, *LONG) as simulation:
        watch(kernel, simulation)
        kernel.run("field = sim.extract('input'); sim.pause()")
        stands = step(kernel)
        # What is asked for meanwhile is shown, and moves nothing.
        kernel.run("import time; time.sleep(1.0); field.UpdatePipeline()")
        assert step(kernel) == stands
        assert kernel.run("answer = sim.state") == f"gray_scott.py stands at step {stands}. You have paused it."
        for number in range(1, 6):
            assert kernel.run("answer = sim.step()") == stands + number
        assert kernel.run("answer = sim.step(10)") == stands + 15
        goal = stands + 60
        assert kernel.run(f"answer = sim.run_until(step={goal})") == goal
        # Its time is the number of its step.
        assert kernel.run(f"answer = sim.run_until(time={goal + 20.5})") == goal + 21
        wrong, message = kernel.attempt(f"sim.run_until(step={goal})").wrong or ("", "")
        assert (wrong, message) == ("SimulationError", f"Step {goal} is over: it is at step {goal + 21}.")
        kernel.run("sim.resume()")
        until(lambda: step(kernel) > goal + 30)
        kernel.run("sim.close()")


@ONE
def test_it_stands_where_a_condition_comes_true(kernel: Kernel) -> None:
    with Running(2, *LONG) as simulation:
        watch(kernel, simulation)
        kernel.run("sim.follow('max(V)', 'mean(U)')")
        goal = step(kernel) + 50
        kernel.run(f"first = sim.when('max(V) > 0.01 and step >= {goal}')")
        until(lambda: kernel.run("answer = sim.paused"))
        assert step(kernel) == goal
        steps, times, values = kernel.run("answer = sim.history('max(V)')")
        assert steps == list(range(steps[0], goal + 1))
        assert times == [float(number) for number in steps]
        assert all(value > 0.01 for value in values)
        # The same number as ParaView has of it.
        kernel.run("field = sim.extract('input')")
        assert kernel.run("answer = field.PointData['V'].GetRange()[1]") == pytest.approx(values[-1], rel=1e-6)
        wrong, message = kernel.attempt("sim.when('os.getcwd() > 1')").wrong or ("", "")
        assert wrong == "SimulationError"
        assert "has no place in a condition" in message
        kernel.run("sim.close()")


def test_a_change_at_a_step_gives_what_a_run_with_the_same_change_gives(kernel: Kernel, tmp_path: Path) -> None:
    steps = (*SMALL, "--steps", "400")
    with Running(2, *steps, "--pause", "0.01", "--log", "changes.jsonl") as simulation:
        watch(kernel, simulation)
        kernel.run("field = sim.extract('input')")
        at = step(kernel) + 40
        kernel.run(f"sim.set({at}, F=0.055)")
        until(lambda: len(kernel.run("answer = sim.log")) == 1)
        kernel.run("sim.set(F=0.03, k=0.061)")
        log = kernel.run("answer = sim.log")
        assert [(one["name"], one["old"], one["new"]) for one in log] == [
            ("F", 0.04, 0.055), ("F", 0.055, 0.03), ("k", 0.06, 0.061),
        ]  # fmt: skip
        assert log[0]["step"] == at
        assert all("@" in one["who"] for one in log)
        assert kernel.run("answer = sim.parameters") == {"F": 0.03, "k": 0.061}
        saved = tmp_path / "saved.jsonl"
        kernel.run(f"sim.save_log({str(saved)!r})")
        steered = simulation.result()
        written = [json.loads(line) for line in (simulation.folder / "changes.jsonl").read_text().splitlines()]
        assert [{name: one[name] for name in log[0]} for one in written] == log
        kernel.run("sim.close()")
    replayed = undisturbed(2, *steps, "--replay", str(saved))
    assert np.array_equal(steered, replayed)
    assert not np.array_equal(steered, undisturbed(2, *steps))


@ONE
def test_what_is_out_of_range_is_refused_here_and_does_not_leave(kernel: Kernel) -> None:
    with Running(2, *LONG) as simulation:
        watch(kernel, simulation)
        for wrong, said in (
            ("F=0.2", "F = 0.2 is out of its range from 0 to 0.1."),
            ("F=float('nan')", "F is a number from 0 to 0.1, not nan."),
            ("F='0.05'", "F is a number from 0 to 0.1, not '0.05'."),
            ("G=0.05", "The simulation has no parameter 'G'. It has F, k."),
        ):
            raised = kernel.attempt(f"sim.set({wrong})").wrong
            assert raised == ("SimulationError", said)
        assert kernel.run("answer = sim.set(None, True, F=0.05)") == {"F": 0.05}
        assert kernel.run("answer = sim.log") == []
        # One that gets past the notebook's check is refused by the simulation.
        kernel.run("sim._linked(); number = sim._orders.number(); session.desk.insitu_steer(number, -1, {'F': 0.2})")
        until(lambda: kernel.run("sim.said; answer = sim._follower.answer(number)"))
        assert (
            kernel.run("answer = sim._follower.answer(number)")["why"] == "F = 0.2 is out of its range from 0 to 0.1."
        )
        assert kernel.run("answer = sim.parameters")["F"] == 0.04
        kernel.run("sim.close()")


@ONE
def test_a_view_shows_each_step_and_is_turned_meanwhile(kernel: Kernel) -> None:
    with Running(2, *LONG) as simulation:
        watch(kernel, simulation)
        kernel.run("sim.add('Contour', 'skin', of='input', ContourBy=['POINTS', 'V'], Isosurfaces=[0.1])")
        view = kernel.run("widget = sim.view('skin'); answer = widget.view")
        with Watcher(kernel.socket(), view, 320, 240) as watcher:
            watcher.until(lambda: len(watcher.frames) > 5)
            before = len(watcher.frames)
            watcher.drag([(160, 120), (180, 130), (200, 140)])
            watcher.until(lambda: len(watcher.frames) > before + 5)
            kernel.run("sim.pause()")
            first = watcher.still()
            kernel.run("sim.run_until(step=sim.step_number + 100)")
            second = watcher.still(first.id)
            assert difference(pixels(first.data), pixels(second.data)) != ""
        kernel.run("sim.close()")


@ONE
def test_whoever_watches_no_more_costs_it_nothing_and_may_come_again(kernel: Kernel) -> None:
    with Running(2, *LONG) as simulation:
        watch(kernel, simulation)
        kernel.run("field = sim.extract('input'); sim.pause(); sim.close()")
        # A pause is over with the one who asked for it.
        watch(kernel, simulation)
        until(lambda: not kernel.run("answer = sim.paused"), 20)
        kernel.run("field = sim.extract('input')")
        assert kernel.run("answer = field.GetDataInformation().GetNumberOfPoints()") >= 24**3
        kernel.run("sim.close()")
