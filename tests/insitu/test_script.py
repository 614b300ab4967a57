"""A Catalyst script from the pipeline of the notebook, run by a code that knows nothing of pvlink."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.insitu.running import Running, needs_simulation
from tests.integration.household import until
from tests.integration.interpreter import Kernel
from tests.servers.pvservers import free_ports

pytestmark = needs_simulation

ADAPTOR = Path(__file__).with_name("adaptor.py")
PIPELINE = """
field = sim.extract("input")
skin = Contour(registrationName="skin", Input=field, ContourBy=["POINTS", "V"], Isosurfaces=[0.2])
view = CreateView("RenderView"); view.ViewSize = [200, 150]
Show(skin, view)
saved = CreateExtractor("VTP", skin, registrationName="saved")
saved.Writer.FileName = "skin_{timestep:06d}.pvtp"
saved.Trigger.Frequency = 20
"""


def test_what_was_built_in_the_notebook_runs_in_the_simulation(tmp_path: Path) -> None:
    script = tmp_path / "pipeline.py"
    live = f"localhost:{free_ports(1)[0]}"
    with Kernel.started() as kernel:
        with Running(2, "--size", "24", "--steps", "100000", "--pause", "0.02", live=live) as simulation:
            kernel.run(f"sim = session.monitor({live!r})")
            until(lambda: kernel.run("answer = sim.step_number") > 1)
            kernel.run(PIPELINE)
            text = kernel.run(f"answer = sim.script({str(script)!r})")
        assert text.startswith("# script-version: 2.0")
        assert "skin.Isosurfaces = [0.2]" in text
        assert "'F': {'range': (0.0, 0.1), 'start': 0.04" in text
        until(lambda: not kernel.run("answer = sim.said.there"))

        with Running(2, "--script", str(script), live=live, program=ADAPTOR) as simulation:
            until(lambda: "adaptor.py runs" in kernel.run("answer = sim.state"))
            assert {"input", "skin"} <= set(kernel.run("sim._linked(); answer = list(sim.sources)"))
            kernel.run("made = sim.extract('skin'); sim.follow('max(V)'); sim.pause()")
            assert kernel.run("answer = made.GetDataInformation().GetNumberOfCells()") > 100
            stands = kernel.run("answer = sim.step_number")
            assert kernel.run("answer = sim.step(5)") == stands + 5
            steps, times, values = kernel.run("answer = sim.history('max(V)')")
            assert times[-1] == steps[-1] * 0.5
            assert values[-1] == pytest.approx(steps[-1] * 0.1)
            kernel.run("sim.resume()")
            simulation.result()
            until(lambda: "has finished" in kernel.run("answer = sim.state"), 5)
            # What the extractor was to write, it has written.
            assert list((simulation.folder / "extracts").glob("skin_*.pvtp")) != []
