"""A simulation and a ParaView with several processes each: every pair has a link of its own."""

from __future__ import annotations

import asyncio
import struct

import pytest

from pvlink.insitu import frames
from pvlink.insitu.ferry import crossing
from tests.unit.insitu.catalyst import (
    CHANGED,
    ECHOED,
    MUCH,
    NOTHING_NEW,
    QUESTION,
    SOME,
    ParaView,
    Simulation,
    Strait,
    bytes_of,
    delivery,
    goes_on,
    strait,
)
from tests.unit.insitu.notebook import until

pytestmark = pytest.mark.insitu

# As ParaView with two processes lists them: the first one has been reached already.
LIST = frames.listed([None, ("vm", 41015)])


async def first_of(sea: Strait) -> tuple[Simulation, int]:
    """The first rank after its greeting, and the port that it has for the second one."""
    simulation = await sea.simulation()
    assert simulation.processes == 2
    (none, place) = frames.places(simulation.places)
    assert none is None
    assert place is not None
    assert place[0] == "127.0.0.1"
    return simulation, place[1]


async def two_of(sea: Strait) -> tuple[Simulation, Simulation]:
    """Both ranks, greeted, whatever ParaView does."""
    simulation, port = await first_of(sea)
    second = await sea.rank(port)
    for message in ECHOED:
        second.say(message)
        assert await second.hear() == message
    return simulation, second


async def all_of(sea: Strait) -> tuple[Simulation, Simulation, ParaView, ParaView]:
    simulation, second = await two_of(sea)
    paraview = await sea.paraview()
    assert await paraview.greet(processes=2, places=LIST) == 2
    other = await sea.paraview()
    await other.echo()
    await until(lambda: sea.crossing.open)
    return simulation, second, paraview, other


# -- the greeting ----------------------------------------------------------------------------------


async def test_the_second_rank_is_greeted_from_here_though_paraview_says_nothing() -> None:
    async with strait(2, 2) as sea:
        simulation, second = await two_of(sea)
        await goes_on(simulation)
        await second.push(bytes_of([(12000, MUCH)]))

        assert not sea.crossing.open
        assert await second.quiet()


@pytest.mark.parametrize("piece", [1, 5])
async def test_the_second_ranks_greeting_may_come_in_any_pieces(piece: int) -> None:
    async with strait(2, 2) as sea:
        _, port = await first_of(sea)
        second = await sea.rank(port)
        await second.push(bytes_of(ECHOED), piece)

        assert await second.hears(4) == ECHOED


async def test_the_second_rank_reaches_the_place_that_paraview_named() -> None:
    async with strait(2, 2) as sea:
        _, _, paraview, other = await all_of(sea)

        assert sea.places == [None, ("vm", 41015)]
        assert other.heard == ECHOED
        assert paraview.heard[:4] == ECHOED
        assert sea.told == [{"open": True}]


async def test_it_is_not_open_before_the_second_rank_has_come() -> None:
    async with strait(2, 2) as sea:
        _, port = await first_of(sea)
        paraview = await sea.paraview()
        await paraview.greet(processes=2, places=LIST)
        await asyncio.sleep(0.1)
        assert (sea.crossing.open, sea.places) == (False, [None])
        second = await sea.rank(port)
        second.say(*ECHOED)
        assert await second.hears(4) == ECHOED
        other = await sea.paraview()
        await other.echo()

        await until(lambda: sea.crossing.open)


async def test_a_second_rank_that_does_not_come_is_not_waited_for_for_ever(patience: float) -> None:
    async with strait(2, 2) as sea:
        simulation, _ = await first_of(sea)
        paraview = await sea.paraview()
        await paraview.greet(processes=2, places=LIST)
        await sea.gone()

        await goes_on(simulation)


async def test_two_ranks_have_two_of_paraviews_three_processes() -> None:
    places = frames.listed([None, ("vm", 41015), ("vm", 41016)])
    async with strait(3, 2) as sea:
        await two_of(sea)
        paraview = await sea.paraview()
        assert await paraview.greet(processes=3, places=places) == 2
        other = await sea.paraview()
        await other.echo()
        await until(lambda: sea.crossing.open)

        assert sea.places == [None, ("vm", 41015)]


async def test_of_three_ranks_only_two_have_a_pair() -> None:
    async with strait(2, 3) as sea:
        await two_of(sea)
        paraview = await sea.paraview()

        assert await paraview.greet(processes=2, places=LIST) == 3
        other = await sea.paraview()
        await other.echo()
        await until(lambda: sea.crossing.open)


