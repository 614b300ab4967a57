"""From a laptop to a cluster: how long until there is a picture, and what crosses the network with ParaView at home and
in the job. A real Slurm, real sshd, five hosts that are namespaces of this machine; nothing slows their network.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, higher, lower, ratio
from benchmarks.frames import drag
from benchmarks.scenes import LIGHT, SIZE
from tests.cluster.network import Network
from tests.cluster.test_ssh import cluster, laptop
from tests.cluster.test_there import ENGINE
from tests.integration.interpreter import Interpreter
from tests.integration.watcher import Watcher

LAUNCH = "import os, pvlink\njob = pvlink.launch('far', ranks=1, time='30:00')"
THERE = "session = pvlink.start(on=job)\nfrom paraview.simple import *"
HERE = "session = pvlink.start()\nfrom paraview.simple import *\nsession.connect(job)"
PLACE = "answer = os.environ['PVLINK_RUNTIME_DIR'], session.id, widget.view"


def figures(runs: int, seconds: float) -> Iterator[Figure]:
    parts: dict[str, list[float]] = {name: [] for name in ("handed in", "ready", "connected", "first frame")}
    crossed: dict[str, list[float]] = {"there": [], "here": []}
    rates: dict[str, list[float]] = {"there": [], "here": []}
    with cluster() as net:
        for _ in range(runs):
            for where, start in (("there", THERE), ("here", HERE)):
                with laptop(net, more=ENGINE) as kernel:
                    began = time.monotonic()
                    kernel.run(LAUNCH)
                    marks = [time.monotonic()]
                    kernel.run("job.wait()")
                    marks.append(time.monotonic())
                    kernel.run(start)
                    marks.append(time.monotonic())
                    kernel.run(f"view = CreateRenderView()\n{LIGHT}\nwidget = pvlink.show(view)")
                    with _watcher(kernel) as viewer:
                        viewer.until(lambda viewer=viewer: viewer.frames)  # type: ignore[misc]
                        marks.append(time.monotonic())
                        viewer.still()
                        drag(viewer, 0.5)
                        viewer.quiet()
                        before, at = _bytes(net), time.monotonic()
                        rates[where].append(drag(viewer, seconds).rate)
                        crossed[where].append((_bytes(net) - before) / (time.monotonic() - at) * 60 / 1e6)
                    if where == "there":
                        for name, since, until in zip(parts, [began, *marks], marks, strict=False):
                            parts[name].append(until - since)
                    kernel.run("job.cancel()")
    total = [sum(each) for each in zip(*parts.values(), strict=True)]
    yield lower("cluster_launch_to_first_frame_s", "s", total)
    for name, took in parts.items():
        yield lower(f"cluster_launch_to_first_frame_s, part: {name}", "s", took)
    yield lower("ssh_mb_per_dragged_minute_720p, ParaView in the job (floor: at home)", "MB", *_of(crossed))
    yield ratio("ssh_mb_per_dragged_minute_720p, in the job to at home", *_of(crossed), "lower")
    yield higher("cluster_drag_720p_fps, ParaView in the job (floor: at home)", "1/s", *_of(rates))


def _of(both: dict[str, list[float]]) -> tuple[list[float], list[float]]:
    return both["there"], both["here"]


def _watcher(kernel: Interpreter) -> Watcher:
    folder, session, view = kernel.run(PLACE)
    return Watcher(Path(folder) / f"{session}.sock", view, *SIZE)


def _bytes(net: Network) -> int:
    """What the laptop's cable has carried, both ways."""
    said = net.laptop.run("cat", "/proc/net/dev").splitlines()
    line = next(line for line in said if line.strip().startswith("outside:"))
    numbers = line.partition(":")[2].split()
    return int(numbers[0]) + int(numbers[8])
