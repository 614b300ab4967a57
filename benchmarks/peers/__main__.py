"""`python -m benchmarks.peers`: measures each of them by itself, prints a table, keeps a picture of each page."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from collections.abc import Sequence

from playwright.sync_api import sync_playwright

from benchmarks.peers import environments, hand
from benchmarks.peers.contours import CONTOURS
from benchmarks.peers.family import PEERS
from tests.browser.conftest import BROWSERS, FLAGS

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
ROW = "{:12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}"
HEAD = ("", "frames/s", "p50 ms", "p95 ms", "tail ms", "single", "KB/s", "KB/frame", "first s")


def number(values: Sequence[float], digits: int = 0) -> str:
    """Their median."""
    return f"{statistics.median(values):.{digits}f}" if values else "-"


def row(name: str, measured: hand.Measured) -> str:
    photons = sorted(measured.photons)
    late = f"{photons[int(len(photons) * 0.95)]:.0f}" if photons else "-"
    single = f"{sum(measured.single_moves)}/{len(measured.single_moves)}"
    sizes = [bytes_ / rate / 1e3 for bytes_, rate in zip(measured.bytes_per_s, measured.rates, strict=True) if rate]
    return ROW.format(
        name,
        number(measured.rates, 1),
        number(photons),
        late,
        number(measured.tails),
        single,
        number([each / 1e3 for each in measured.bytes_per_s]),
        number(sizes),
        number(measured.firsts, 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--peer", nargs="+", choices=PEERS, default=list(PEERS), help="these only")
    parser.add_argument("--scene", choices=CONTOURS, default="89k", help="how many triangles")
    parser.add_argument("--size", choices=SIZES, default="720p")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each drag")
    parser.add_argument("--pace", type=float, default=hand.MOVES_PER_SECOND, help="moves per second of drag")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(ROW.format(*HEAD), flush=True)
    found = os.environ.get("PVLINK_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(FLAGS))
        for name in options.peer:
            picture = environments.FOLDER.parent / f"{name}.png"
            measured = hand.measure(
                PEERS[name],
                browser,
                CONTOURS[options.scene],
                SIZES[options.size],
                seconds=options.seconds,
                runs=options.runs,
                pace=options.pace,
                picture=picture,
            )
            print(row(name, measured), flush=True)
        browser.close()


main()
