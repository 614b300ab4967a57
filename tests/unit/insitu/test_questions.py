"""What ParaView is asked, and when the simulation hears of it: before it is told that it may deliver, not later."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from typing import Any

import pytest

from pvlink.insitu import frames
from tests.unit.insitu.catalyst import (
    CHANGED,
    MUCH,
    NOTHING_NEW,
    QUESTION,
    QUESTION_AGAIN,
    SOME,
    UNMAPPED,
    Message,
    Simulation,
    Strait,
    bytes_of,
    delivery,
    goes_on,
    strait,
)
from tests.unit.insitu.notebook import until

pytestmark = pytest.mark.insitu

ANSWER = bytes_of(CHANGED)
LONG = [(frames.CHANGED, struct.pack("<i", 5 << 20)), (frames.CHANGES, MUCH[: 5 << 20]), *CHANGED[2:]]
# So much of an answer a simulation looks for in its socket before it asks.
VISIBLE = 32 << 10


def orders(wanted: bytes) -> list[Message]:
    """Another list of what is to be delivered."""
    body = struct.pack("<bbibi", 1, frames.INT32, 0, frames.INT32, 1) + wanted
    return [(frames.ORDERS, struct.pack("<i", len(body))), (frames.ORDERS, body)]


def waits_in(simulation: Simulation) -> bytes:
    """What lies in its socket, and stays there."""
    with socket.socket(fileno=os.dup(simulation.writer.get_extra_info("socket").fileno())) as same:
        try:
            return same.recv(1 << 16, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""


def looked_at(sea: Strait, simulation: Simulation) -> list[bytes]:
    """What lies in its socket at each time that it is told of an answer."""
    found: list[bytes] = []

    def tell(facts: dict[str, Any]) -> None:
        if "answered" in facts:
            found.append(waits_in(simulation))
        sea.told.append(facts)

    sea.crossing._tell = tell
    return found


# -- answers ---------------------------------------------------------------------------------------


async def test_a_step_at_which_nothing_is_asked_is_answered_from_here() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        found = looked_at(sea, simulation)
        for number in range(3):
            sea.crossing.invite(False)
            # There is nothing to wait for.
            assert found == [bytes_of(NOTHING_NEW)] * (number + 1)
            assert await simulation.update() == NOTHING_NEW
            await simulation.deliver(b"data")

            # Neither the question nor what the simulation says to the answer.
            assert await paraview.hears(4) == delivery(b"data")
        assert await paraview.quiet()
        assert sea.answers == [len(bytes_of(NOTHING_NEW))] * 3


@pytest.mark.parametrize("answer", [CHANGED, NOTHING_NEW, LONG], ids=["something", "nothing", "much"])
async def test_an_answer_lies_in_the_simulations_socket_before_that_is_told_of(answer: list[Message]) -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        found = looked_at(sea, simulation)
        await sea.asks(paraview, *answer)
        await until(lambda: sea.answers)

        assert sea.answers == [len(bytes_of(answer))]
        assert found[0][:VISIBLE] == bytes_of(answer)[:VISIBLE]
        assert await simulation.update() == answer


async def test_nothing_is_said_to_a_simulation_that_is_not_to_deliver() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        await goes_on(simulation)
        await paraview.hears(4)

        assert await paraview.quiet()
        assert sea.answers == []


async def test_what_is_to_be_asked_is_asked_once_paraview_is_there() -> None:
    async with strait() as sea:
        simulation = await sea.simulation()
        sea.crossing.invite(True)
        sea.crossing.invite(False)
        assert await simulation.quiet()
        paraview = await sea.paraview()
        await paraview.greet()
        assert await paraview.hear() == QUESTION
        assert sea.answers == []
        paraview.say(*CHANGED)

        assert await simulation.update() == CHANGED


async def test_a_simulation_that_is_to_deliver_hears_so_once_paraview_is_there() -> None:
    async with strait() as sea:
        simulation = await sea.simulation()
        sea.crossing.invite(False)
        assert await simulation.quiet()
        paraview = await sea.paraview()
        await paraview.greet()

        assert await simulation.update() == NOTHING_NEW
        assert await paraview.quiet()


async def test_an_answer_may_come_in_any_pieces() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        question = QUESTION
        for piece in (1, 5, 12):
            sea.crossing.invite(True)
            assert await paraview.hear() == question
            for at in range(0, len(ANSWER), piece):
                await paraview.push(ANSWER[at : at + piece])
                await asyncio.sleep(0)

            assert await paraview.hear() == UNMAPPED
            assert await simulation.update() == CHANGED
            await simulation.deliver(b"data")
            assert await paraview.hears(4) == delivery(b"data")
            question = QUESTION_AGAIN


async def test_what_paraview_says_besides_does_not_reach_the_simulation() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        paraview.say((1, b"anything"), (12000, SOME))
        await goes_on(simulation)
        await paraview.hears(4)
        await sea.asks(paraview, (7, b"something else"), *CHANGED, question=QUESTION_AGAIN)

        assert await simulation.update() == CHANGED
        assert await simulation.quiet()


# -- several ---------------------------------------------------------------------------------------


async def test_what_was_answered_while_an_answer_waits_is_heard_at_the_step_after() -> None:
    old = [*CHANGED[:2], *orders(b"old")]
    state = [(frames.CHANGED, b"\6\0\0\0"), (frames.CHANGES, b"<new/>")]
    async with strait() as sea:
        simulation, paraview = await sea.both()
        for answer in (old, [*state, *NOTHING_NEW[1:]], [NOTHING_NEW[0], *orders(b"new")]):
            await sea.asks(paraview, *answer)
        # Told again, for a simulation that stands; written once.
        await until(lambda: len(sea.answers) == 3)
        assert set(sea.answers) == {len(bytes_of(old))}
        assert [facts.get("more", False) for facts in sea.told[1:]] == [False, True, True]
        assert await simulation.update() == old
        assert await simulation.quiet()
        await simulation.deliver(b"data")

        # The newest of each, as one.
        new = [*state, *orders(b"new")]
        assert await simulation.update() == new
        assert sea.told[-2:] == [{"delivered": True}, {"answered": len(bytes_of(new))}]


async def test_an_invitation_while_an_answer_waits_is_answered_once_that_one_was_heard() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        for _ in range(5):
            sea.crossing.invite(False)
        # Told each time, since what is told can be lost; written once.
        assert len(sea.answers) == 5
        assert await simulation.update() == NOTHING_NEW
        assert await simulation.quiet()
        await simulation.deliver(b"data")
        await paraview.hears(4)
        assert await simulation.update() == NOTHING_NEW
        await simulation.deliver(b"data")
        await paraview.hears(4)

        assert len(sea.answers) == 6
        assert await simulation.quiet()


async def test_what_changed_while_paraview_was_asked_is_asked_before_the_simulation_hears() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(True)
        assert await paraview.hear() == QUESTION
        sea.crossing.invite(True)
        sea.crossing.invite(True)
        assert await paraview.quiet()
        paraview.say(*NOTHING_NEW)
        assert await paraview.hears(2) == [UNMAPPED, QUESTION]
        assert sea.answers == []
        paraview.say(*CHANGED)

        assert await simulation.update() == CHANGED
        assert await paraview.hear() == UNMAPPED
        assert await paraview.quiet()


# -- a ParaView that does not answer -----------------------------------------------------------------


async def test_a_simulation_does_not_wait_for_a_paraview_that_is_slow_to_answer() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(True)
        assert await paraview.hear() == QUESTION
        # It steps on: nothing has been said to it that would make it ask.
        assert await simulation.quiet()
        assert sea.told == [{"open": True}]
        paraview.say(*CHANGED)

        await until(lambda: sea.answers)
        assert await simulation.update() == CHANGED


async def test_a_paraview_that_never_answers_is_lost_with_the_reason(patience: float) -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        begun = time.monotonic()
        sea.crossing.invite(True)
        await sea.gone()

        assert patience <= time.monotonic() - begun < 5
        assert sea.told == [{"open": True}, {"lost": "ParaView did not answer within 0.2 s"}]
        await goes_on(simulation)
        # And hears of it.
        assert await paraview.rest() == bytes_of([QUESTION])


async def test_a_paraview_that_has_answered_is_not_lost_later(patience: float) -> None:
    async with strait() as sea:
        _, paraview = await sea.both()
        await sea.asks(paraview, *CHANGED)
        await asyncio.sleep(2 * patience)

        assert sea.crossing.open
        assert sea.lost == []


@pytest.mark.parametrize("cut", [*range(0, len(ANSWER), 5), len(ANSWER) - 1])
@pytest.mark.parametrize("then", ["goes", "is silent"])
async def test_half_an_answer_is_none(cut: int, then: str, patience: float) -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(True)
        await paraview.hear()
        await paraview.push(ANSWER[:cut])
        if then == "goes":
            paraview.writer.close()
        await sea.gone()

        assert sea.answers == []
        await goes_on(simulation, b"data")


@pytest.mark.parametrize("cut", [20, len(bytes_of(CHANGED[:2]))], ids=["in a message", "between two"])
async def test_an_answer_that_is_none_is_lost(cut: int, patience: float) -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(True)
        await paraview.hear()
        paraview.writer.write(ANSWER[:cut] + struct.pack("<ii", 7, -7) + ANSWER)
        await sea.gone()

        assert sea.answers == []
        await goes_on(simulation)
