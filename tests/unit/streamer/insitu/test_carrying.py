"""ParaView's side of the harbour: what its process is told, what it offers, and the link that is carried to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pvlink.insitu.frames import POSTPROCESS, RMI, STATE_LENGTH, WIDTH_OF_IDS, message, numbered
from pvlink.insitu.parameters import received
from pvlink.streamer.engine_port import Live, Next
from tests.unit.streamer.insitu.coast import HELLO, Coast, ParaView, Ship, soon

pytestmark = pytest.mark.insitu

NOBODY = {"op": "simulation", "hello": None}
THERE = {
    "op": "simulation",
    "hello": {"host": "node17", "pid": 4711, "began": 1000.5, "paraview": "5.13.3"},
    "definition": received(HELLO["parameters"]).definition,
}


def word(number: int) -> bytes:
    """Of the simulation's, that is no part of a step."""
    return numbered(STATE_LENGTH, number)


async def offered(shore: Coast, ship: Ship, processes: int = 1) -> str:
    """The ticket of ParaView's offer of a link."""
    shore.harbour.on_packet(Live(shore.paraview.port, processes))
    while True:
        live = await ship.hear("live")
        if live is not None:
            assert live == {"ticket": live["ticket"], "processes": processes}
            return str(live["ticket"])


async def carried(shore: Coast) -> tuple[Ship, Ship]:
    """Both ends of a link."""
    near = await shore.linked(await offered(shore, await shore.stays()))
    return near, await shore.paraview.link()


@pytest.fixture
async def another() -> AsyncIterator[ParaView]:
    """One of ParaView's other processes."""
    one = ParaView()
    await one.open()
    yield one
    await one.close()


# -- what ParaView's process is told ---------------------------------------------------------------


async def test_paraview_is_told_who_is_there_with_its_parameters(shore: Coast) -> None:
    ship = await shore.stays()
    assert shore.told == [THERE]
    await ship.leave()
    await shore.until(lambda: shore.told[1:] == [NOBODY])
    await shore.stays(parameters=[], pid=5)
    await shore.until(lambda: len(shore.told) == 3)
    assert shore.told[2]["hello"]["pid"] == 5
    assert shore.told[2]["definition"] == ""


async def test_a_paraview_that_comes_late_is_told_as_well(shore: Coast) -> None:
    shore.harbour.engine_came()
    assert shore.told == [NOBODY]
    await shore.stays()
    shore.harbour.engine_came()
    assert shore.told == [NOBODY, THERE, THERE]


async def test_where_nobody_is_waited_for_paraview_is_told_nothing(shore: Coast) -> None:
    shore.harbour.leave()
    shore.told.clear()
    shore.harbour.engine_came()
    assert shore.told == []


async def test_who_leaves_says_so_to_paraview(shore: Coast) -> None:
    await shore.stays()
    shore.harbour.leave()
    assert shore.told == [THERE, NOBODY]


