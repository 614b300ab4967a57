"""The process that holds a session's socket at home: whom it lets through, and its end."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink import rendezvous
from pvlink.errors import JobError
from pvlink.launchers.far.entry import Entry
from tests.integration.household import until

pytestmark = pytest.mark.cluster


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = Path("/tmp", f"pv-{secrets.token_hex(4)}")
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("PVLINK_RUNTIME_DIR", str(folder))
    yield secrets.token_hex(16)
    assert list(folder.iterdir()) == []
    folder.rmdir()


class Streamer:
    """Answers each viewer with what he has said, twice."""

    def __init__(self) -> None:
        self.visits = 0

    def connect(self) -> socket.socket:
        self.visits += 1
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._answer, args=[theirs], daemon=True).start()
        return ours

    def _answer(self, sock: socket.socket) -> None:
        with sock:
            while data := sock.recv(1 << 16):
                sock.sendall(data * 2)


def viewer(session: str) -> socket.socket:
    path = rendezvous.find(session)
    assert path is not None
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(30)
    sock.connect(str(path))
    return sock


def test_each_viewer_has_a_connection_of_its_own(session: str) -> None:
    streamer = Streamer()
    entry = Entry(session, streamer.connect)
    with viewer(session) as one, viewer(session) as other:
        one.sendall(b"one")
        other.sendall(b"other")
        assert _exactly(one, 6) == b"oneone"
        assert _exactly(other, 10) == b"otherother"
        assert streamer.visits == 2
        # More than any buffer holds.
        big = b"x" * 3_000_000
        sender = threading.Thread(target=one.sendall, args=[big])
        sender.start()
        assert len(_exactly(one, 2 * len(big))) == 2 * len(big)
        sender.join()
    entry.end()
    assert not entry.alive


def test_where_there_is_no_way_a_viewer_is_sent_away(session: str) -> None:
    def nowhere() -> socket.socket:
        raise JobError("the job has ended")

    entry = Entry(session, nowhere)
    with viewer(session) as one:
        assert one.recv(1) == b""
    # The next one may have more luck.
    assert entry.alive
    entry.end()


def test_a_streamer_that_goes_takes_its_viewers_along(session: str) -> None:
    ends: list[socket.socket] = []

    def connect() -> socket.socket:
        ours, theirs = socket.socketpair()
        ends.append(theirs)
        return ours

    entry = Entry(session, connect)
    with viewer(session) as one:
        until(lambda: ends)
        ends[0].close()
        assert one.recv(1) == b""
    entry.end()


def _exactly(sock: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = sock.recv(1 << 16)
        assert part
        found += part
    return bytes(found)
