"""What the programs of a measurement cost, by what their command lines tell of them."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

# The measuring itself has a part in it, and on few cores a large one: Playwright hears of every message of a page.
MEASURING = "measuring"
KINDS = {
    "engine": "pvlink/engine",
    "streamer": "pvlink.streamer",
    "kernel": "ipykernel",
    "Xvfb": "Xvfb",
    "JupyterLab": "jupyter",
    MEASURING: "playwright/driver",
    "browser": "chrom",
}


def running() -> Iterator[tuple[str, psutil.Process]]:
    me = psutil.Process()
    yield MEASURING, me
    for process in me.children(recursive=True):
        try:
            words = " ".join(process.cmdline())
        except psutil.Error:
            continue
        kind = next((name for name, mark in KINDS.items() if mark in words), None)
        if kind is not None:
            yield kind, process


def spent() -> dict[str, float]:
    """Seconds of processor time so far, by kind."""
    found: dict[str, float] = {}
    for kind, process in running():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        found[kind] = found.get(kind, 0.0) + times.user + times.system
    return found


def memory() -> dict[str, float]:
    """Megabytes that each kind has for itself."""
    found: dict[str, float] = {}
    for kind, process in running():
        try:
            found[kind] = found.get(kind, 0.0) + process.memory_full_info().uss / 1e6
        except psutil.Error:
            continue
    return found
