"""One link between a simulation and ParaView: each may do what it likes, and the simulation goes on."""

from __future__ import annotations

import asyncio
import struct
import time

import pytest

from pvlink.insitu import frames
from pvlink.insitu.ferry.crossing import Embark, Place, Streams
from tests.unit.insitu.catalyst import (
    ECHOED,
    GREETING,
    MUCH,
    SOME,
    bytes_of,
    delivery,
    goes_on,
    strait,
)
from tests.unit.insitu.notebook import until

pytestmark = pytest.mark.insitu


# -- the greeting ----------------------------------------------------------------------------------


async def never(place: Place) -> Streams:
    await asyncio.sleep(3600)
    raise AssertionError


async def nobody(place: Place) -> Streams:
    raise ConnectionRefusedError("nobody is there")


@pytest.mark.parametrize("embark", [never, nobody, None], ids=["on its way for ever", "nobody there", "says nothing"])
async def test_a_simulation_is_greeted_at_once_whatever_paraview_does(
    embark: Embark | None,
) -> None:
    async with strait(embark=embark) as sea:
        begun = time.monotonic()
        simulation = await sea.simulation()
        await goes_on(simulation)

        assert time.monotonic() - begun < 5
        assert simulation.processes == 1
        assert not sea.crossing.open


@pytest.mark.parametrize("piece", [1, 3, 8, 11])
async def test_a_greeting_may_come_in_any_pieces(piece: int) -> None:
    async with strait() as sea:
        simulation = await sea.simulation(greets=False)
        await simulation.greet(piece=piece)
        paraview = await sea.paraview()
        await paraview.greet()

        assert paraview.heard == GREETING


@pytest.mark.parametrize(
    ("processes", "ranks", "pairs"), [(1, 1, 1), (1, 4, 1), (4, 1, 1)], ids=["one each", "four ranks", "four processes"]
)
async def test_paraview_is_greeted_as_by_the_simulation_itself(processes: int, ranks: int, pairs: int) -> None:
    async with strait(processes, ranks) as sea:
        simulation = await sea.simulation()
        paraview = await sea.paraview()

        assert await paraview.greet(processes=processes) == ranks
        await until(lambda: sea.crossing.open)
        assert simulation.processes == pairs
        assert paraview.heard == GREETING
        assert (sea.places, sea.told) == ([None], [{"open": True}])
        # Nor is anything said that a simulation does not say.
        assert await paraview.quiet()
        assert await simulation.quiet()


async def test_nobody_is_greeted_before_the_simulation_has_come() -> None:
    async with strait() as sea:
        simulation = await sea.simulation(greets=False)
        simulation.say(*GREETING)

        assert await simulation.hears(4) == ECHOED
        assert (sea.places, sea.told) == ([], [])


async def test_the_first_one_that_comes_is_the_only_one() -> None:
    async with strait() as sea:
        await sea.simulation()

        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", sea.port)


@pytest.mark.parametrize(
    ("code", "processes", "why"),
    [
        (3, 1, "ParaView is of another version than the simulation's"),
        (-1, 1, "ParaView is of another version than the simulation's"),
        (0, 2, "ParaView has 2 processes, not 1"),
        (0, 0, "ParaView has 0 processes, not 1"),
    ],
    ids=["another version", "unknown", "too many processes", "none"],
)
async def test_a_paraview_that_does_not_fit_is_lost_with_the_reason(code: int, processes: int, why: str) -> None:
    async with strait() as sea:
        simulation = await sea.simulation()
        paraview = await sea.paraview()
        greeting = asyncio.ensure_future(paraview.greet(code, processes))
        await sea.gone()
        greeting.cancel()
        await asyncio.gather(greeting, return_exceptions=True)

        assert sea.told == [{"lost": why}]
        await goes_on(simulation)


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", struct.pack("<ii", 0x3C3C3C3C, -1), struct.pack("<ii", 7, 0),
     bytes_of(ECHOED[1:]), bytes_of([(0x3C3C3C3C, bytes(1 << 17))]), b""],
    ids=["a web server", "a negative length", "another message", "in another order", "a long one", "has gone"],
)  # fmt: skip
async def test_whoever_is_no_paraview_is_lost_and_the_simulation_is_not(garbage: bytes) -> None:
    async with strait() as sea:
        simulation = await sea.simulation()
        paraview = await sea.paraview()
        paraview.writer.write(garbage)
        if not garbage:
            paraview.writer.close()
        await sea.gone()

        assert sea.lost[0]
        assert not sea.crossing.open
        await goes_on(simulation)


async def test_a_paraview_that_does_not_greet_is_lost_after_a_while(patience: float) -> None:
    async with strait() as sea:
        simulation = await sea.simulation()
        await sea.gone()

        assert sea.told == [{"lost": "ParaView did not greet within 0.2 s"}]
        await goes_on(simulation)


@pytest.mark.parametrize("code", [0, 3], ids=["too slow", "of another version"])
async def test_whoever_is_lost_in_the_greeting_is_let_go(code: int, patience: float) -> None:
    async with strait() as sea:
        await sea.simulation()
        paraview = await sea.paraview()
        await paraview.echo()
        await paraview.hears(2)
        if code:
            paraview.say((frames.GOOD, struct.pack("<i", code)))
        await sea.gone()

        await asyncio.wait_for(paraview.rest(), 1)


async def test_whoever_is_being_greeted_is_let_go_with_the_crossing() -> None:
    async with strait() as sea:
        await sea.simulation()
        paraview = await sea.paraview()
        await paraview.hear()
        sea.crossing.close()

        await asyncio.wait_for(paraview.rest(), 1)


# -- data ------------------------------------------------------------------------------------------


async def test_data_go_through_byte_for_byte() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        sending = asyncio.ensure_future(simulation.deliver(MUCH))

        assert await paraview.hears(4) == delivery(MUCH)
        await sending
        await until(lambda: len(sea.told) == 2)
        assert sea.told == [{"open": True}, {"delivered": True}]


async def test_data_go_through_in_whatever_pieces_they_come() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        for piece in (1, 7, 9, 4096):
            data = MUCH[: piece * 300]
            sending = asyncio.ensure_future(simulation.push(bytes_of(delivery(data)), piece))

            assert await paraview.hears(4) == delivery(data)
            await sending


async def test_each_delivery_is_told_of_once_and_when_it_is_over() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        data = bytes_of(delivery(SOME))
        for number in range(3):
            await simulation.push(data[:-1])
            await asyncio.sleep(0.05)
            assert sea.deliveries == number
            await simulation.push(data[-1:])
            await paraview.hears(4)
            await asyncio.sleep(0.05)
            assert sea.deliveries == number + 1


async def test_a_paraview_that_does_not_read_keeps_nobody_waiting() -> None:
    async with strait() as sea:
        simulation, paraview = await sea.both()
        await simulation.deliver(MUCH)
        await goes_on(simulation)

        # It gets it all the same, once it does.
        assert await paraview.hears(4) == delivery(MUCH)
