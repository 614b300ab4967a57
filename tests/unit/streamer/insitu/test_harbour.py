"""One simulation at a time: what it says is there for the kernel, once; what it is asked for reaches it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pvlink.insitu import key
from pvlink.insitu.ferry import __main__ as ferry_module
from pvlink.insitu.ferry.__main__ import Ferry
from pvlink.insitu.ferry.shore import NoShore
from pvlink.streamer.insitu import harbour as harbour_module
from pvlink.streamer.insitu import visitor
from pvlink.streamer.insitu.harbour import MAX_VISITORS, Harbour, HarbourError
from tests.unit.streamer.insitu.coast import GARBAGE, HELLO, Coast, another_key, line, opened, proof, soon

pytestmark = pytest.mark.insitu

NOBODY = {"op": "simulation", "hello": None}
POINT = [3, 1.5, {"max(V)": 0.25}]


async def said(shore: Coast, event: dict[str, Any] | None = None) -> None:
    """Wait until the harbour has heard this one, and so all that was said before."""
    last = {"kind": "mark"} if event is None else event
    await shore.until(lambda: any(one == last for _, one in shore.state()["events"]))


# -- what it says ----------------------------------------------------------------------------------


async def test_before_one_comes_nothing_is_known(shore: Coast) -> None:
    assert shore.state() == {
        "place": f"127.0.0.1:{shore.port}",
        "there": False,
        "simulation": None,
        "status": {},
        "standing": "",
        "ended": "",
        "link": "none",
        "strangers": "",
        "silent": 0.0,
        "events": [],
        "points": [],
    }


async def test_who_it_is_is_known_and_its_proof_is_not(shore: Coast) -> None:
    await shore.stays()
    state = shore.state()
    assert state["there"] is True
    assert state["simulation"] == HELLO
    assert shore.kinds() == ["came"]


async def test_what_it_says_is_there_once_each_by_its_number(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(status={"step": 2, "time": 1.0, "points": []})
    ship.say(event={"kind": "met", "step": 2})
    await ship.say_in_pieces(status={"step": 3, "time": 1.5, "points": [POINT, [4, 2.0, {"max(V)": 0.5}]]})
    ship.say(event={"kind": "mark"})
    await said(shore)
    state = shore.state()
    assert state["status"] == {"step": 3, "time": 1.5}
    assert [one for _, one in state["events"]] == [
        {"kind": "came", "again": False},
        {"kind": "met", "step": 2},
        {"kind": "mark"},
    ]
    assert [one for _, one in state["points"]] == [POINT, [4, 2.0, {"max(V)": 0.5}]]
    numbers = [number for number, _ in [*state["events"], *state["points"]]]
    assert sorted(set(numbers)) == sorted(numbers)
    for known in range(max(numbers) + 1):
        since = shore.state(known, known)
        assert since["events"] == [one for one in state["events"] if one[0] > known]
        assert since["points"] == [one for one in state["points"] if one[0] > known]


async def test_who_has_nothing_to_say_of_itself_is_as_it_was(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(status={"step": 2})
    ship.say(status={})
    ship.say(event={"kind": "mark"})
    await said(shore)
    assert shore.state()["status"] == {"step": 2}


async def test_that_it_was_stopped_is_known_until_it_runs(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(standing="stopped")
    await shore.until(lambda: shore.state()["standing"] == "stopped")
    ship.say(standing="running")
    await shore.until(lambda: shore.state()["standing"] == "")


@pytest.mark.parametrize("nonsense", [{}, {"status": 5}, {"event": ["a"]}, {"standing": 7}, {"ended": None}, {"x": {}}])
async def test_what_makes_no_sense_is_passed_over(shore: Coast, nonsense: dict[str, Any]) -> None:
    ship = await shore.stays()
    before = shore.state()
    ship.say(**nonsense)
    ship.say(event={"kind": "mark"})
    await said(shore)
    after = shore.state()
    assert after["events"].pop()[1] == {"kind": "mark"}
    assert before | {"silent": 0.0} == after | {"silent": 0.0}


async def test_points_that_make_no_sense_are_passed_over() -> None:
    one = Coast()
    await one.open()
    try:
        ship = await one.stays()
        nonsense: tuple[Any, ...] = (5, None, [5], [[]], [["a", 0.0, {}]], [[1, "b", {}]], [[1, 0.0, []]], {"a": 1})
        for points in nonsense:
            ship.say(status={"step": 1, "points": points})
        ship.say(event={"kind": "mark"})
        await one.until(lambda: "mark" in one.kinds() or not one.state()["there"])
        assert one.state()["there"]
        assert one.state()["points"] == []
    finally:
        await one.close()
    assert one.thrown == []


async def test_of_what_has_happened_only_the_newest_is_kept(shore: Coast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harbour_module, "MAX_EVENTS", 5)
    monkeypatch.setattr(harbour_module, "MAX_POINTS", 7)
    small = Coast()
    await small.open()
    try:
        ship = await small.stays()
        for n in range(20):
            ship.say(event={"kind": "met", "step": n}, status={"step": n, "points": [[n, 0.0, {}]]})
        await said(small, {"kind": "met", "step": 19})
        state = small.state()
        assert [one["step"] for _, one in state["events"]] == list(range(15, 20))
        assert [one[0] for _, one in state["points"]] == list(range(13, 20))
    finally:
        await small.close()


# -- coming and going ------------------------------------------------------------------------------


async def test_a_second_one_is_turned_away_and_the_first_one_stays(shore: Coast) -> None:
    first = await shore.stays()
    second = await shore.comes(name="another", pid=5)
    assert await second.ended()
    assert shore.state()["strangers"] == "another simulation is here already"
    assert shore.state()["simulation"] == HELLO
    first.say(event={"kind": "mark"})
    await said(shore)
    assert shore.kinds() == ["came", "mark"]


async def test_after_the_first_one_there_is_room_for_a_second(shore: Coast) -> None:
    await (await shore.stays()).leave()
    await shore.until(lambda: not shore.state()["there"])
    await shore.stays(name="another", pid=5)


async def test_the_same_one_comes_again_and_nothing_is_forgotten(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(event={"kind": "met"}, status={"step": 7, "points": [POINT]})
    await said(shore, {"kind": "met"})
    ship.sink()
    await shore.until(lambda: not shore.state()["there"])
    state = shore.state()
    assert state["simulation"] == HELLO
    assert state["status"] == {"step": 7}
    await shore.stays()
    assert shore.kinds() == ["came", "met", "left", "came"]
    assert shore.state()["events"][-1][1] == {"kind": "came", "again": True}
    assert [one for _, one in shore.state()["points"]] == [POINT]


@pytest.mark.parametrize("other", [{"host": "node18"}, {"pid": 4712}, {"began": 2000.25}])
async def test_of_another_one_nothing_is_said_that_was_the_formers(shore: Coast, other: dict[str, Any]) -> None:
    ship = await shore.stays()
    ship.say(event={"kind": "met"}, status={"step": 7, "points": [POINT]})
    await said(shore, {"kind": "met"})
    last = max(number for number, _ in shore.state()["events"])
    await ship.leave()
    await shore.until(lambda: not shore.state()["there"])
    await shore.stays(**other)
    state = shore.state(event=last)
    assert shore.kinds() == ["came"]
    assert state["events"][-1][1] == {"kind": "came", "again": False}
    assert state["events"][-1][0] > last
    assert shore.state()["points"] == []


async def test_another_one_is_not_at_the_formers_step(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(status={"step": 7, "paused": True}, event={"kind": "mark"})
    await said(shore)
    await ship.leave()
    await shore.until(lambda: not shore.state()["there"])
    again = await shore.stays(pid=5)
    # As a ferry does it whose simulation has not ended a step yet.
    again.say(status={})
    again.say(event={"kind": "mark"})
    await said(shore)
    assert shore.state()["status"] == {}


async def test_points_that_were_told_are_not_told_again_when_the_same_one_comes_again(
    shore: Coast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ferry_module, "AGAIN", 0.05)
    ours, theirs = socket.socketpair()
    ferrys = await asyncio.open_connection(sock=theirs)
    reader, writer = await asyncio.open_connection(sock=ours)
    ferry = Ferry({**HELLO, "live": f"127.0.0.1:{shore.port}", "pairs": 1}, ferrys[1])
    running = asyncio.create_task(ferry.run(ferrys[0]))
    try:
        await shore.until(lambda: shore.state()["there"])
        writer.write(line({"status": {"step": 3, "points": [POINT]}}))
        await shore.until(lambda: shore.state()["points"])
        assert shore.harbour._simulation is not None
        shore.harbour._simulation.writer.transport.abort()
        await shore.until(lambda: shore.kinds() == ["came", "left", "came"])
        writer.write(line({"event": {"kind": "mark"}}))
        await said(shore)
        assert [one for _, one in shore.state()["points"]] == [POINT]
    finally:
        writer.close()
        await soon(running)
        ferrys[1].close()
        await soon(reader.read())


async def test_what_was_measured_while_it_was_away_is_told(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(status={"step": 3, "points": [POINT]})
    await shore.until(lambda: shore.state()["points"])
    ship.sink()
    await shore.until(lambda: not shore.state()["there"])
    again = await shore.stays()
    # A ferry of its own, that has nothing to say yet, and then what the former one did not get across.
    again.say(status={})
    again.say(status={"step": 4, "points": [POINT, [4, 2.0, {"max(V)": 0.5}]]})
    again.say(event={"kind": "mark"})
    await said(shore)
    assert [one[0] for _, one in shore.state()["points"]] == [3, 4]


async def test_one_that_counts_its_steps_anew_is_measured_all_the_same(shore: Coast) -> None:
    ship = await shore.stays()
    for step in (8, 9, 0, 1):
        ship.say(status={"step": step, "points": [[step, 0.5 * step, {}]]})
    ship.say(event={"kind": "mark"})
    await said(shore)
    assert [one[0] for _, one in shore.state()["points"]] == [8, 9, 0, 1]


async def test_half_a_character_is_told_as_something_that_the_kernel_can_hear(shore: Coast) -> None:
    ship = await shore.comes(name="\udcff.py", user="Größe 😀")
    ship.say(ended="no file \udcff")
    await shore.until(lambda: shore.state()["ended"])
    heard = msgspec.json.decode(msgspec.json.encode(shore.state()))
    assert heard["simulation"]["name"] == "?.py"
    assert heard["simulation"]["user"] == "Größe 😀"
    assert heard["ended"] == "no file ?"


async def test_who_says_nothing_for_too_long_is_gone(shore: Coast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "SILENCE", 0.1)
    ship = await shore.comes()
    assert await ship.ended()
    await shore.until(lambda: shore.kinds() == ["came", "left"])
    assert not shore.state()["there"]
    assert shore.told[-1] == NOBODY


async def test_how_long_it_is_silent_is_known(shore: Coast) -> None:
    ship = await shore.stays()
    await asyncio.sleep(0.2)
    assert shore.state()["silent"] >= 0.2
    ship.say(tick=True)
    await shore.until(lambda: shore.state()["silent"] < 0.2)
    await ship.leave()
    await shore.until(lambda: not shore.state()["there"])
    assert shore.state()["silent"] == 0.0


async def test_that_it_has_ended_is_remembered(shore: Coast) -> None:
    ship = await shore.stays()
    ship.say(ended="finished")
    await ship.leave()
    await shore.until(lambda: not shore.state()["there"])
    assert shore.state()["ended"] == "finished"
    assert shore.state()["simulation"] == HELLO
    # That its connection has ended, too, is no news.
    assert shore.kinds() == ["came", "ended"]
    await shore.stays(pid=5)
    assert shore.state()["ended"] == ""


# -- strangers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", GARBAGE)
async def test_a_stranger_is_turned_away_and_the_simulation_stays(
    shore: Coast, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship = await shore.stays()
    monkeypatch.setattr(visitor, "GREETING", 0.1)
    stranger = await shore.raw(GARBAGE[what])
    assert await stranger.ended()
    await shore.until(lambda: shore.state()["strangers"])
    ship.say(event={"kind": "mark"})
    await said(shore)


async def test_one_with_another_key_is_turned_away(shore: Coast, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        another_key(patch)
        with pytest.raises(NoShore, match="another key"):
            await shore.comes()
    await shore.until(lambda: shore.state()["strangers"])
    assert not shore.state()["there"]
    await shore.stays()


async def test_that_one_has_another_key_is_said_to_whoever_waits(shore: Coast, monkeypatch: pytest.MonkeyPatch) -> None:
    another_key(monkeypatch)
    with pytest.raises(NoShore):
        await shore.comes()
    await shore.until(lambda: shore.state()["strangers"])
    assert shore.state()["strangers"] == f"it has hung up, and may have another key than {key.place()}"


async def test_one_that_lies_about_its_key_is_turned_away(shore: Coast) -> None:
    liar = await shore.raw(line({"pvlink": "insitu", "version": 1, "nonce": "a"}))
    theirs = (await liar.line())["nonce"]
    liar.say(**HELLO, proof=proof(bytes(key.LENGTH), "ferry", "a", theirs))
    assert await liar.ended()
    assert shore.state()["strangers"] == f"the simulation has another key than {key.place()}"


@pytest.mark.parametrize(
    "parameters", [None, 5, ["F"], [{"name": "F"}], [{"name": "<b>", "low": 0, "high": 1}], [{}] * 200]
)
async def test_one_whose_parameters_make_no_sense_is_turned_away(shore: Coast, parameters: Any) -> None:
    ship = await shore.comes(parameters=parameters)
    assert await ship.ended()
    assert shore.state()["strangers"]
    assert shore.state()["simulation"] is None


async def test_so_many_strangers_at_once_and_no_more(shore: Coast, monkeypatch: pytest.MonkeyPatch) -> None:
    ship = await shore.stays()
    monkeypatch.setattr(visitor, "GREETING", 1.0)
    strangers = [await shore.raw() for _ in range(70)]
    # With the simulation itself.
    for late in strangers[MAX_VISITORS - 1 :]:
        assert await late.ended()
    assert len(shore.harbour._tasks) <= MAX_VISITORS
    ship.say(event={"kind": "mark"})
    await said(shore)
    for stranger in strangers:
        assert await stranger.ended()
    assert shore.state()["strangers"] != ""
    await ship.leave()
    await shore.until(lambda: not shore.state()["there"])
    await shore.stays()


# -- what it is asked for --------------------------------------------------------------------------


async def test_orders_reach_it_one_after_the_other(shore: Coast) -> None:
    ship = await shore.stays()
    for number in range(50):
        shore.harbour.order({"do": "step", "number": number})
    assert [await ship.hear("order") for _ in range(50)] == [{"do": "step", "number": n} for n in range(50)]


async def test_where_nobody_is_an_order_says_what_to_do(shore: Coast) -> None:
    with pytest.raises(HarbourError, match=f"Bridge\\(live='127.0.0.1:{shore.port}'\\)"):
        shore.harbour.order({"do": "pause"})
    await (await shore.stays()).leave()
    await shore.until(lambda: not shore.state()["there"])
    with pytest.raises(HarbourError):
        shore.harbour.order({"do": "pause"})


async def test_it_is_told_again_and_again_that_somebody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harbour_module, "TICK", 0.02)
    one = Coast()
    await one.open()
    try:
        ship = await one.stays()
        for _ in range(5):
            assert await ship.hear("tick") is True
    finally:
        await one.close()


async def test_a_harbour_that_is_opened_anew_ticks_once(shore: Coast) -> None:
    for _ in range(3):
        await shore.reopen(0)
    waiting: list[asyncio.TimerHandle] = vars(asyncio.get_running_loop())["_scheduled"]
    ticking = [one for one in waiting if not one.cancelled() and "_tick" in repr(one)]
    assert len(ticking) == 1


# -- opening and leaving ---------------------------------------------------------------------------


async def test_where_somebody_waits_already_is_said_with_what_to_do(shore: Coast) -> None:
    second = Harbour(shore.told.append, lambda: ("", 0))
    with pytest.raises(HarbourError, match=r"has this port\. session\.monitor\('localhost:22223'\)"):
        await second.open("127.0.0.1", shore.port)
    assert second.state(0, 0)["place"] == ""
    await second.close()
    await shore.stays()


async def test_where_no_place_is_is_said(shore: Coast) -> None:
    second = Harbour(shore.told.append, lambda: ("", 0))
    with pytest.raises(HarbourError, match=r"No simulation can come to 192\.0\.2\.1:0: "):
        await second.open("192.0.2.1", 0)
    await second.close()


async def test_without_a_key_nobody_is_waited_for(shore: Coast, secret: Path) -> None:
    opened(secret)
    second = Harbour(shore.told.append, lambda: ("", 0))
    with pytest.raises(HarbourError, match="chmod 600"):
        await second.open("127.0.0.1", 0)
    await second.close()


async def test_who_leaves_takes_all_along(shore: Coast) -> None:
    before = shore.state()
    ship, stranger = await shore.stays(), await shore.raw()
    ship.say(event={"kind": "mark"}, status={"step": 1, "points": [POINT]}, standing="stopped")
    await said(shore)
    shore.harbour.leave()
    shore.harbour.leave()
    assert await ship.ended()
    assert await stranger.ended()
    with pytest.raises(OSError, match="Connect call failed"):
        await shore.raw()
    assert shore.state() == {**before, "place": ""}


async def test_who_has_left_can_come_back_to_the_same_place(shore: Coast) -> None:
    first = await shore.stays()
    await shore.reopen(shore.port)
    assert await first.ended()
    assert shore.state()["simulation"] is None
    again = await shore.stays()
    shore.harbour.order({"do": "pause"})
    assert await again.hear("order") == {"do": "pause"}
    # The former connection's end is not this one's.
    assert shore.state()["there"]


async def test_closing_may_be_done_twice_and_leaves_nobody_behind() -> None:
    one = Coast()
    await one.open()
    ship = await one.stays()
    await one.harbour.close()
    assert one.harbour._tasks == set()
    await one.close()
    assert await ship.ended()
