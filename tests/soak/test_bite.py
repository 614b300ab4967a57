"""The proof that the tests bite: each promise is broken once, in a copy of the tree, and its tests must turn red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 300


@dataclass(frozen=True)
class Break:
    """One promise, the line that keeps it, what breaks it, and the tests that must notice."""

    promise: str
    file: str
    keeps: str
    breaks: str
    tests: str


BREAKS = [
    Break(
        "a viewer gets no more frames than its credits",
        "pvlink/streamer/clients.py",
        "return self.window - len(self.in_flight)",
        "return self.window",
        "tests/unit/streamer/test_pacer.py",
    ),
    Break(
        "a slot is freed exactly once",
        "pvlink/streamer/pacer.py",
        "acts.extend(Free(held) for held in done)",
        "acts.extend(Free(held) for held in done[1:])",
        "tests/unit/streamer/test_pacer.py",
    ),
    Break(
        "what rests is sent without loss",
        "pvlink/streamer/pacer.py",
        'return "png" if rested else None',
        "return None",
        "tests/unit/streamer/test_pacer.py",
    ),
    Break(
        "moves merge",
        "pvlink/streamer/inputs.py",
        '    "move": _newest,\n',
        "",
        "tests/unit/streamer/test_inputs.py",
    ),
    Break(
        "clicks never merge",
        "pvlink/streamer/inputs.py",
        '    "pinch": _product,\n',
        '    "pinch": _product,\n    "down": _newest,\n',
        "tests/unit/streamer/test_inputs.py",
    ),
    Break(
        "a role that may only look changes nothing",
        "pvlink/streamer/inputs.py",
        '("owner", "control")',
        '("owner", "control", "view")',
        "tests/unit/streamer/test_inputs.py",
    ),
    Break(
        "a still is upright",
        "pvlink/streamer/encoders/png.py",
        "upright = pixels[::-1]",
        "upright = pixels",
        "tests/contracts/test_encoders.py",
    ),
    Break(
        "the relay lets nobody in without Jupyter's leave",
        "pvlink/server/routes.py",
        '    @ws_authenticated\n    @authorized(action="execute", resource="pvlink")\n',
        "",
        "tests/unit/server",
    ),
    Break(
        "a stalled viewer delays nobody",
        "pvlink/streamer/link.py",
        "            self.receiver.on_written(client, (time.perf_counter() - began) * 1e3)",
        "            pass",
        "tests/unit/streamer/test_process.py",
    ),
]


@pytest.mark.soak
@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.promise)
def test_a_broken_promise_turns_its_tests_red(broken: Break, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    assert run(copy, broken.tests) == 0, "the tests must be green before anything is broken"
    file = copy / broken.file
    text = file.read_text()
    assert broken.keeps in text, f"{broken.file} has changed: say anew which line keeps the promise"
    file.write_text(text.replace(broken.keeps, broken.breaks))
    assert run(copy, broken.tests) == 1


def run(copy: Path, tests: str) -> int:
    """pytest's exit code: 0 all green, 1 something red."""
    # The copy's pvlink, in all processes that the tests start, not the installed one.
    environment = os.environ | {"PYTHONPATH": str(copy)}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests.split()]
    return subprocess.run(command, cwd=copy, env=environment, timeout=PATIENCE_S, check=False).returncode
