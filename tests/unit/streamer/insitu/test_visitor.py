"""Who comes is greeted, proven, heard and seen off, whatever it says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pvlink.insitu import key
from pvlink.insitu.ferry import shore
from pvlink.insitu.ferry.shore import NoShore, Shore
from pvlink.insitu.terms import MAX_LINE, VERSION
from pvlink.streamer.insitu import visitor
from pvlink.streamer.insitu.visitor import Stranger, Visitor
from tests.unit.streamer.insitu.coast import GARBAGE, Ship, another_key, line, mode, opened, proof, soon

pytestmark = pytest.mark.insitu

NONCE = "00ff" * 8


class Gate:
    """Where visitors arrive, one after the other."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Visitor] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._open: list[Visitor | Ship] = []
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._arrives, "127.0.0.1", 0, limit=MAX_LINE)
        self.port = self._server.sockets[0].getsockname()[1]

    def _arrives(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one = Visitor(reader, writer)
        self._open.append(one)
        self._arrived.put_nowait(one)

    async def raw(self) -> tuple[Visitor, Ship]:
        """Both ends of a connection on which nothing was said."""
        ship = Ship(await asyncio.open_connection("127.0.0.1", self.port, limit=MAX_LINE))
        self._open.append(ship)
        return await self.next(), ship

    async def next(self) -> Visitor:
        return await soon(self._arrived.get())

    async def greeted(self, **hello: Any) -> tuple[Visitor, Ship, dict[str, Any]]:
        """Both ends of one on which both have proven who they are, and what the harbour was told."""
        coming = asyncio.create_task(Shore("127.0.0.1", self.port).reach(hello))
        one = await self.next()
        said = await one.greet()
        ship = Ship(await soon(coming))
        self._open.append(ship)
        return one, ship, said

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for one in self._open:
            one.writer.close()
            with contextlib.suppress(ConnectionError):
                await one.writer.wait_closed()


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    one = Gate()
    await one.open()
    yield one
    await one.close()


async def turned_away(gate: Gate, said: bytes) -> str:
    """Why, if somebody says this and then ends."""
    one, ship = await gate.raw()
    ship.writer.write(said)
    with contextlib.suppress(ConnectionError):
        ship.writer.write_eof()
    with pytest.raises(Stranger) as why:
        await one.greet()
    one.close()
    return str(why.value)


async def told(one: Visitor) -> list[dict[str, Any]]:
    async def all_of_it() -> list[dict[str, Any]]:
        return [facts async for facts in one.lines()]

    return await soon(all_of_it())


# -- greeting --------------------------------------------------------------------------------------


async def test_both_know_each_other_and_the_visitor_says_what_it_wants(gate: Gate) -> None:
    _, _, hello = await gate.greeted(kind="simulation", pid=7, name="Größe")
    assert hello["kind"] == "simulation"
    assert hello["pid"] == 7
    assert hello["name"] == "Größe"


async def test_a_key_is_made_where_there_is_none(gate: Gate, secret: Path) -> None:
    assert mode(secret) is None
    await gate.greeted()
    assert mode(secret) == 0o600


async def test_a_greeting_may_come_byte_by_byte(gate: Gate) -> None:
    one, ship = await gate.raw()
    greeting = asyncio.create_task(one.greet())
    await ship.say_in_pieces(pvlink="insitu", version=1, nonce=NONCE)
    answer = await ship.line()
    theirs = answer["nonce"]
    assert answer == {"nonce": theirs, "version": 1, "proof": proof(key.read(), "shore", NONCE, theirs)}
    await ship.say_in_pieces(proof=proof(key.read(), "ferry", NONCE, theirs), kind="link")
    assert (await greeting)["kind"] == "link"


async def test_greeting_and_first_words_may_come_together(gate: Gate) -> None:
    one, ship = await gate.raw()
    greeting = asyncio.create_task(one.greet())
    ship.say(pvlink="insitu", version=1, nonce=NONCE)
    theirs = (await ship.line())["nonce"]
    ship.writer.write(line({"proof": proof(key.read(), "ferry", NONCE, theirs)}) + line({"a": 1}) + line({"b": 2}))
    await greeting
    await ship.leave()
    assert await told(one) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("what", GARBAGE)
async def test_what_is_no_greeting_is_turned_away(gate: Gate, what: str) -> None:
    why = await turned_away(gate, GARBAGE[what])
    assert why.startswith("it has hung up" if what in ("nothing", "half a character") else "it says nothing that")


async def test_brackets_without_end_are_turned_away(gate: Gate) -> None:
    assert await turned_away(gate, b"[" * 50_000 + b"\n") == "it says nothing that pvlink says"


async def test_silence_is_turned_away(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "GREETING", 0.05)
    one, _ = await gate.raw()
    with pytest.raises(Stranger):
        await one.greet()


async def test_of_silence_there_is_a_sentence(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "GREETING", 0.05)
    one, _ = await gate.raw()
    with pytest.raises(Stranger) as why:
        await one.greet()
    assert str(why.value) == "it has not said within 0.05 s who it is"


async def test_a_byte_now_and_then_buys_no_time(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "GREETING", 0.2)
    one, ship = await gate.raw()

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                ship.writer.write(b" ")
                await asyncio.sleep(0.01)

    dripping = asyncio.create_task(drip())
    with pytest.raises(Stranger):
        await one.greet()
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)


async def test_who_stops_in_the_middle_of_the_greeting_is_turned_away(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "GREETING", 0.1)
    one, ship = await gate.raw()
    ship.say(pvlink="insitu", version=1, nonce=NONCE)
    with pytest.raises(Stranger):
        await one.greet()


