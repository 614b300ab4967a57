"""What a ferry passes on from its notebook to its simulation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pvlink.insitu.ferry.__main__ import Ferry

pytestmark = pytest.mark.insitu


class Simulation:
    """What it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        self.told.append(json.loads(line))


class Link:
    """A crossing, which is answered when a test says so."""

    def __init__(self) -> None:
        self.invited: list[bool] = []

    def invite(self, ask: bool) -> None:
        self.invited.append(ask)


@pytest.fixture
def simulation() -> Simulation:
    return Simulation()


@pytest.fixture
def ferry(simulation: Simulation) -> Ferry:
    return Ferry({"live": "localhost:1", "pairs": 1}, simulation)  # type: ignore[arg-type]


@pytest.fixture
def link(ferry: Ferry) -> Link:
    one = Link()
    ferry._crossing = one  # type: ignore[assignment]
    return one


def test_a_simulation_is_told_to_deliver_once_its_answer_is_there(
    ferry: Ferry, simulation: Simulation, link: Link
) -> None:
    ferry._obey({"next": {"wanted": ["grid"], "ask": True}})
    assert (link.invited, simulation.told) == ([True], [])
    ferry._crossed({"answered": 31})

    assert simulation.told == [{"next": {"wanted": ["grid"], "ask": True, "ready": 31}}]


def test_that_something_was_asked_is_not_forgotten_with_the_next_invitation(
    ferry: Ferry, simulation: Simulation, link: Link
) -> None:
    ferry._obey({"next": {"wanted": ["grid"], "ask": True}})
    ferry._obey({"next": {"wanted": ["slice"], "ask": False}})
    ferry._crossed({"answered": 31})
    ferry._obey({"next": {"wanted": ["slice"], "ask": False}})
    ferry._crossed({"answered": 31})

    # ParaView is not asked again for that.
    assert link.invited == [True, False, False]
    assert [told["next"]["ask"] for told in simulation.told] == [True, False]
    assert [told["next"]["wanted"] for told in simulation.told] == [["slice"], ["slice"]]


def test_what_lies_behind_an_answer_is_asked_for_still(ferry: Ferry, simulation: Simulation, link: Link) -> None:
    ferry._obey({"next": {"wanted": ["grid"], "ask": True}})
    ferry._crossed({"answered": 31, "more": True})
    # By itself, once that one was heard.
    ferry._crossed({"answered": 59})
    ferry._obey({"next": {"wanted": ["grid"], "ask": False}})
    ferry._crossed({"answered": 31})

    assert [told["next"] for told in simulation.told] == [
        {"wanted": ["grid"], "ask": True, "ready": 31},
        {"wanted": ["grid"], "ask": True, "ready": 59},
        {"wanted": ["grid"], "ask": False, "ready": 31},
    ]


@pytest.mark.parametrize("wish", [None, 3, "grid", []], ids=str)
def test_an_invitation_that_is_none_invites_nobody(
    wish: object, ferry: Ferry, simulation: Simulation, link: Link
) -> None:
    ferry._obey({"next": wish})

    assert (link.invited, simulation.told) == ([], [])


def test_without_a_link_nobody_is_invited(ferry: Ferry, simulation: Simulation) -> None:
    ferry._obey({"next": {"wanted": ["grid"], "ask": True}})

    assert simulation.told == []
