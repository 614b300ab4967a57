"""The engine's end of the post: streamers' sockets and memory, in whatever order they are read."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pvlink.engine.post import Post

pytestmark = pytest.mark.ways


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Post]]:
    kernel, engine = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield kernel, Post(engine)
    for end in (kernel, engine):
        end.close()


def send(kernel: socket.socket, words: str, content: bytes = b"") -> None:
    fd = os.memfd_create("test")
    os.write(fd, content)
    socket.send_fds(kernel, [words.encode()], [fd])
    os.close(fd)


def content(fd: int) -> bytes:
    read = os.pread(fd, 100, 0)
    os.close(fd)
    return read


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_memory_is_found_by_its_number_and_a_streamer_waits_meanwhile(ends: tuple[socket.socket, Post]) -> None:
    kernel, post = ends
    send(kernel, "streamer", b"s")
    send(kernel, "memory 7", b"m")
    assert content(post.memory(7)) == b"m"
    assert post.waiting
    fd = post.streamer()
    assert fd is not None
    assert content(fd) == b"s"
    assert (post.waiting, post.streamer(), post.ended) == (False, None, False)


def test_memory_of_requests_that_never_came_is_let_go(ends: tuple[socket.socket, Post]) -> None:
    kernel, post = ends
    before = descriptors()
    for number in range(5):
        send(kernel, f"memory {number}")
    os.close(post.memory(4))
    assert descriptors() == before
    with pytest.raises(ValueError, match="memory 3 has not come"):
        post.memory(3)


def test_the_newest_streamer_counts_and_strange_words_are_dropped(ends: tuple[socket.socket, Post]) -> None:
    kernel, post = ends
    before = descriptors()
    for words in ("streamer", "memory", "memory x", "cake 3", "streamer"):
        send(kernel, words, words.encode())
    fd = post.streamer()
    assert fd is not None
    os.close(fd)
    assert descriptors() == before


def test_the_end_of_the_kernel_is_said(ends: tuple[socket.socket, Post]) -> None:
    kernel, post = ends
    kernel.close()
    assert post.streamer() is None
    assert post.ended
