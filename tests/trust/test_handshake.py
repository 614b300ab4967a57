"""Every way not to finish the handshake, at every door: closed with 4401, and nothing learnt."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pvlink.protocol import CLOSE_DENIED, PROTOCOL_VERSION, TICKET_SECONDS, Grant
from pvlink.streamer import doorman, tickets
from pvlink.streamer.hub import Hub
from tests.trust.house import DOORS, House, answer_of, close_code, greet, greeted, hello, say
from tests.unit.streamer.harness import proof

pytestmark = pytest.mark.trust

Socket = aiohttp.ClientWebSocketResponse
JOIN = {"protocol": PROTOCOL_VERSION, "width": 320, "height": 240, "codecs": ["jpeg"]}
GREET = {"protocol": PROTOCOL_VERSION, "ticket": "t" * 22, "nonce": "n" * 32}

FIRST_WORDS: dict[str, str | bytes] = {
    "an unknown ticket": json.dumps(GREET),
    "an empty ticket": json.dumps(GREET | {"ticket": ""}),
    "null": json.dumps(GREET | {"ticket": None}),
    "true": json.dumps(GREET | {"ticket": True}),
    "a number": json.dumps(GREET | {"ticket": 0}),
    "a list": json.dumps(GREET | {"ticket": ["t"]}),
    "a long ticket": json.dumps(GREET | {"ticket": "t" * 65}),
    "a huge ticket": json.dumps(GREET | {"ticket": "t" * 60_000}),
    "no nonce": json.dumps({"protocol": PROTOCOL_VERSION, "ticket": "t"}),
    "a short nonce": json.dumps(GREET | {"nonce": "n"}),
    "a number for a nonce": json.dumps(GREET | {"nonce": 5}),
    "one thing more": json.dumps(GREET | {"role": "owner"}),
    "a list of greetings": json.dumps([GREET]),
    "nothing": "",
    "no JSON": "hello",
    "deep JSON": "[" * 4000,
    "a greeting in bytes": json.dumps(GREET).encode(),
    "garbage": secrets.token_bytes(100),
    "no bytes": b"",
    "wslink's own old secret": json.dumps({"secret": "wslink-secret"}),
}


@pytest.mark.parametrize("door", DOORS)
async def test_whoever_does_not_begin_with_a_good_ticket_is_out(house: House, door: str) -> None:
    for name, word in FIRST_WORDS.items():
        async with house.socket(door) as ws:
            await (ws.send_str(word) if isinstance(word, str) else ws.send_bytes(word))
            assert await close_code(ws) == CLOSE_DENIED, name


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["wslink.hello", "pvlink.join", "application.exit"])
async def test_nothing_is_done_for_whoever_has_not_greeted(house: House, door: str, method: str) -> None:
    async with house.socket(door) as ws:
        await say(ws, hello({"secret": None}) | {"method": method})
        assert await close_code(ws) == CLOSE_DENIED


def secrets_shown(grant: Grant, theirs: str, shown: str) -> dict[str, list[Any]]:
    """What is not the viewer's proof, as the arguments of hello."""
    old = proof("viewer", grant, "n" * 32, "recorded-from-another-connection")
    return {
        "null": [{"secret": None}],
        "empty": [{"secret": ""}],
        "true": [{"secret": True}],
        "false": [{"secret": False}],
        "zero": [{"secret": 0}],
        "a list": [{"secret": [shown]}],
        "bytes": [{"secret": shown.encode()}],
        "an object": [{"secret": {"secret": shown}}],
        "the streamer's own proof": [{"secret": theirs}],
        "upper case": [{"secret": shown.upper()}],
        "cut short": [{"secret": shown[:-1]}],
        "one more": [{"secret": shown + "0"}],
        "of another connection": [{"secret": old}],
        "the key itself": [{"secret": grant.key}],
        "the ticket itself": [{"secret": grant.ticket}],
        "nowhere": [],
        "in another place": [{"password": shown}],
        "not in an object": [shown],
        "second": [{}, {"secret": shown}],
    }


@pytest.mark.parametrize("door", DOORS)
async def test_only_the_proof_of_this_connection_opens(house: House, door: str) -> None:
    names = secrets_shown(Grant("", "", "", "view"), "", "")
    for name in names:
        grant = await house.grant(door)
        async with house.socket(door) as ws:
            answer, shown = await greeted(ws, grant)
            await say(ws, hello(*secrets_shown(grant, answer.proof, shown)[name]))
            assert await close_code(ws) == CLOSE_DENIED, name
        # And its ticket is gone with it.
        async with house.socket(door) as ws:
            await greet(ws, grant.ticket)
            assert await close_code(ws) == CLOSE_DENIED, name


@pytest.mark.parametrize("door", DOORS)
async def test_a_recorded_handshake_played_again_opens_nothing(house: House, door: str) -> None:
    grant = await house.grant(door)
    async with house.socket(door) as ws:
        _, shown = await greeted(ws, grant)
        await say(ws, hello({"secret": shown}))
        assert "result" in await answer_of(ws)
    async with house.socket(door) as ws:
        await greet(ws, grant.ticket)
        await say(ws, hello({"secret": shown}))
        assert await close_code(ws) == CLOSE_DENIED
    # With a ticket that is good, too: the proof was for other nonces.
    async with house.socket(door) as ws:
        await greeted(ws, await house.grant(door))
        await say(ws, hello({"secret": shown}))
        assert await close_code(ws) == CLOSE_DENIED


