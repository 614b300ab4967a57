"""What it costs a simulation to be watched: the time of a step with nobody there, with somebody who looks at its state,
and with a live view of a surface that is computed in it. One rank, so that ParaView has the other core.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.figures import Figure, higher, lower, ratio
from tests.insitu.running import Running
from tests.integration.household import until
from tests.integration.interpreter import Kernel
from tests.integration.watcher import Watcher

# A step of 64 cubed takes some 13 ms on one core.
STEPS = ("--size", "64", "--steps", "500")
SKIN = (
    "sim.add('Contour', 'skin', of='input', ContourBy=['POINTS', 'V'], Isosurfaces=[0.1])\n"
    "widget = sim.view('skin'); answer = widget.view"
)


def figures(runs: int) -> Iterator[Figure]:
    took: dict[str, list[float]] = {"nobody": [], "idle": [], "view": []}
    shown: list[float] = []
    beyond: list[float] = []
    for _ in range(runs):
        for mode, each in took.items():
            each.append(_run(mode, shown, beyond))
    yield lower("insitu_step_ms, nobody there", "ms", took["nobody"])
    yield lower("insitu_step_ms, an idle monitor (floor: nobody there)", "ms", took["idle"], took["nobody"])
    yield ratio("insitu_step, an idle monitor to nobody", took["idle"], took["nobody"], "lower")
    yield lower("insitu_step_ms, a live view of a contour (floor: nobody there)", "ms", took["view"], took["nobody"])
    yield ratio("insitu_step, a live view to nobody", took["view"], took["nobody"], "lower")
    yield ratio("insitu_step, a live view without the surface itself to nobody", beyond, took["nobody"], "lower")
    yield higher("insitu_steps_shown, a live view", "1/s", shown)


def _run(mode: str, shown: list[float], beyond: list[float]) -> float:
    """Milliseconds of a step."""
    if mode == "nobody":
        with Running(1, *STEPS) as alone:
            return _step(alone)
    with Kernel.started() as kernel, Running(1, *STEPS) as simulation:
        kernel.run(f"sim = session.monitor({simulation.live!r})")
        until(lambda: kernel.run("answer = sim.step_number") >= 0)
        if mode == "idle":
            return _step(simulation)
        with Watcher(kernel.socket(), kernel.run(SKIN), 640, 480) as watcher:
            took = _step(simulation)
            status = kernel.run("answer = sim.said.status")
            shown.append(status["delivered"] / (took * int(STEPS[3]) / 1e3))
            beyond.append(took - status["own"] / int(STEPS[3]) * 1e3)
            assert watcher.frames
            return took


def _step(simulation: Running) -> float:
    simulation.ended(120)
    found = re.search(r"(\d+) steps in ([0-9.]+) s", simulation.said())
    assert found is not None, simulation.said()
    return float(found[2]) / int(found[1]) * 1e3