async def test_a_link_that_was_lost_is_told_to_paraview(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(crossing={"open": True})
    await shore.until(lambda: shore.state()["link"] == "open")
    ship.say(crossing={"delivered": True})
    ship.say(crossing={"lost": "ParaView did not answer"})
    await shore.until(lambda: shore.state()["link"] == "lost: ParaView did not answer")
    assert shore.told[-1] == {"op": "link-lost", "why": "ParaView did not answer"}


async def test_with_the_simulation_its_link_is_gone(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(crossing={"open": True})
    await shore.until(lambda: shore.state()["link"] == "open")
    await ship.leave()
    await shore.until(lambda: shore.state()["link"] == "none")


# -- what it offers --------------------------------------------------------------------------------


async def test_where_paraview_waits_the_simulation_is_offered_a_link(shore: Coast) -> None:
    ship = await shore.stays()
    assert await ship.hear("live") is None
    assert shore.state()["link"] == "none"
    first = await offered(shore, ship, processes=8)
    assert shore.state()["link"] == "offered"
    assert await offered(shore, ship) != first


async def test_an_offer_waits_for_the_simulation(shore: Coast) -> None:
    shore.harbour.on_packet(Live(shore.paraview.port, 2))
    ship = await shore.stays()
    assert (await ship.hear("live"))["processes"] == 2
    await ship.leave()
    await shore.until(lambda: not shore.state()["there"])
    assert (await (await shore.stays()).hear("live"))["processes"] == 2


@pytest.mark.parametrize("how", ["it waits no more", "it has ended"])
async def test_an_offer_is_withdrawn(shore: Coast, how: str) -> None:
    ship = await shore.stays()
    ticket = await offered(shore, ship)
    if how == "it has ended":
        shore.harbour.engine_left()
    else:
        shore.harbour.on_packet(Live(0))
    assert await ship.hear("live") is None
    assert shore.state()["link"] == "none"
    late = await shore.linked(ticket)
    assert await late.ended()
    assert shore.state()["strangers"] == "that link is over"
    assert shore.paraview.links.empty()


async def test_an_offer_that_nobody_has_heard_is_withdrawn_all_the_same(shore: Coast) -> None:
    shore.harbour.on_packet(Live(shore.paraview.port))
    shore.harbour.engine_left()
    assert await (await shore.stays()).hear("live") is None


async def test_that_paraview_takes_a_step_reaches_the_simulation(shore: Coast) -> None:
    # Nobody is there yet.
    shore.harbour.on_packet(Next(["input"], True))
    ship = await shore.stays()
    shore.harbour.on_packet(Next(["input", "skin"]))
    shore.harbour.on_packet(Next([], True))
    assert await ship.hear("next") == {"wanted": ["input", "skin"], "ask": False}
    assert await ship.hear("next") == {"wanted": [], "ask": True}


# -- the link --------------------------------------------------------------------------------------


async def test_a_link_is_carried_byte_for_byte_both_ways(shore: Coast) -> None:
    near, far = await carried(shore)
    chance = random.Random(7)
    sizes = [0, 1, 3, 1 << 12, 1 << 16, (1 << 16) + 1, 1 << 20, 5 << 20]
    there = b"".join(message(STATE_LENGTH, chance.randbytes(size)) for size in sizes)
    back = chance.randbytes(6 << 20)

    async def send(ship: Ship, data: bytes) -> None:
        at = 0
        while at < len(data):
            size = chance.choice([1, 2, 100, 1 << 12, 1 << 18])
            ship.writer.write(data[at : at + size])
            await ship.writer.drain()
            at += size

    both = asyncio.gather(
        send(near, there), send(far, back), far.reader.readexactly(len(there)), near.reader.readexactly(len(back))
    )
    _, _, came_there, came_back = await soon(both)
    assert came_there == there
    assert came_back == back


async def test_several_links_are_kept_apart(shore: Coast) -> None:
    ticket = await offered(shore, await shore.stays())
    pairs = []
    for _ in range(10):
        near = await shore.linked(ticket)
        pairs.append((near, await shore.paraview.link()))
    for number, (near, far) in enumerate(pairs):
        near.writer.write(word(number))
        far.writer.write(bytes([number]))
    for number, (near, far) in enumerate(pairs):
        assert await soon(far.reader.readexactly(len(word(number)))) == word(number)
        assert await soon(near.reader.readexactly(1)) == bytes([number])


async def test_of_a_step_that_is_cut_off_paraview_sees_nothing(shore: Coast) -> None:
    near, far = await carried(shore)
    near.writer.write(word(1) + numbered(RMI, POSTPROCESS) + message(STATE_LENGTH, bytes(1 << 20)))
    near.writer.write(b"half a m")
    await near.writer.drain()
    near.sink()
    assert await soon(far.reader.read()) == word(1)


async def test_what_is_no_catalyst_ends_the_link_and_nothing_else(shore: Coast) -> None:
    near, far = await carried(shore)
    near.writer.write(word(1))
    assert await soon(far.reader.readexactly(len(word(1)))) == word(1)
    near.writer.write(b"\xff" * 8 + word(2))
    assert await soon(far.reader.read()) == b""
    assert await near.ended()
    assert shore.state()["there"]


@pytest.mark.parametrize("gently", [True, False])
@pytest.mark.parametrize("who", ["the simulation", "ParaView"])
async def test_who_closes_it_closes_both_ends(shore: Coast, who: str, gently: bool) -> None:
    ends = dict(zip(("the simulation", "ParaView"), await carried(shore), strict=True))
    one = ends.pop(who)
    (other,) = ends.values()
    one.writer.write(word(7))
    if gently:
        await one.leave()
        assert await soon(other.reader.read()) == word(7)
    else:
        one.sink()
        assert await other.ended()
    # With the simulation itself, which goes on.
    await shore.until(lambda: len(shore.harbour._tasks) == 1)
    assert shore.state()["there"]


async def test_links_end_where_nobody_is_waited_for_any_more(shore: Coast) -> None:
    near, far = await carried(shore)
    shore.harbour.leave()
    assert await near.ended()
    assert await far.ended()


@pytest.mark.parametrize("ticket", [None, "", "0" * 32, 0, ["a"], {}, "Größe"])
async def test_without_the_ticket_there_is_no_link(shore: Coast, ticket: object) -> None:
    await offered(shore, await shore.stays())
    thief = await shore.linked(ticket)
    assert await thief.ended()
    assert shore.state()["strangers"] == "that link is over"
    assert shore.paraview.links.empty()


async def test_where_no_link_was_offered_there_is_none(shore: Coast) -> None:
    shore.harbour.on_packet(Live(shore.paraview.port))
    thief = await shore.linked("")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await shore.paraview.links.get()
    assert await thief.ended()


async def test_a_ticket_ends_with_its_simulation(shore: Coast) -> None:
    ship = await shore.stays()
    ticket = await offered(shore, ship)
    await ship.leave()
    await shore.until(lambda: not shore.state()["there"])
    late = await shore.linked(ticket)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await shore.paraview.links.get()
    assert await late.ended()


async def test_the_ticket_of_an_older_offer_is_over(shore: Coast) -> None:
    ship = await shore.stays()
    old, new = await offered(shore, ship), await offered(shore, ship)
    assert await (await shore.linked(old)).ended()
    assert shore.paraview.links.empty()
    await shore.linked(new)
    await shore.paraview.link()


async def test_a_place_that_paraview_has_named_is_where_a_link_goes(shore: Coast, another: ParaView) -> None:
    ticket = await offered(shore, await shore.stays(), processes=2)
    near = await shore.linked(ticket, place=["127.0.0.1", another.port])
    far = await another.link()
    greeting = numbered(WIDTH_OF_IDS, 8)
    near.writer.write(greeting)
    assert await soon(far.reader.readexactly(len(greeting))) == greeting
    assert shore.paraview.links.empty()


async def test_where_it_is_the_server_that_waits_a_link_goes_to_the_servers_host(shore: Coast) -> None:
    ship, server = await shore.stays(), ParaView()
    await server.open("127.0.0.2")
    shore.server = ("127.0.0.2", 0)
    shore.harbour.on_packet(Live(server.port, 4, True))
    assert await ship.hear("live") is None
    live = await ship.hear("live")
    assert live["processes"] == 4
    near = await shore.linked(live["ticket"])
    far = await server.link()
    near.writer.write(word(5))
    assert await soon(far.reader.readexactly(len(word(5)))) == word(5)
    await server.close()


async def test_this_host_by_its_own_name_is_here(
    shore: Coast, another: ParaView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "compute-17.invalid")
    ticket = await offered(shore, await shore.stays(), processes=2)
    await shore.linked(ticket, place=["compute-17.invalid", another.port])
    await another.link()


@pytest.mark.parametrize("place", [5, "x", [], ["127.0.0.1"], ["127.0.0.1", "80"], [80, "127.0.0.1"], {"a": 1}])
async def test_what_is_no_place_is_none(shore: Coast, place: Any) -> None:
    await shore.linked(await offered(shore, await shore.stays()), place=place)
    await shore.paraview.link()


async def test_where_paraview_is_not_the_link_ends_and_the_simulation_stays(shore: Coast, another: ParaView) -> None:
    ticket = await offered(shore, await shore.stays())
    await another.close()
    near = await shore.linked(ticket, place=["127.0.0.1", another.port])
    assert await near.ended()
    assert shore.state()["there"]
    # And the ticket is still good for where it is.
    await shore.linked(ticket)
    await shore.paraview.link()


@pytest.mark.parametrize(
    "more",
    [{"place": ["127.0.0.1", 99_999]}, {"place": ["127.0.0.1", -1]}, {"place": ["a\0b", 80]}, {"ticket": "\ud800"}],
)
async def test_what_no_link_can_be_is_thrown_nowhere(more: dict[str, Any]) -> None:
    one = Coast()
    await one.open()
    try:
        ticket = await offered(one, await one.stays())
        near = await one.comes({"kind": "link", "ticket": ticket, **more})
        assert await near.ended()
        assert one.state()["there"]
    finally:
        await one.close()
    assert one.thrown == []