@pytest.mark.parametrize("door", DOORS)
async def test_a_second_greeting_or_hello_changes_nothing(house: House, door: str) -> None:
    async with house.socket(door) as ws:
        await greeted(ws, await house.grant(door))
        await greet(ws, (await house.grant(door)).ticket)
        assert await close_code(ws) == CLOSE_DENIED
    grant = await house.grant(door)
    async with house.socket(door) as ws:
        _, shown = await greeted(ws, grant)
        await say(ws, hello({"secret": shown}))
        assert "result" in await answer_of(ws)
        for again in (hello({"secret": shown}), hello({"secret": None}), hello({}, name="system:c1:1")):
            await say(ws, again)
            assert "error" in await answer_of(ws)


@pytest.mark.parametrize("door", DOORS)
async def test_two_sockets_at_once_with_one_ticket_one_gets_in(house: House, door: str) -> None:
    grant = await house.grant(door)
    async with house.socket(door) as one, house.socket(door) as two:
        await asyncio.gather(greet(one, grant.ticket), greet(two, grant.ticket))
        answers = await asyncio.gather(one.receive(), two.receive())
        kinds = sorted(answer.type.name for answer in answers)
        assert kinds == ["CLOSE", "TEXT"]


async def test_a_ticket_is_good_at_its_own_door_and_session_only(house: House) -> None:
    for mine, other in (("link", "unix"), ("link", "jupyter"), ("unix", "link"), ("jupyter", "link")):
        grant = await house.grant(mine)
        async with house.socket(other) as ws:
            await greet(ws, grant.ticket)
            assert await close_code(ws) == CLOSE_DENIED, (mine, other)
    grant = await house.grant("unix")

    async def show(ws: Socket) -> None:
        await greet(ws, grant.ticket)
        assert await close_code(ws) == CLOSE_DENIED

    await at(str(house.other.path), show)


@pytest.mark.parametrize("door", DOORS)
async def test_a_ticket_is_good_for_its_own_view_only(house: House, door: str) -> None:
    async with house.socket(door) as ws:
        _, shown = await greeted(ws, await house.grant(door, "1"))
        await say(ws, hello({"secret": shown}))
        await answer_of(ws)
        for view in ("2", "", "3", "1 "):
            join = {"wslink": "1.0", "id": "rpc:c0:1", "method": "pvlink.join", "args": [JOIN | {"view": view}]}
            await say(ws, join)
            assert "another view" in (await answer_of(ws))["error"]["message"]


async def test_the_name_of_a_session_gives_nothing(house: House) -> None:
    """It stands in every saved notebook: a name, not a key."""
    name = house.kernel.session
    async with house.socket("unix") as ws:
        await greet(ws, name)
        assert await close_code(ws) == CLOSE_DENIED
    async with aiohttp.ClientSession() as http:
        for url in (f"{house.url}pvlink/{name}", f"{house.url}pvlink/{name}?token={name}"):
            async with http.get(url) as answer:
                assert answer.status == 403
    async with house.client("link", headers={"Origin": house.link_origin}) as http:
        share = await house.shared(house.kernel, "1", "")
        for url in (f"{house.link_origin}/s/{name}/ticket", house.address("link", "ticket", share=share)):
            async with http.post(url, data=json.dumps({"password": name})) as answer:
                assert answer.status in (403, 404)


# -- bytes and seconds ---------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
async def test_a_stranger_may_say_64_kib(house: House, door: str) -> None:
    async with house.socket(door) as ws:
        await greeted(ws, await house.grant(door))
        said = 0

        async def talk() -> None:
            nonlocal said
            # Each would be allowed, alone.
            while said < 1 << 20:
                await say(ws, {"wslink": "1.0", "id": "rpc:c0:1", "method": "x" * 3900, "args": []})
                said += 3900
                await asyncio.sleep(0.005)

        began = time.monotonic()
        talking = asyncio.create_task(talk())
        await close_code(ws)
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        assert said >= 60_000
        assert said < 1 << 20
        # Not because its time was over.
        assert time.monotonic() - began < doorman.STRANGER_SECONDS


@pytest.fixture
async def hurried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[tuple[Hub, str]]:
    """A streamer in this process, to whose strangers half a second is given and to tickets a tenth."""
    monkeypatch.setattr(doorman, "STRANGER_SECONDS", 0.5)
    monkeypatch.setattr(tickets, "TICKET_SECONDS", 0.1)
    hub = Hub()
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    await hub.door.open(listener)
    yield hub, path
    await hub.close(kernel_gone=False)


async def at(path: str, work: Callable[[Socket], Awaitable[None]]) -> None:
    http = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path))
    async with http, http.ws_connect("http://pvlink/ws") as ws:
        await work(ws)


async def test_a_ticket_that_is_too_old_opens_nothing(hurried: tuple[Hub, str]) -> None:
    hub, path = hurried
    grant = hub.reception.ticket_for_jupyter("1", "owner", "ann")
    await asyncio.sleep(0.12)

    async def late(ws: Socket) -> None:
        await greet(ws, grant.ticket)
        assert await close_code(ws) == CLOSE_DENIED

    await at(path, late)


@pytest.mark.parametrize("greets", [False, True])
async def test_a_stranger_has_so_many_seconds(hurried: tuple[Hub, str], greets: bool) -> None:
    hub, path = hurried

    async def dawdle(ws: Socket) -> None:
        if greets:
            await greeted(ws, hub.reception.ticket_for_jupyter("1", "owner", "ann"))
        began = time.monotonic()
        await close_code(ws)
        assert 0.2 < time.monotonic() - began < 5

    await at(path, dawdle)
    assert hub.reception.people("1").viewers == []


async def test_five_seconds_and_64_kib_are_what_is_promised() -> None:
    assert (doorman.STRANGER_SECONDS, doorman.STRANGER_BYTES) == (5.0, 64 << 10)
    assert TICKET_SECONDS == 30
