"""What a measurement is: a name, one number in its unit, the floor beside it, and how it was got."""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pvlink.version import __version__

FOLDER = Path(__file__).parent
HEAD = """\
# Measurements

Medians of runs that alternate with their floor in one session: the ratio to the floor is what counts, for the absolute
figures are as noisy as the machine. Repeat with `make bench` (or `make bench-quick`), which writes this file and
`results.json`.

"""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    unit: str
    value: float
    better: Literal["higher", "lower"]
    # The same without pvlink: what no program of this kind can beat.
    floor: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    runs: list[float] = field(default_factory=list)


def lower(
    name: str, unit: str, runs: Sequence[float], floor: Sequence[float] = (), peers: Mapping[str, float] | None = None
) -> Figure:
    """The median of a duration."""
    return replace(_figure(name, unit, runs, "lower", floor), peers=dict(peers or {}))


def higher(
    name: str, unit: str, runs: Sequence[float], floor: Sequence[float] = (), peers: Mapping[str, float] | None = None
) -> Figure:
    """The median of a rate."""
    return replace(_figure(name, unit, runs, "higher", floor), peers=dict(peers or {}))


def ratio(name: str, of: Sequence[float], to: Sequence[float], better: Literal["higher", "lower"]) -> Figure:
    """The median of quotients of neighbouring runs; the floor is 1."""
    quotients = [a / b for a, b in zip(of, to, strict=True)]
    return _figure(name, "ratio", quotients, better, [1.0])


def _figure(
    name: str, unit: str, runs: Sequence[float], better: Literal["higher", "lower"], floor: Sequence[float]
) -> Figure:
    digits = [float(f"{run:.4g}") for run in runs]
    bottom = float(f"{statistics.median(floor):.4g}") if floor else None
    return Figure(name, unit, statistics.median(digits), better, bottom, {}, digits)


def beside_others(found: Sequence[Figure]) -> list[Figure]:
    """These, and what was measured before of other names."""
    names = {figure.name for figure in found}
    former = [Figure(**line) for line in json.loads((FOLDER / "results.json").read_text())]
    return [*(figure for figure in former if figure.name not in names), *found]


def write(figures: Iterable[Figure]) -> None:
    found = list(figures)
    (FOLDER / "results.json").write_text(json.dumps([asdict(figure) for figure in found], indent=1) + "\n")
    rows = ["| what | median | floor | to the floor | others | runs |", "|---|---|---|---|---|---|"]
    rows += [_row(figure) for figure in found]
    (FOLDER / "RESULTS.md").write_text(HEAD + _machine() + "\n\n" + "\n".join(rows) + "\n")


def _row(figure: Figure) -> str:
    floor = "" if figure.floor is None else f"{figure.floor:g}"
    share = "" if not figure.floor or figure.unit == "ratio" else f"{figure.value / figure.floor:.2f}"
    spread = f"{len(figure.runs)}: {min(figure.runs):g} to {max(figure.runs):g}" if figure.runs else ""
    arrow = "↑" if figure.better == "higher" else "↓"
    others = ", ".join(f"{name} {value:g}" for name, value in figure.peers.items())
    return f"| {figure.name} {arrow} | {figure.value:g} {figure.unit} | {floor} | {share} | {others} | {spread} |"


def _number(text: str) -> str:
    found = re.search(r"\d+\.\d+\.\d+", text)
    return found[0] if found else "unknown"


def _machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    paraview = subprocess.run(["pvpython", "--version"], capture_output=True, text=True, check=False)
    versions = {
        "pvlink": __version__,
        "ParaView": _number(paraview.stdout + paraview.stderr),
        "Python": platform.python_version(),
        "simplejpeg": version("simplejpeg"),
        "rpyc": version("rpyc"),
    }
    load = os.getloadavg()[0]
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores of {cpu}, no GPU (Mesa llvmpipe), "
        f"{platform.freedesktop_os_release()['PRETTY_NAME']}, load at the end {load:.1f}; "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + "."
    )
