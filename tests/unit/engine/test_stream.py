"""The engine's streamers: the first, a later one, one that went away."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink.engine import stream as module
from pvlink.engine.stream import Stream, remove_dead

pytestmark = pytest.mark.trust


@pytest.fixture
def post() -> Iterator[tuple[socket.socket, Stream]]:
    kernel, engine = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stream = Stream(engine)
    yield kernel, stream
    stream.close()
    for end in (kernel, engine):
        end.close()


def send_streamer(kernel: socket.socket) -> socket.socket:
    """Post one end of a new pair; the streamer's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        socket.send_fds(kernel, [b"streamer"], [ours.fileno()])
    theirs.settimeout(2)
    return theirs


def test_before_the_first_streamer_nothing_is_said_or_heard(post: tuple[socket.socket, Stream]) -> None:
    _, stream = post
    stream.send({"op": "busy"})
    assert (stream.open, stream.fileno(), stream.receive(), stream.take()) == (False, -1, [], False)


def test_a_later_streamer_takes_the_place_of_the_first(post: tuple[socket.socket, Stream]) -> None:
    kernel, stream = post
    with send_streamer(kernel) as first:
        assert stream.take()
        stream.send({"op": "hello"})
        assert json.loads(first.recv(100)) == {"op": "hello"}
        with send_streamer(kernel) as second:
            assert stream.take()
            assert first.recv(100) == b""
            second.send(b'{"op": "want"}')
            assert stream.receive() == [{"op": "want"}]


def test_a_streamer_that_went_away_is_noticed_and_not_raised(post: tuple[socket.socket, Stream]) -> None:
    kernel, stream = post
    streamer = send_streamer(kernel)
    assert stream.take()
    streamer.close()
    stream.send({"op": "idle"})
    assert stream.receive() == []
    assert not stream.open
    with send_streamer(kernel):
        assert stream.take()
        assert stream.open


def test_the_end_of_the_kernel_is_no_streamer(post: tuple[socket.socket, Stream]) -> None:
    kernel, stream = post
    kernel.close()
    assert not stream.take()


def test_only_a_dead_streamers_socket_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "DYING", 2)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        listener.listen()
        remove_dead("s")
        assert Path("s").exists()
    remove_dead("s")
    assert not Path("s").exists()
    remove_dead("s")