async def test_another_version_hears_ours_before_it_is_turned_away(gate: Gate) -> None:
    one, ship = await gate.raw()
    ship.say(pvlink="insitu", version=2, nonce=NONCE)
    with pytest.raises(Stranger, match="another version"):
        await one.greet()
    assert await ship.line() == {"version": VERSION}


async def test_a_ferry_of_another_version_knows_why(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shore, "VERSION", 99)
    coming = asyncio.create_task(Shore("127.0.0.1", gate.port).reach({}))
    one = await gate.next()
    with pytest.raises(Stranger):
        await one.greet()
    with pytest.raises(NoShore, match="another version"):
        await soon(coming)


async def test_a_ferry_with_another_key_knows_why(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    another_key(monkeypatch)
    coming = asyncio.create_task(Shore("127.0.0.1", gate.port).reach({}))
    one = await gate.next()
    with pytest.raises(Stranger):
        await one.greet()
    with pytest.raises(NoShore, match="another key"):
        await soon(coming)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"proof": None},
        {"proof": 5},
        {"proof": ["a"]},
        {"proof": ""},
        {"proof": "0" * 64},
        {"proof": "Größe"},
        {"kind": "simulation", "ticket": "x"},
    ],
)
async def test_without_a_proof_nobody_comes_in(gate: Gate, answer: dict[str, Any]) -> None:
    one, ship = await gate.raw()
    ship.say(pvlink="insitu", version=1, nonce=NONCE)
    ship.say(**answer)
    with pytest.raises(Stranger, match=f"another key than {key.place()}"):
        await one.greet()


async def test_our_own_proof_is_none_of_theirs(gate: Gate) -> None:
    one, ship = await gate.raw()
    greeting = asyncio.create_task(one.greet())
    ship.say(pvlink="insitu", version=1, nonce=NONCE)
    ship.say(proof=(await ship.line())["proof"])
    with pytest.raises(Stranger, match="another key"):
        await greeting


async def test_a_proof_is_good_for_one_connection(gate: Gate) -> None:
    first, ship = await gate.raw()
    greeting = asyncio.create_task(first.greet())
    ship.say(pvlink="insitu", version=1, nonce=NONCE)
    good = proof(key.read(), "ferry", NONCE, (await ship.line())["nonce"])
    ship.say(proof=good)
    await greeting
    second, thief = await gate.raw()
    thief.say(pvlink="insitu", version=1, nonce=NONCE)
    thief.say(proof=good)
    with pytest.raises(Stranger, match="another key"):
        await second.greet()


async def test_a_key_that_others_can_read_is_none(gate: Gate, secret: Path) -> None:
    opened(secret)
    assert "chmod 600" in await turned_away(gate, line({"pvlink": "insitu", "version": 1, "nonce": NONCE}))


# -- what is said then -----------------------------------------------------------------------------


async def test_lines_come_as_they_were_said_however_they_are_cut(gate: Gate) -> None:
    one, ship, _ = await gate.greeted()
    said = [{"n": n, "text": "ä\n" * n} for n in range(20)]
    whole = b"".join(map(line, said))
    for start in range(0, len(whole), 7):
        ship.writer.write(whole[start : start + 7])
        await ship.writer.drain()
    await ship.leave()
    assert await told(one) == said


async def test_a_line_may_be_as_long_as_lines_are(gate: Gate) -> None:
    one, ship, _ = await gate.greeted()
    long = {"text": "x" * (MAX_LINE - 100)}
    ship.say(**long)
    ship.say(after=1)
    await ship.writer.drain()
    await ship.leave()
    assert await told(one) == [long, {"after": 1}]


@pytest.mark.parametrize(
    "end",
    [b"x" * (MAX_LINE + 2) + b"\n", b'{"half":', b"[]\n", b"7\n", b"\n", b"\xff\n", b'{"a":1}'],
    ids=["too long", "half", "a list", "a number", "empty", "no Unicode", "no end of line"],
)
async def test_after_nonsense_nothing_is_heard_any_more(gate: Gate, end: bytes) -> None:
    one, ship, _ = await gate.greeted()
    ship.say(good=True)
    ship.writer.write(end)
    ship.writer.write_eof()
    assert await told(one) == [{"good": True}]


async def test_who_sinks_is_heard_no_more(gate: Gate) -> None:
    one, ship, _ = await gate.greeted()
    listening = asyncio.create_task(told(one))
    await asyncio.sleep(0)
    ship.sink()
    assert await listening == []


async def test_who_says_nothing_for_too_long_is_gone(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "SILENCE", 0.05)
    one, ship, _ = await gate.greeted()
    ship.say(a=1)
    assert await told(one) == [{"a": 1}]


async def test_who_says_a_word_now_and_then_is_there(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "SILENCE", 2.0)
    one, ship, _ = await gate.greeted()
    listening = asyncio.create_task(told(one))
    for _ in range(8):
        ship.say(tick=True)
        await asyncio.sleep(0.3)
    await ship.leave()
    assert len(await listening) == 8


async def test_what_is_said_to_it_is_one_line_each(gate: Gate) -> None:
    one, ship, _ = await gate.greeted()
    one.say(order={"do": "pause"}, text="a\nb")
    one.say(tick=True)
    assert await ship.line() == {"order": {"do": "pause"}, "text": "a\nb"}
    assert await soon(ship.reader.readline()) == b'{"tick":true}\n'


async def test_to_who_has_gone_nothing_is_said(gate: Gate) -> None:
    one, ship, _ = await gate.greeted()
    one.close()
    one.close()
    one.say(tick=True)
    assert await ship.ended()
