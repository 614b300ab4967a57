"""One kernel for each kind, which all contracts share, and a scene for each contract."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.conftest import environment
from tests.contracts.sessions.kinds import Kind
from tests.contracts.sessions.kinds.all import KINDS
from tests.contracts.sessions.room import Room


class Rooms:
    """The kernel of one kind: another when a contract has ended the one before."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._python = environment(kind.environment) if kind.environment else sys.executable
        self._room: Room | None = None

    def one(self) -> Room:
        if self._room is not None and not self._room.alive:
            self.end()
        if self._room is None:
            self._room = Room(self._kind, self._python).__enter__()
        return self._room

    def end(self) -> None:
        if self._room is not None:
            self._room.__exit__(None, None, None)
            self._room = None


# A PyVista plotter is VTK in the kernel and more: VTK alone is for a long night.
PARAMS = [
    pytest.param(kind, id=kind.name, marks=[pytest.mark.soak] * (kind.name == "VTK in the kernel")) for kind in KINDS
]


@pytest.fixture(scope="session", params=PARAMS)
def rooms(request: pytest.FixtureRequest) -> Iterator[Rooms]:
    rooms = Rooms(request.param)
    yield rooms
    rooms.end()


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "rooms" in item.callspec.params:
        kind = item.callspec.params["rooms"]
        assert isinstance(kind, Kind)
        if item.originalname.removeprefix("test_") in kind.nightly:
            item.add_marker(pytest.mark.soak)


@pytest.fixture
def room(rooms: Rooms, request: pytest.FixtureRequest) -> Iterator[Room]:
    """A kernel with a scene in it. What its kind cannot do must fail, or the list of that is out of date."""
    room = rooms.one()
    why = room.kind.cannot.get(request.node.originalname.removeprefix("test_"))
    if why is not None:
        request.applymarker(pytest.mark.xfail(strict=True, raises=AssertionError, reason=why))
    # What never happens need not be waited for as long as what does.
    room.patience = 30.0 if why is None else 5.0
    room.do(room.kind.scene)
    yield room
    if room.alive:
        room.run(room.kind.delete)
        if why is not None:
            # It may have lost its session on the way.
            room.do(room.kind.start)