@pytest.mark.parametrize(
    "places",
    [b"", b"\1", b"garbage", frames.listed([None]), LIST[:-1], LIST[:9], b"\1\t" + bytes(100), bytes(1 << 17)],
    ids=["none", "an empty one", "garbage", "one too few", "a byte too few", "half", "zeros", "a long one"],
)
async def test_a_list_that_names_no_place_is_lost_and_the_simulation_is_not(places: bytes) -> None:
    async with strait(2, 2) as sea:
        simulation, second = await two_of(sea)
        paraview = await sea.paraview()
        await paraview.greet(processes=2, places=places)
        await sea.gone()

        assert sea.lost[0]
        await goes_on(simulation)
        await second.push(bytes_of([(12000, SOME)]))


async def test_a_place_that_nobody_can_reach_is_lost_with_the_reason() -> None:
    async with strait(2, 2) as sea:
        simulation, second = await two_of(sea)
        paraview = await sea.paraview()

        async def none_there(place: crossing.Place) -> crossing.Streams:
            assert place == ("vm", 41015)
            raise OSError("vm cannot be reached")

        sea.crossing._embark = none_there
        await paraview.greet(processes=2, places=LIST)
        await sea.gone()

        assert sea.lost == ["vm cannot be reached"]
        await goes_on(simulation)
        await second.push(bytes_of([(12000, SOME)]))


# -- data ------------------------------------------------------------------------------------------


async def test_the_data_of_each_rank_reach_its_pair_byte_for_byte() -> None:
    ours, theirs = MUCH[: 8 << 20], MUCH[8 << 20 : 20 << 20]
    async with strait(2, 2) as sea:
        simulation, second, paraview, other = await all_of(sea)
        sending = asyncio.gather(simulation.deliver(ours), second.push(bytes_of([(12000, theirs)]), 12_345))

        assert await paraview.hears(4) == delivery(ours)
        assert await other.hear() == (12000, theirs)
        await sending
        # What looks like a greeting is none any more.
        second.say(ECHOED[0])
        assert await other.hear() == ECHOED[0]
        assert await second.quiet()


async def test_what_is_asked_is_asked_of_the_first_one_only() -> None:
    async with strait(2, 2) as sea:
        simulation, _, paraview, other = await all_of(sea)
        await sea.asks(paraview, *CHANGED)

        assert await simulation.update() == CHANGED
        assert await other.quiet()


@pytest.mark.parametrize("which", [0, 1], ids=["the first", "the second"])
async def test_no_rank_waits_for_a_process_that_has_gone(which: int) -> None:
    async with strait(2, 2) as sea:
        simulation, second, paraview, other = await all_of(sea)
        (paraview, other)[which].writer.transport.abort()

        await asyncio.gather(simulation.deliver(MUCH), second.push(bytes_of([(12000, MUCH)])))
        await goes_on(simulation)


async def test_no_rank_waits_for_a_process_that_does_not_read() -> None:
    async with strait(2, 2) as sea:
        simulation, second, paraview, other = await all_of(sea)
        await asyncio.gather(simulation.deliver(MUCH), second.push(bytes_of([(12000, MUCH)])))
        await goes_on(simulation)
        sea.crossing.invite(False)
        assert await simulation.update() == NOTHING_NEW

        assert await other.hear() == (12000, MUCH)
        assert await paraview.hears(4) == delivery(MUCH)


async def test_what_is_lost_is_lost_for_all_ranks(patience: float) -> None:
    async with strait(2, 2) as sea:
        simulation, second, paraview, other = await all_of(sea)
        sea.crossing.invite(True)
        await sea.gone()

        assert [await paraview.rest(), await other.rest()] == [bytes_of([QUESTION]), b""]
        await second.push(bytes_of([(12000, MUCH)]))
        await goes_on(simulation)


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["by us", "by the first rank"])
async def test_every_rank_finds_its_link_closed(how: str) -> None:
    async with strait(2, 2) as sea:
        simulation, second, _, _ = await all_of(sea)
        if how == "by us":
            sea.crossing.close()
        else:
            simulation.writer.close()

        await asyncio.wait_for(second.rest(), 1)


async def test_a_second_rank_that_makes_no_sense_is_not_kept_waiting() -> None:
    async with strait(2, 2) as sea:
        _, second, _, _ = await all_of(sea)
        second.writer.write(struct.pack("<ii", 12000, -1))

        try:
            await asyncio.wait_for(second.push(MUCH), 2)
        except ConnectionError:
            return
        assert sea.lost


async def test_a_crossing_that_is_closed_lets_all_of_paraviews_processes_go() -> None:
    async with strait(2, 2) as sea:
        _, _, paraview, other = await all_of(sea)
        sea.crossing.close()

        assert [await paraview.rest(), await other.rest()] == [b"", b""]
