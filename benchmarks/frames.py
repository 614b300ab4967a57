"""Frames under a hand: how many, how late, and whether a busy kernel can stop them."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.figures import Figure, higher, lower, ratio
from benchmarks.scenes import BARE_LOOP, SCENES, SIZE
from tests.integration.interpreter import Display, Interpreter, Kernel, plain
from tests.integration.watcher import Watcher

# What a mouse sends.
MOVES_PER_SECOND = 60
# More than any frame rate: then the frames are the limit, not the hand.
RESTLESS = 240
BUSY = {
    "while True: pass": "while True: pass",
    "time.sleep": "import time; time.sleep(600)",
    "a call that holds the GIL": "import ctypes; ctypes.PyDLL(None).usleep({microseconds})",
}


@dataclass(frozen=True)
class Drag:
    """What came of a drag."""

    rate: float
    # From sending an input to the arrival of the first frame that answers it, in milliseconds.
    latencies: list[float]
    # From the end of the drag to the lossless picture.
    still: float


def drag(viewer: Watcher, seconds: float, moves: float = MOVES_PER_SECOND) -> Drag:
    """Press, circle for so long, let go, wait for the still."""
    seen = len(viewer.frames)
    began = time.monotonic()
    sent = viewer.circle(seconds, moves)
    ended = time.monotonic()
    newest = viewer.frames[-1].id
    viewer.still(newest)
    still = viewer.viewer.arrived[-1] - ended
    frames = list(zip(viewer.frames, viewer.viewer.arrived, strict=True))[seen:]
    shown = [arrived for _, arrived in frames if began <= arrived <= ended]
    answered: dict[int, float] = {}
    for frame, arrived in frames:
        answered.setdefault(frame.inputs.get(viewer.client, 0), arrived)
    latencies = [(arrived - sent[seq]) * 1e3 for seq, arrived in answered.items() if seq in sent and arrived <= ended]
    return Drag(len(shown) / (ended - began), latencies, still * 1e3)


def figures(runs: int, seconds: float) -> Iterator[Figure]:
    with Display() as display:
        for name, scene in SCENES.items():
            with plain(display) as bare, Kernel.started() as kernel:
                yield from _scene(name, scene, bare, kernel, runs, seconds)
    yield from _busy(runs, seconds)


def _scene(name: str, scene: str, bare: Interpreter, kernel: Kernel, runs: int, seconds: float) -> Iterator[Figure]:
    bare.run(scene + BARE_LOOP.format(width=SIZE[0], height=SIZE[1]))
    kernel.run(scene)
    drags, floors, most = [], [], []
    with Watcher(kernel.socket(), kernel.show(), *SIZE) as viewer:
        viewer.still()
        drag(viewer, 0.5)
        # The cell that asked for the id of the view was one, too.
        viewer.quiet()
        for _ in range(runs):
            floors.append(bare.run(f"answer = turn({seconds})"))
            most.append(drag(viewer, seconds, RESTLESS).rate)
            drags.append(drag(viewer, seconds))
        renders = [frame.render_ms + frame.readback_ms for frame in viewer.frames if not frame.still][1:]
        encodes = [frame.encode_ms for frame in viewer.frames if frame.codec == "jpeg"][1:]
    latencies = [sorted(found.latencies) for found in drags]
    label = f"{name} scene, {SIZE[1]}p"
    yield higher(f"{label}: frames/s at a viewer while dragging (floor: bare loop)", "1/s", most, floors)
    yield ratio(f"{label}: frames/s to the bare loop", most, floors, "higher")
    yield lower(f"{label}: input to frame, p50", "ms", [found[len(found) // 2] for found in latencies])
    yield lower(f"{label}: input to frame, p95", "ms", [found[int(len(found) * 0.95)] for found in latencies])
    yield lower(f"{label}: hand at rest to lossless still", "ms", [found.still for found in drags])
    yield lower(f"{label}: render and readback of a moving frame", "ms", [statistics.median(renders)])
    yield lower(f"{label}: JPEG of a moving frame", "ms", [statistics.median(encodes)])


def _spinning(runs: int, seconds: float) -> list[float]:
    """What a spinning process takes from a bare loop: a core, of which there may be two."""
    with Display() as display, plain(display) as bare:
        bare.run(SCENES["light"] + BARE_LOOP.format(width=SIZE[0], height=SIZE[1]))
        found = []
        for _ in range(runs):
            idle = bare.run(f"answer = turn({seconds})")
            spinner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            try:
                found.append(bare.run(f"answer = turn({seconds})") / idle)
            finally:
                spinner.kill()
                spinner.wait()
    return found


def _busy(runs: int, seconds: float) -> Iterator[Figure]:
    spinning = _spinning(runs, seconds)
    with Kernel.started() as kernel:
        kernel.run(SCENES["light"])
        with Watcher(kernel.socket(), kernel.show(), *SIZE) as viewer:
            viewer.still()
            drag(viewer, 1.0)
            idle: dict[str, list[float]] = {name: [] for name in BUSY}
            busy: dict[str, list[float]] = {name: [] for name in BUSY}
            for _ in range(runs):
                for name, code in BUSY.items():
                    before = drag(viewer, seconds).rate
                    kernel.begin(code.format(microseconds=int((seconds + 1.5) * 1e6)))
                    time.sleep(0.1)
                    busy[name].append(drag(viewer, seconds).rate)
                    os.kill(kernel.process.pid, signal.SIGINT)
                    kernel.said()
                    idle[name].append((before + drag(viewer, seconds).rate) / 2)
    for name in BUSY:
        figure = ratio(f"frames/s while the kernel is in {name}, to idle", busy[name], idle[name], "higher")
        if "while" in name:
            # What a spinning process takes from anybody; and the same by the name that others look for.
            figure = replace(figure, floor=statistics.median(spinning))
            yield replace(figure, name="busy_kernel_ratio")
        yield figure
