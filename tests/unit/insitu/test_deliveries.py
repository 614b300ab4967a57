"""A question and a delivery: neither goes into the other, and none is lost for it."""

from __future__ import annotations

import asyncio

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
    bytes_of,
    delivery,
    strait,
)
from tests.unit.insitu.notebook import until

pytestmark = pytest.mark.insitu

ANSWER = bytes_of(CHANGED)


@pytest.mark.parametrize("ids", [b"three ids of ours, and theirs", SOME], ids=["a few", "many"])
async def test_what_proxies_are_called_in_the_simulation_is_told_at_the_next_question(ids: bytes) -> None:
    mapping = [(frames.MAPPED, b"\3\0\0\0"), (frames.MAP, ids)]
    async with strait() as sea:
        simulation, paraview = await sea.both()
        await sea.asks(paraview, *CHANGED)
        assert await simulation.update(*mapping) == CHANGED
        assert await paraview.quiet()
        await simulation.deliver(b"data")

        # Which follows the delivery by itself.
        assert await paraview.hears(5) == [*delivery(b"data"), QUESTION_AGAIN]
        paraview.say(*NOTHING_NEW)
        assert await paraview.hears(2) == mapping
        assert await paraview.quiet()
        # Once.
        await sea.asks(paraview, *NOTHING_NEW, question=QUESTION_AGAIN)
        assert await simulation.update() == NOTHING_NEW
        assert await simulation.quiet()


@pytest.mark.parametrize(
    "at",
    [len(bytes_of(delivery(MUCH)[:1])), 1 << 20, len(bytes_of(delivery(MUCH))) - 1],
    ids=["early", "later", "late"],
)
async def test_what_is_asked_in_the_middle_of_a_delivery_is_asked_after_it(at: int) -> None:
    data = bytes_of(delivery(MUCH))
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(False)
        await simulation.update()
        await simulation.push(data[:at])
        await until(lambda: sea.crossing._delivering)
        sea.crossing.invite(True)
        await asyncio.sleep(0.05)
        # Nor is it told to deliver before ParaView was asked.
        assert len(sea.answers) == 1
        pushing = asyncio.ensure_future(simulation.push(data[at:]))

        assert await paraview.hears(5) == [*delivery(MUCH), QUESTION_AGAIN]
        await pushing
        assert len(sea.answers) == 1
        paraview.say(*CHANGED)
        assert await paraview.hear() == UNMAPPED
        assert await simulation.update() == CHANGED


async def test_what_is_delivered_while_paraview_is_asked_reaches_it_after_its_answer() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(False)
        sea.crossing.invite(True)
        assert await paraview.hear() == QUESTION
        assert await simulation.update() == NOTHING_NEW
        await simulation.deliver(MUCH)
        await until(lambda: sea.deliveries)
        await paraview.push(ANSWER[:-1])
        assert await paraview.quiet()
        await paraview.push(ANSWER[-1:])

        assert await paraview.hears(5) == [UNMAPPED, *delivery(MUCH)]
        assert await simulation.update() == CHANGED
        assert sea.deliveries == 1


async def test_a_delivery_that_began_while_paraview_was_asked_goes_on_after_its_answer() -> None:
    data = bytes_of(delivery(SOME))
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(True)
        assert await paraview.hear() == QUESTION
        await simulation.push(data[: 1 << 20])
        await until(lambda: sea.crossing._delivering)
        sea.crossing.invite(True)
        paraview.say(*CHANGED)
        assert await paraview.hears(2) == [UNMAPPED, delivery(SOME)[0]]
        await simulation.push(data[1 << 20 :])

        # And what was asked meanwhile after that.
        assert await paraview.hears(4) == [*delivery(SOME)[1:], QUESTION]
        assert sea.answers == []
        paraview.say(*NOTHING_NEW)
        assert await paraview.hear() == UNMAPPED
        assert await simulation.update() == CHANGED
