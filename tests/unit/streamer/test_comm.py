"""Viewers that reach nothing but the kernel: a real streamer, a real switchboard, and a browser made of messages."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from wslink.chunking import UnChunker, generate_chunks

from pvlink import channel, comm
from pvlink.comm import Switchboard
from pvlink.protocol import CLOSE_GONE, CLOSE_NO_SESSION, PROTOCOL_VERSION, Grant, Greet, Greeted
from tests.unit.streamer.fake_engine import FakeEngine
from tests.unit.streamer.harness import Kernel, proof, until

pytestmark = pytest.mark.ways


class Session:
    """What the kernel holds of a session."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.id = kernel.session
        self.stopped = False

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        self.kernel.send(op, **facts)
        answer, _ = self.kernel.receive()
        if not answer.pop("ok"):
            raise ValueError(answer["error"])
        return answer


class Browser:
    """Says what a viewer says, hears everything the widget says to all pages."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self.channel = secrets.token_hex(16)
        self.grant = Grant(secrets.token_hex(16), secrets.token_hex(32), "1", "view")
        self.heard: list[tuple[dict[str, Any], list[bytes]]] = []
        self.seq = 0
        self._read = 0
        self._whole: list[dict[str, Any]] = []
        self._unchunker = UnChunker()
        self._unchunker.set_max_message_size(64 << 20)

    def say(self, what: str, *buffers: bytes, **facts: Any) -> None:
        self.seq += 1
        self.board.heard({"pvlink": what, "channel": self.channel, "seq": self.seq, **facts}, list(buffers))

    def words(self, what: str) -> list[dict[str, Any]]:
        return [word for word, _ in self.heard if word["pvlink"] == what and word["channel"] == self.channel]

    def ticket(self, **facts: Any) -> None:
        self.say("ticket", ticket=self.grant.ticket, key=self.grant.key, **facts)

    async def hears(self, what: str) -> dict[str, Any]:
        await until(lambda: self.words(what))
        return self.words(what)[-1]

    async def enter(self) -> None:
        self.ticket()
        assert self.words("granted")
        self.say("open")
        await self.hears("open")
        greet = Greet(PROTOCOL_VERSION, self.grant.ticket, secrets.token_hex(16))
        self.say("data", text=msgspec.json.encode(greet).decode())
        greeted = msgspec.json.decode((await self.hears("data"))["text"], type=Greeted)
        assert greeted.proof == proof("streamer", self.grant, greet.nonce, greeted.nonce)
        secret = proof("viewer", self.grant, greet.nonce, greeted.nonce)
        self.call("system:c0:0", "wslink.hello", {"secret": secret})
        join = {"protocol": PROTOCOL_VERSION, "view": "1", "width": 320, "height": 240, "codecs": ["jpeg", "png"]}
        self.call("rpc:c0:1", "pvlink.join", join)

    def call(self, name: str, method: str, argument: object) -> None:
        message = {"wslink": "1.0", "id": name, "method": method, "args": [argument], "kwargs": {}}
        for chunk in generate_chunks(msgspec.msgpack.encode(message), 1 << 20):
            self.say("data", chunk)

    def messages(self) -> list[dict[str, Any]]:
        """All that the streamer has said to this viewer until now."""
        for word, parts in self.heard[self._read :]:
            for part in parts if word["channel"] == self.channel else ():
                if isinstance(whole := self._unchunker.process_chunk(part), dict):
                    self._whole.append(whole)
        self._read = len(self.heard)
        return self._whole

    async def answer(self, name: str) -> dict[str, Any]:
        await until(lambda: any(one["id"].startswith(name) for one in self.messages()))
        return next(one for one in self._whole if one["id"].startswith(name))


@pytest.fixture
async def engine(kernel: Kernel) -> AsyncIterator[FakeEngine]:
    engine = await kernel.engine()
    yield engine
    engine.die()


@pytest.fixture
async def browser(kernel: Kernel, engine: FakeEngine) -> AsyncIterator[Browser]:
    browser = made(Session(kernel))
    yield browser
    browser.board.close()
    # What is on its way is read to its end.
    await until(lambda: len(asyncio.all_tasks()) == 1)


def made(session: Session) -> Browser:
    everything: list[tuple[dict[str, Any], list[bytes]]] = []
    board = Switchboard(session, "1", lambda word, buffers: everything.append((word, buffers)))
    browser = Browser(board)
    browser.heard = everything
    return browser


async def test_a_picture_comes_through_the_kernel(browser: Browser, engine: FakeEngine) -> None:
    await browser.enter()

    assert (await browser.answer("rpc:c0:1"))["result"]["role"] == "owner"
    assert (await browser.answer("publish:pvlink.frame"))["result"]["codec"] == "jpeg"


async def test_what_the_kernel_says_holds_no_key_and_no_name_of_a_ticket(browser: Browser) -> None:
    await browser.enter()
    await browser.answer("publish:pvlink.frame")
    said = repr(browser.heard)

    assert browser.grant.key not in said
    assert browser.grant.ticket not in said


async def test_passwords_of_links_do_not_come_this_way(browser: Browser, kernel: Kernel) -> None:
    password = "correct horse battery"
    share = Session(kernel).ask("share", view="1", role="view", expires=60, password=password)["share"]["share"]
    await browser.enter()
    browser.call("rpc:c0:7", "pvlink.password", {"share": share})

    assert "Others could read it" in (await browser.answer("rpc:c0:7"))["error"]["message"]
    assert password not in repr(browser.messages())


async def test_a_ticket_is_good_once(browser: Browser) -> None:
    await browser.enter()
    second = Browser(browser.board)
    second.heard, second.grant = browser.heard, browser.grant
    second.say("open")
    await second.hears("open")
    second.say("data", text=msgspec.json.encode(Greet(PROTOCOL_VERSION, second.grant.ticket, "n" * 24)).decode())

    assert (await second.hears("closed"))["code"] == 4401


async def test_others_messages_are_not_taken_for_ones_own(browser: Browser) -> None:
    await browser.enter()
    other = Browser(browser.board)
    other.heard = browser.heard
    await other.enter()
    assert len(browser.board) == 2
    other.say("close")

    await until(lambda: len(browser.board) == 1)
    assert not browser.words("closed")


async def test_what_was_taken_is_said(browser: Browser) -> None:
    await browser.enter()
    await until(lambda: any(word["seen"] == browser.seq for word, _ in browser.heard))


async def test_a_cell_that_begins_is_told_to_those_who_watch(browser: Browser) -> None:
    await browser.enter()
    browser.board.cell("busy")
    browser.board.cell("idle")

    assert browser.words("busy")
    assert browser.words("idle")


async def test_a_viewer_that_went_away_is_forgotten(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(comm, "SILENT_TICKS", 3)
    await browser.enter()

    await until(lambda: len(browser.board) == 0)
    assert (await browser.hears("closed"))["code"] == CLOSE_GONE


async def test_a_viewer_that_does_not_answer_gets_a_few_pictures_and_no_more(
    browser: Browser, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await browser.enter()
    await browser.answer("rpc:c0:1")
    monkeypatch.setattr(channel, "MAX_UNHEARD_BYTES", 1)
    engine.change(frames=50)
    # What follows is the still, once the view rests; a viewer that is heard gets on with it.
    await until(lambda: not browser.board._channels[browser.channel]._heard.is_set())
    before = len(browser.heard)
    browser.say("data")

    await until(lambda: len(browser.heard) > before)


async def test_a_viewer_that_says_more_than_is_taken_is_cut(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "MAX_WAITING", 8)
    await browser.enter()
    for _ in range(9):
        browser.say("data", b"x" * 64)

    assert "more than was taken" in browser.words("closed")[0]["message"]
    assert len(browser.board) == 0


async def test_the_end_of_the_session_is_said(browser: Browser, kernel: Kernel) -> None:
    await browser.enter()
    kernel.socket.close()

    assert (await browser.hears("closed"))["code"] == CLOSE_GONE
    browser.say("open")
    await until(lambda: any(word["code"] == CLOSE_NO_SESSION for word in browser.words("closed")))
    assert len(browser.board) == 0


async def test_a_session_that_refuses_says_why(browser: Browser) -> None:
    browser.ticket()
    browser.ticket()

    assert browser.words("refused")[0]["message"] == "Too many pages connect at once."


@pytest.mark.parametrize(
    "content",
    [
        None,
        "pvlink",
        {"kind": "anywidget-command"},
        {"pvlink": "fly", "channel": "0" * 32},
        {"pvlink": "ticket", "channel": "0" * 31},
        {"pvlink": "ticket", "channel": "0" * 32, "ticket": "short", "key": "0" * 64},
        {"pvlink": "ticket", "channel": "0" * 32, "ticket": "0" * 32, "key": ""},
        {"pvlink": "ticket", "channel": "0" * 32},
        {"pvlink": "data", "channel": "0" * 32, "seq": -1},
        {"pvlink": "data", "channel": "0" * 32, "text": "x" * 5000},
        {"pvlink": "close", "channel": "0" * 32},
    ],
)
async def test_what_is_no_viewers_message_changes_nothing(browser: Browser, content: object) -> None:
    browser.board.heard(content, [])

    assert len(browser.board) == 0
    assert browser.heard == []


async def test_a_direct_door_is_told_and_opens_for_its_own_tickets_only(
    browser: Browser, kernel: Kernel, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Session(kernel).ask("direct", host="127.0.0.1", port=0)["door"]
    assert Session(kernel).ask("direct", host="127.0.0.1", port=0)["door"] == door
    browser.ticket(direct=True)
    assert browser.words("granted")[0]["door"] == door
    # A ticket for that door is not good at this one.
    browser.say("open")
    await browser.hears("open")
    browser.say("data", text=msgspec.json.encode(Greet(PROTOCOL_VERSION, browser.grant.ticket, "n" * 24)).decode())

    assert (await browser.hears("closed"))["code"] == 4401
