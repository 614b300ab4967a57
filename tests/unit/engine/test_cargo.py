"""What was put into VTK comes back as it was, on each VTK that is here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.ways

THERE = Path(__file__).with_name("cargo_there.py")


@pytest.mark.parametrize("python", ["vtk_python", "paraview_python"])
def test_every_kind_of_object_comes_back_as_it_was(python: str, request: pytest.FixtureRequest) -> None:
    command = [request.getfixturevalue(python), str(THERE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
