"""What holds for every test."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import time
from asyncio import selector_events
from collections.abc import Iterator
from pathlib import Path

import pytest

LOOP_SECONDS = 5.0
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


def _open(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Its connections; for these nobody has a public name."""
    return [repr(one) for one in vars(loop)["_transports"].values() if one._sock is not None]


@pytest.fixture(scope="session", autouse=True)
def _loops_end_in_order() -> Iterator[None]:
    """A connection that was closed is gone some turns later. Of a loop that ends before, the garbage collector would
    find it in the middle of another test, and that one would be blamed."""
    kind, close = selector_events.BaseSelectorEventLoop, selector_events.BaseSelectorEventLoop.close

    def close_in_order(loop: selector_events.BaseSelectorEventLoop) -> None:
        deadline = time.monotonic() + LOOP_SECONDS
        while not loop.is_closed() and (left := _open(loop)):
            if time.monotonic() > deadline:
                close(loop)
                raise AssertionError(f"connections were left open: {left}")
            loop.run_until_complete(asyncio.sleep(0.005))
        close(loop)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "close", close_in_order)
        yield


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
