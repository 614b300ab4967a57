"""The bytes between kernel and engine, in whatever pieces they come."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator

import pytest
from rpyc.lib import Timeout

from pvlink.engine.pipe import Pipe

Ends = tuple[Pipe, Pipe]


@pytest.fixture
def ends() -> Iterator[Ends]:
    one, other = (Pipe(end) for end in socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_what_is_written_is_read_in_any_pieces(ends: Ends) -> None:
    ours, theirs = ends
    ours.write(b"one")
    ours.write(b"two")
    assert [theirs.read(2), theirs.read(0), theirs.read(4)] == [b"on", b"", b"etwo"]


def test_more_than_the_socket_holds_goes_through(ends: Ends) -> None:
    ours, theirs = ends
    data = random.Random(1).randbytes(5_000_000)
    writer = threading.Thread(target=ours.write, args=(data,))
    writer.start()
    assert theirs.read(len(data)) == data
    writer.join()


def test_it_tells_whether_there_is_something_to_read(ends: Ends) -> None:
    ours, theirs = ends
    assert not theirs.poll(Timeout(0))
    ours.write(b"x")
    assert theirs.poll(Timeout(0))
    assert theirs.poll(Timeout(None))


def test_the_end_of_the_other_side_is_an_end_of_file(ends: Ends) -> None:
    ours, theirs = ends
    ours.write(b"la")
    ours.close()
    assert theirs.poll(Timeout(None))
    with pytest.raises(EOFError, match="closed the connection"):
        theirs.read(4)
    assert theirs.closed
    for attempt in (lambda: theirs.read(1), lambda: theirs.write(b"x"), theirs.fileno, lambda: theirs.poll(Timeout(0))):
        with pytest.raises(EOFError):
            attempt()
    theirs.close()


def test_writing_to_nobody_is_an_end_of_file(ends: Ends) -> None:
    ours, theirs = ends
    theirs.close()
    with pytest.raises(EOFError):
        ours.write(b"x" * 1_000_000)
