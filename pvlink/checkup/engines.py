"""Which ParaView there is, and whether it starts and draws: tried for real, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pvlink import pvpython
from pvlink.checkup.bounds import Said, program
from pvlink.checkup.causes import explain
from pvlink.checkup.displays import Display
from pvlink.checkup.findings import Facts, Finding, Level
from pvlink.errors import PvlinkError

# A picture of one flat colour has fewer different bytes.
FEWEST_VALUES = 8
# Renderers that are a program on the CPU.
_SOFTWARE = re.compile(r"llvmpipe|softpipe|swrast|SWR|software|OSMesa|lavapipe", re.IGNORECASE)
_WAYS = {"X": "an X display", "EGL": "EGL (no display needed)", "OSOpenGL": "OSMesa (no display needed)"}


@dataclass(frozen=True)
class Trial:
    """What came of starting pvlink as a user would."""

    seconds: float = 0.0
    # Empty while it has not started.
    about: dict[str, Any] = field(default_factory=dict)
    # Empty while nothing was drawn.
    drawn: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    # It had to be ended.
    hung: bool = False


def attempt(patience: float, *, own_sockets: bool) -> Trial:
    """`own_sockets`: in a directory for this trial, where the usual one is out of order, which is told already."""
    with contextlib.ExitStack() as stack:
        env = dict(os.environ)
        if own_sockets:
            env["PVLINK_RUNTIME_DIR"] = stack.enter_context(_directory())
        report = os.memfd_create("doctor-trial")
        stack.callback(os.close, report)
        said = program([sys.executable, "-P", "-m", "pvlink.trial"], patience, env, report=report)
        lines = os.pread(report, 1 << 20, 0).decode(errors="replace").splitlines()
    return read(lines, said)


def _directory() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="pvl-")
    except OSError:
        # What is wrong may be wrong with all of /tmp.
        return tempfile.TemporaryDirectory(prefix="pvl-", dir="/dev/shm")  # nosec B108 - mkdtemp makes one in it, 0700


def read(lines: list[str], said: Said) -> Trial:
    """From what the trial reported, and how it ended."""
    stages = {facts.pop("stage"): facts for facts in map(json.loads, lines)}
    started, failed = stages.get("started", {}), stages.get("failed", {})
    error = failed.get("message", "")
    if not error and "drawn" not in stages and said.code is not None:
        error = said.err or f"the trial ended with exit code {said.code}"
    return Trial(
        started.get("seconds", 0.0), started.get("about", {}), stages.get("drawn", {}), error, hung=said.code is None
    )


def which() -> Iterator[Finding]:
    """What would be taken to draw, and what would not."""
    inside = {root for root in ("paraview", "vtkmodules") if PathFinder.find_spec(root) is not None}
    facts: Facts = {"vtk_here": _version_of("vtk"), "paraview_here": "paraview" in inside}
    try:
        found = pvpython.find()
    except PvlinkError as error:
        sentence, _, way = str(error).partition(" Install it")
        unset = (
            f"Set {pvpython.VARIABLE} to a pvpython that exists, or `unset {pvpython.VARIABLE}` to let pvlink look for "
            "one; then restart the kernel."
        )
        yield Finding("paraview", "problem", sentence, f"Install it{way}" if way else unset, facts)
        return
    facts |= {"path": str(found.path), "why": found.why, "kind": found.kind}
    if found.kind == "vtk":
        sentence = (
            f"VTK {facts['vtk_here'] or ''} of this environment draws ({found.why}): VTK's objects, not ParaView's"
        )
        cure = "For ParaView's readers and filters install ParaView, or load its module before Jupyter starts."
        yield Finding("paraview", "note", sentence, cure, facts)
    else:
        yield Finding("paraview", "ok", f"ParaView found: {found.path} ({found.why})", facts=facts)
    if found.others:
        yield Finding(
            "other-paraviews",
            "note",
            f"Also there, not taken: {', '.join(map(str, found.others))}",
            "Choose with `pvlink.start(pvpython=...)`.",
            {"paths": [str(one) for one in found.others]},
        )


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def verdict(trial: Trial, path: str, display: Display, patience: float) -> Iterator[Finding]:
    """What the trial means, in the words of who asked."""
    facts: Facts = {"seconds": round(trial.seconds, 2), **{key: str(value) for key, value in trial.about.items()}}
    if not trial.about:
        cause, sentence, cure = _why(trial, path, display, patience)
        yield Finding("start", "problem", sentence, cure, {"cause": cause, "said": trial.error[-1500:]})
        return
    kind = str(trial.about["name"])
    sentence = f"{kind} (Python {trial.about.get('python', '?')}) starts in {trial.seconds:.1f} s"
    yield Finding("start", "ok", sentence, facts=facts)
    if not trial.drawn:
        took = f"gave no picture in {patience:.0f} s" if trial.hung else f"could not draw: {trial.error}"
        yield Finding(
            "picture",
            "problem",
            f"{kind} started and {took}",
            "Often the graphics driver: try `pvlink.start(display='own')`, which draws on the CPU. If that works, "
            "tell your administrator that OpenGL does not work here.",
            {"said": trial.error[-1500:]},
        )
        return
    yield from _drawing(trial, kind)


def _drawing(trial: Trial, kind: str) -> Iterator[Finding]:
    renderer: dict[str, str] = trial.drawn["renderer"]
    if trial.drawn["values"] < FEWEST_VALUES:
        yield Finding(
            "picture",
            "problem",
            f"{kind} draws, but the picture of a sphere is of one colour only",
            "The graphics driver gives wrong pictures: try `pvlink.start(display='own')`, which draws on the CPU.",
            dict(renderer),
        )
    else:
        seconds = trial.drawn["seconds"]
        yield Finding(
            "picture",
            "ok",
            f"It draws: first picture after {seconds:.2f} s; a question to it takes {trial.drawn['engine_ms']:.1f} ms, "
            f"one to the process that sends pictures {trial.drawn['streamer_ms']:.1f} ms",
            facts={
                "seconds": round(seconds, 3),
                "engine_ms": round(trial.drawn["engine_ms"], 2),
                "streamer_ms": round(trial.drawn["streamer_ms"], 2),
            },
        )
    yield graphics(renderer)


def graphics(renderer: dict[str, str]) -> Finding:
    """GPU or not, and through what."""
    window = renderer.get("window", "")
    # vtkXOpenGLRenderWindow, vtkEGLRenderWindow, vtkOSOpenGLRenderWindow
    way = next((said for key, said in _WAYS.items() if re.match(rf"vtk{key}(OpenGL)?RenderWindow", window)), window)
    name = renderer.get("renderer") or "an unknown renderer"
    if _SOFTWARE.search(name):
        return Finding(
            "graphics",
            "note",
            f"Drawn on the CPU: {name}, through {way}. Right, and slower than on a GPU",
            "Nothing, if the view is quick enough. On a machine with an NVIDIA GPU take a ParaView built for EGL, and "
            "ask for the GPU in the job (Slurm: --gres=gpu:1).",
            {**renderer, "gpu": False},
        )
    vendor = renderer.get("vendor", "")
    return Finding("graphics", "ok", f"Drawn by {name} ({vendor}), through {way}", facts={**renderer, "gpu": True})


def _why(trial: Trial, path: str, display: Display, patience: float) -> tuple[str, str, str]:
    """Cause, sentence and cure for one that did not start."""
    if trial.hung:
        if display.state == "hangs":
            return (
                "display",
                f"{path} does not start: the display {display.name} takes calls and does not answer.",
                "`unset DISPLAY` before Jupyter starts, or `pvlink.start(display='own')`; or end that X server.",
            )
        return (
            "silent",
            f"{path} was started and gave no answer in {patience:.0f} s.",
            (
                f"Try `{path} --version` in a terminal: if that hangs too, the disk it is on or its module does. On a "
                "cold disk the first start takes a minute: look again with `pvlink doctor --patience 180`."
            ),
        )
    return explain(path, trial.error)


def screen(display: Display, trial: Trial | None) -> Finding:
    """Where it draws, and what is wrong with DISPLAY; a problem only where nothing could be drawn because of it."""
    facts: Facts = {
        "display": display.name,
        "state": display.state,
        "xvfb": display.xvfb,
        "x11_unix_writable": not display.blocked,
    }
    used = str(trial.about.get("screen", "")) if trial is not None else ""
    level: Level = "note"
    if trial is not None and not trial.about and _why(trial, "", display, 0)[0] == "display":
        level = "problem"
    states = {
        "none": "There is no X display (DISPLAY is not set)",
        "answers": f"The X display {display.name} answers",
        "locked": f"The X display {display.name} is alive; it lets in who has its key",
        "dead": f"DISPLAY is {display.name}, but no X server answers there",
        "hangs": f"DISPLAY is {display.name}, and that X server takes calls and does not answer",
        "far": f"DISPLAY is {display.name}, a screen of another machine: too slow to draw on, pvlink does not use it",
    }
    sentence = states[display.state] + _where(used)
    cures = []
    if display.state in ("dead", "hangs"):
        cures.append("`unset DISPLAY` before you start Jupyter.")
    if display.xvfb is None and not used.startswith("display"):
        sentence += "; Xvfb is not installed"
        cures.append("A ParaView without EGL or OSMesa needs Xvfb: `sudo apt-get install xvfb`.")
    if display.blocked and display.xvfb is not None:
        sentence += "; /tmp/.X11-unix cannot be written, so that an X server of your own may not start"
        cures.append("Ask the administrator for `mkdir -m 1777 /tmp/.X11-unix`.")
    if level == "note" and not cures:
        return Finding("display", "ok", sentence, facts=facts)
    return Finding("display", "problem" if level == "problem" else "note", sentence, " ".join(cures), facts)


def _where(used: str) -> str:
    """What the engine has said of its screen, in half a sentence."""
    if used.startswith("no display"):
        return f"; none is needed{used.removeprefix('no display')}"
    return f"; pvlink draws on {used}" if used else ""
