"""Who leaves a link, at whichever moment: the other side notices, and the simulation goes on."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from tests.unit.insitu.catalyst import (
    GREETING,
    MUCH,
    NOTHING_NEW,
    QUESTION,
    SOME,
    Simulation,
    Strait,
    bytes_of,
    delivery,
    goes_on,
    strait,
)
from tests.unit.insitu.notebook import until

pytestmark = pytest.mark.insitu


# -- ParaView goes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["closes", "is killed"])
async def test_a_paraview_that_goes_in_the_middle_of_a_delivery_costs_the_simulation_nothing(how: str) -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        data = bytes_of(delivery(MUCH))
        await simulation.push(data[: 1 << 20])
        await paraview.hear()
        if how == "closes":
            paraview.writer.close()
        else:
            paraview.writer.transport.abort()
        await simulation.push(data[1 << 20 :])

        await goes_on(simulation, MUCH)
        await sea.gone()
        assert len(sea.lost) == 1
        assert not sea.crossing.open


async def test_a_paraview_that_is_lost_is_not_asked_any_more() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        paraview.writer.transport.abort()
        await sea.gone()
        told = [*sea.told]
        for ask in (True, False):
            sea.crossing.invite(ask)
            await goes_on(simulation)

        # Nor does the simulation hear of an answer that does not come.
        assert sea.answers == []
        assert [facts for facts in sea.told if "delivered" not in facts] == told


async def test_a_simulation_that_was_told_to_deliver_is_answered_though_paraview_has_gone() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(False)
        paraview.writer.transport.abort()
        await sea.gone()

        assert await simulation.update() == NOTHING_NEW
        await goes_on(simulation)


async def test_a_delivery_that_waits_for_an_answer_is_forgotten_with_paraview() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sea.crossing.invite(True)
        assert await paraview.hear() == QUESTION
        await simulation.deliver(SOME)
        await until(lambda: sea.deliveries)
        assert sea.crossing._kept
        paraview.writer.transport.abort()
        await sea.gone()

        assert not sea.crossing._kept
        await goes_on(simulation, MUCH)
        assert not sea.crossing._kept


async def test_that_paraview_is_lost_is_told_once(patience: float) -> None:
    async with strait() as sea:
        await sea.both()
        sea.crossing.invite(True)
        await sea.gone()
        await asyncio.sleep(patience + 0.1)

        assert sea.told == [{"open": True}, {"lost": "ParaView did not answer within 0.2 s"}]


# -- the simulation goes ---------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["closes", "is killed"])
async def test_a_simulation_that_goes_takes_the_link_with_it(how: str) -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        if how == "closes":
            simulation.writer.close()
        else:
            simulation.writer.transport.abort()

        assert await paraview.rest() == b""
        assert sea.lost == ["the simulation has closed its link"]
        assert sea.crossing.closed


@pytest.mark.parametrize("said", range(1, 9))
async def test_a_simulation_that_goes_while_it_is_greeted_leaves_nobody_waiting(said: int) -> None:
    async with strait() as sea:
        simulation = await sea.simulation(greets=False)
        await simulation.push(bytes_of(GREETING[:said])[:-1])
        simulation.writer.close()

        await until(lambda: sea.crossing.closed)
        assert sea.places == []


async def test_a_simulation_that_makes_no_sense_is_not_kept_waiting() -> None:
    async with strait() as sea:
        simulation, _ = await sea.both()
        simulation.writer.write(struct.pack("<ii", 12000, -(1 << 31)))

        try:
            await asyncio.wait_for(simulation.push(MUCH), 2)
        except ConnectionError:
            return
        assert sea.lost


# -- the end ---------------------------------------------------------------------------------------


async def closed_before_anybody_comes(sea: Strait) -> Simulation | None:
    return None


async def closed_while_the_simulation_greets(sea: Strait) -> Simulation:
    simulation = await sea.simulation(greets=False)
    simulation.say(*GREETING[:3])
    await simulation.hears(3)
    return simulation


async def closed_while_paraview_is_asked(sea: Strait) -> Simulation:
    simulation, paraview = await sea.both()
    sea.crossing.invite(True)
    await paraview.hear()
    return simulation


async def closed_in_a_delivery(sea: Strait) -> Simulation:
    simulation, _ = await sea.both()
    await simulation.push(bytes_of(delivery(SOME))[:-100])
    return simulation


@pytest.mark.parametrize(
    "reach",
    [closed_before_anybody_comes, closed_while_the_simulation_greets, closed_while_paraview_is_asked,
     closed_in_a_delivery],
)  # fmt: skip
async def test_a_crossing_that_is_closed_twice_is_closed_and_says_nothing_more(
    reach: Callable[[Strait], Awaitable[Simulation | None]], patience: float
) -> None:
    async with strait() as sea:
        simulation = await reach(sea)
        told = [*sea.told]
        sea.crossing.close()
        sea.crossing.close()

        assert sea.crossing.closed
        assert not sea.crossing.open
        if simulation is not None:
            assert await simulation.rest() == b""
        sea.crossing.invite(True)
        await asyncio.sleep(patience + 0.05)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", sea.port)
        assert sea.told == told


async def test_who_comes_by_the_same_number_right_after_it_was_closed_has_it_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with strait() as sea:
            # It waits for the simulation.
            await asyncio.sleep(0.05)
            sea.crossing.close()
            with socket.socket() as sock:
                # It has the number of what was closed last.
                sock.setblocking(False)

                await asyncio.get_running_loop().sock_connect(sock, listener.getsockname())
