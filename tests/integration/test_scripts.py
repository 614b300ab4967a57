"""Scripts run as they are: each in plain pvpython and through the mirror, with the same results to the last pixel.

`trace_*` and `state_*` are what ParaView itself wrote down; `guide_*` are what users write.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

REPORT = Path(__file__).with_name("report.py")
SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))

pytestmark = pytest.mark.skipif(
    shutil.which("pvpython") is None or shutil.which("Xvfb") is None, reason="needs pvpython and Xvfb"
)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """For plain pvpython, which needs an X server."""
    mine, given = os.pipe()
    with os.fdopen(mine) as answer:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(given), "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[given],
            stderr=subprocess.DEVNULL,
        )
        os.close(given)
        try:
            yield f":{answer.readline().strip()}"
        finally:
            server.terminate()
            server.wait(10)


def run(command: list[str], folder: Path, **environment: str) -> str:
    folder.mkdir()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# The others are long by nature.
QUICK = ("guide_data", "guide_filters", "state_charts", "trace_300", "trace_animation")


@pytest.mark.parametrize(
    "script",
    [pytest.param(script, marks=[pytest.mark.soak] * (script.stem not in QUICK)) for script in SCRIPTS],
    ids=lambda script: script.stem,
)
def test_a_script_makes_the_same_as_in_plain_paraview(script: Path, display: str, tmp_path: Path) -> None:
    plain, mirrored = tmp_path / "plain", tmp_path / "mirrored"
    with ThreadPoolExecutor() as pool:
        command = ["pvpython", str(REPORT), str(script)]
        expected = pool.submit(run, command, plain, DISPLAY=display, HWLOC_COMPONENTS="-gl")
        said = pool.submit(run, [sys.executable, str(REPORT), str(script), "mirror"], mirrored)

    assert said.result() == expected.result()
    assert json.loads((mirrored / "report.json").read_text()) == json.loads((plain / "report.json").read_text())
    assert sorted(file.name for file in mirrored.iterdir()) == sorted(file.name for file in plain.iterdir())
    for file in plain.iterdir():
        if file.suffix == ".png":
            ours, theirs = (np.asarray(Image.open(folder / file.name)) for folder in (mirrored, plain))
            assert np.array_equal(ours, theirs), file.name
            assert theirs.std() > 1, "a picture of nothing"
        elif file.suffix != ".json":
            assert (mirrored / file.name).read_bytes() == file.read_bytes(), file.name


def test_there_are_scripts_of_both_kinds() -> None:
    kinds = {script.stem.partition("_")[0] for script in SCRIPTS}
    assert kinds == {"guide", "state", "trace"}
    assert len((SCRIPTS[0].parent / "trace_300.py").read_text().splitlines()) > 300
