"""`make bench`: measures everything, writes results.json and RESULTS.md beside this file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import (
    card,
    cell,
    cluster,
    crowd,
    data,
    drags,
    figures,
    frames,
    idle,
    insitu,
    links,
    mirror,
    path,
    servers,
    sizes,
    starting,
    ways,
)

PARTS = (
    "starting",
    "cell",
    "mirror",
    "frames",
    "ways",
    "data",
    "servers",
    "cluster",
    "insitu",
    "path",
    "links",
    "crowd",
    "drags",
    "idle",
    "card",
    "sizes",
)
# What a quick run is for: whether a change has made the stream faster or slower.
QUICK = ("path", "links", "crowd", "drags", "sizes")


def measured(parts: list[str], *, quick: bool, runs: int = 0) -> Iterator[figures.Figure]:
    usual, times, seconds = (3, 500, 1.5) if quick else (7, 3000, 4.0)
    runs = runs or usual
    if "starting" in parts:
        yield from starting.figures(runs)
    if "cell" in parts:
        yield from cell.figures(runs)
    if "mirror" in parts:
        yield from mirror.figures(max(runs, 5), times)
    if "frames" in parts:
        yield from frames.figures(runs, seconds)
    if "ways" in parts:
        yield from ways.figures(runs)
    if "data" in parts:
        yield from data.figures(runs)
    if "servers" in parts:
        yield from servers.figures(runs, seconds)
    if "cluster" in parts:
        yield from cluster.figures(max(1, runs // 2), seconds)
    if "insitu" in parts:
        yield from insitu.figures(runs)
    if "path" in parts:
        yield from path.figures(runs, seconds)
    if "links" in parts:
        yield from links.figures(runs, seconds)
    if "crowd" in parts:
        yield from crowd.figures(runs, seconds)
    if "drags" in parts:
        yield from drags.figures(runs, seconds, quick=quick)
    if "idle" in parts:
        yield from idle.figures(15.0 if quick else 60.0)
    if "card" in parts:
        yield from card.figures(runs, seconds)
    if "sizes" in parts:
        yield from sizes.figures()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, of what the stream is about")
    parser.add_argument("--runs", type=int, default=0, help="so many of each, where a part repeats at all")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts; writes no file")
    parser.add_argument("--add", action="store_true", help="with --only: write these lines beside the others")
    options = parser.parse_args()
    parts = options.only or list(QUICK if options.quick else PARTS)
    found = []
    for figure in measured(parts, quick=options.quick, runs=options.runs):
        floor = "" if figure.floor is None else f"   floor {figure.floor:g}"
        print(f"{figure.name}: {figure.value:g} {figure.unit}{floor}", flush=True)
        found.append(figure)
    if set(parts) == set(PARTS):
        figures.write(found)
    elif options.add or not options.only:
        figures.write(figures.beside_others(found))


main()
