"""How long it takes until there is a session, and until there is a picture."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks.figures import Figure, lower
from benchmarks.scenes import LIGHT
from tests.integration.interpreter import Display, Kernel, plain
from tests.integration.watcher import Watcher

SIZE = (960, 480)
TIMED = "import time; began = time.perf_counter(); {code}; answer = time.perf_counter() - began"
IMPORT = "import sys, time; print(time.time()); import paraview.simple; print(time.time()); sys.stdout.flush()"
LINES = "; ".join(LIGHT.strip().splitlines()[1:])


def figures(runs: int) -> Iterator[Figure]:
    found: dict[str, list[float]] = {}

    def note(name: str, seconds: float) -> None:
        found.setdefault(name, []).append(seconds)

    for _ in range(runs):
        for name, seconds in _parts():
            note(name, seconds)
        _session(note)
        with Display() as display, plain(display) as bare:
            note("plain pipeline", bare.run(TIMED.format(code=LINES)))
    floor = [a + b for a, b in zip(found["python"], found["import"], strict=True)]
    yield lower("pvlink.start() to ready (floor: pvpython imports paraview.simple)", "s", found["start"], floor)
    yield lower("start(), part: pvpython runs its first line", "s", found["python"])
    yield lower("start(), part: paraview.simple is imported", "s", found["import"])
    yield lower("start(), beside it: Xvfb is ready", "s", found["xvfb"])
    yield lower("start(), beside it: the streamer's modules are imported", "s", found["streamer"])
    yield lower("start(), before it: import pvlink", "s", found["pvlink"])
    yield lower("from paraview.simple import * (the mirror), once a session", "s", found["mirror"])
    yield lower("the contour's lines (floor: plain pvpython)", "s", found["pipeline"], found["plain pipeline"])
    yield lower("display() returns, its picture in the message", "s", found["display"])
    yield lower("display() to the first live frame at a viewer", "s", found["frame"])
    yield lower("part of it: render, with the GL context, and readback", "ms", found["render_ms"])
    yield lower("a second display() of the same view returns", "s", found["again"])
    yield lower("Session.stop()", "s", found["stop"])


def _parts() -> Iterator[tuple[str, float]]:
    """Each part by itself."""
    began = time.perf_counter()
    with Display():
        yield "xvfb", time.perf_counter() - began
    began = time.time()
    command = ["pvpython", "--no-mpi", "-c", IMPORT]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"HWLOC_COMPONENTS": "-gl"}
    ).stdout.split()
    first, imported = map(float, said[-2:])
    yield "python", first - began
    yield "import", imported - first
    began = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", "import pvlink.streamer.hub, pvlink.streamer.control_port"], check=True)
    yield "streamer", time.perf_counter() - began


def _session(note: Callable[[str, float], None]) -> None:
    with Kernel() as kernel:
        note("pvlink", kernel.run(TIMED.format(code="import pvlink.api")))
        note("start", kernel.run(TIMED.format(code="session = pvlink.start()")))
        note("mirror", kernel.run(TIMED.format(code="import paraview.simple")))
        kernel.run("from paraview.simple import *\nfrom IPython.display import display")
        note("pipeline", kernel.run(TIMED.format(code=LINES)))
        socket = kernel.socket()
        began = time.perf_counter()
        note("display", kernel.run(TIMED.format(code="display(GetActiveView())")))
        view = kernel.run("answer = session.view_id(GetActiveView())")
        with Watcher(socket, view, *SIZE) as viewer:
            viewer.until(lambda: viewer.frames)
            note("frame", time.perf_counter() - began)
            note("render_ms", viewer.frames[0].render_ms + viewer.frames[0].readback_ms)
        note("again", kernel.run(TIMED.format(code="display(GetActiveView())")))
        note("stop", kernel.run(TIMED.format(code="pvlink.stop()")))
