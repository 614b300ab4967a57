"""An outpost, without a job around it: who is let in, what is asked of it, and its end."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.launchers.outpost import words
from pvlink.version import __version__
from tests.integration.household import until

pytestmark = pytest.mark.cluster


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2**32 - 1), st.binary(max_size=50))), st.data())
def test_news_are_whole_however_they_are_cut(told: list[tuple[int, int, bytes]], data: st.DataObject) -> None:
    sent = b"".join(words.NEWS.pack(kind, number, len(body)) + body for kind, number, body in told)
    parts, heard = words.Parts(), []
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        parts.feed(sent[:size])
        sent = sent[size:]
        while (news := parts.news()) is not None:
            heard.append(news)
    assert heard == told


@pytest.mark.parametrize("head", [words.HEAD.pack(words.MOST_TEXT + 1, 0), words.HEAD.pack(0, words.PART + 1)])
def test_a_message_has_a_bound(head: bytes) -> None:
    parts = words.Parts()
    parts.feed(head)
    with pytest.raises(ValueError, match="a message of"):
        parts.message()


def test_a_line_has_a_bound() -> None:
    parts = words.Parts()
    parts.feed(b"x" * (words.MOST_LINE + 1))
    with pytest.raises(ValueError, match="a line of more than"):
        parts.line()


class Annex:
    """The steward's side of a real one."""

    def __init__(self, folder: Path) -> None:
        self._post, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {**os.environ, "PVLINK_RUNTIME_DIR": str(folder), "PVLINK_OUTPOST": "/nowhere/pvpython"}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "pvlink.launchers.outpost", "--fd", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment,
            )
        self._post.settimeout(30)

    def visit(self, said: bytes = b"", first: bytes = b"") -> socket.socket:
        """A visitor who has said `first` before he was handed on."""
        mine, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._post, [first], [theirs.fileno()])
        mine.settimeout(30)
        if said:
            mine.sendall(said)
        return mine

    def word(self) -> str:
        return self._post.recv(64).decode()

    def end(self) -> int:
        self._post.close()
        return self.process.wait(20)


@pytest.fixture
def annex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Annex]:
    # A socket's path is short.
    folder = Path("/tmp", f"pv-{secrets.token_hex(4)}")
    folder.mkdir(mode=0o700)
    one = Annex(folder)
    yield one
    with suppress(OSError):
        one.end()
    assert list(folder.iterdir()) == []
    folder.rmdir()


def visit(session: str, what: Any, version: str = __version__) -> bytes:
    return words.Visit(session, what, version).line()


def ask(desk: socket.socket, op: str, blob: bytes = b"", **facts: Any) -> tuple[dict[str, Any], bytes]:
    text = json.dumps({"id": 7, "op": op, **facts}).encode()
    desk.sendall(words.HEAD.pack(len(text), len(blob)) + text + blob)
    parts = words.Parts()
    while (answer := parts.message()) is None:
        data = desk.recv(1 << 16)
        assert data
        parts.feed(data)
    return json.loads(answer[0]), answer[1]


def test_who_is_not_let_in_is_told_why(annex: Annex) -> None:
    session = secrets.token_hex(16)
    for line, why in (
        (visit("../../etc", "desk"), "This is no session of pvlink's."),
        (visit(session, "desk", "0.0.0"), "asks: both must be the same."),
        (visit(session, "news"), "This session has no outpost here."),
    ):
        with annex.visit(line) as door:
            said = b"".join(iter(lambda door=door: door.recv(4096), b""))  # type: ignore[misc]
        assert said.startswith(words.REFUSED)
        assert why in said.decode()


@pytest.mark.parametrize("garbage", [b"\n", b"{}\n", b'{"session": 3}\n', b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 2000])
def test_garbage_at_its_door_is_sent_away(annex: Annex, garbage: bytes) -> None:
    # Reset where it had not read all of it.
    with annex.visit(garbage) as door, suppress(ConnectionResetError):
        assert door.recv(100) == b""
    with annex.visit(visit(secrets.token_hex(16), "desk")) as desk:
        assert desk.recv(1) == words.WELCOME


def test_a_desk_answers_and_its_end_is_the_end_of_the_session(annex: Annex) -> None:
    session = secrets.token_hex(16)
    # What was said before the steward handed it on counts as well.
    with annex.visit(first=visit(session, "desk")) as desk:
        assert desk.recv(1) == words.WELCOME
        assert annex.word() == "used"
        answer, _ = ask(desk, "hello", pvpython=None)
        assert answer["id"] == 7
        assert "There is no /nowhere/pvpython on" in answer["error"]
        assert "engine.pvpython" in answer["error"]
        assert ask(desk, "dance")[0]["error"] == "An outpost cannot do 'dance'."
        assert ask(desk, "meet")[0]["error"] == "There are no two who could meet."
        assert "KeyError" in ask(desk, "collect", number=4, offset=0)[0]["error"]
        # A file in parts, there and back.
        whole = os.urandom(words.PART + 1000)
        assert ask(desk, "memory", number=4, size=len(whole))[0]["ok"]
        for offset in range(0, len(whole), words.PART):
            assert ask(desk, "part", whole[offset : offset + words.PART], number=4, offset=offset)[0]["ok"]
        first, second = (ask(desk, "collect", number=4, offset=offset) for offset in (0, words.PART))
        assert first[0]["size"] == len(whole)
        assert first[1] + second[1] == whole
        assert ask(desk, "drop", number=4)[0]["ok"]
    assert annex.word() == "free"
    assert annex.end() == 0


def test_a_second_desk_takes_the_place_of_the_first(annex: Annex) -> None:
    session = secrets.token_hex(16)
    with annex.visit(visit(session, "desk")) as first, annex.visit(visit(session, "desk")) as second:
        assert first.recv(1) == second.recv(1) == words.WELCOME
        assert annex.word() == annex.word() == "used"
        first.close()
        # That was not the end of the session.
        assert ask(second, "worked")[0] == {"id": 7, "ok": True, "seconds": 0.0}


def test_a_viewer_without_a_streamer_is_not_kept(annex: Annex) -> None:
    session = secrets.token_hex(16)
    with annex.visit(visit(session, "desk")) as desk:
        assert desk.recv(1) == words.WELCOME
        with annex.visit(visit(session, "viewer")) as viewer:
            assert viewer.recv(1) == b""


def test_it_ends_when_its_steward_does(annex: Annex) -> None:
    with annex.visit(visit(secrets.token_hex(16), "desk")) as desk:
        assert desk.recv(1) == words.WELCOME
        assert annex.end() == 0
        until(lambda: desk.recv(1) == b"")
