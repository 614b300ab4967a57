"""What holds for every test."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The parts of `make test ARGS="-m NAME"`; docs and CI use these names.
PARTS = frozenset({"cell", "trust", "ways", "servers", "speed", "cluster", "insitu"})


def environment(name: str) -> str:
    """The Python of an environment beside ours, of which `make test` makes some."""
    python = Path(sys.prefix) / "envs" / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"there is no environment with {name} ({python})")
    return str(python)


@pytest.fixture(scope="session")
def vtk_python() -> str:
    """A Python with the VTK wheel and PyVista."""
    return environment("vtk")


@pytest.fixture(scope="session")
def paraview_python() -> str:
    """A Python that can import ParaView itself."""
    return environment("paraview")


@pytest.fixture(autouse=True)
def _room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Who measures (marker `alone`) does so while no other test runs in a process beside this one."""
    alone = request.node.get_closest_marker("alone") is not None
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    # Each worker's own folder is in it.
    folder = tmp_path_factory.getbasetemp().parent
    with (folder / "gate").open("w") as gate, (folder / "room").open("w") as room:
        # Through the gate one by one: else those who share the room would never leave it empty.
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that names no part belongs to the first one; what is long by nature runs only when asked for."""
    wanted: list[pytest.Item] = []
    long: list[pytest.Item] = []
    for item in items:
        names = {mark.name for mark in item.iter_markers()}
        if not names & PARTS:
            item.add_marker(pytest.mark.cell)
        (long if "soak" in names and "soak" not in config.option.markexpr else wanted).append(item)
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = wanted
