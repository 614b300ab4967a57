"""Questions to a process of ours, from two threads, and what its end looks like between them."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from pvlink.control import PATIENCE, Control
from pvlink.errors import PvlinkError, StreamerLost

HEAD = struct.Struct("<II")


def answer(sock: socket.socket) -> None:
    """The next question, with its own facts."""
    length, blob = HEAD.unpack(sock.recv(HEAD.size, socket.MSG_WAITALL))
    question = json.loads(sock.recv(length + blob, socket.MSG_WAITALL))
    text = json.dumps({"id": question["id"], "ok": True, "op": question["op"]}).encode()
    sock.sendall(HEAD.pack(len(text), 0) + text)


@pytest.fixture
def ends() -> Iterator[tuple[Control, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    control = Control(ours, lambda: StreamerLost("gone"))
    yield control, theirs
    control.close()
    theirs.close()


def test_an_answer_that_another_thread_has_taken_is_not_waited_for(ends: tuple[Control, socket.socket]) -> None:
    control, other = ends
    threading.Thread(target=answer, args=(other,)).start()
    assert control.ask("anything")[0]["op"] == "anything"

    # The event loop has seen it come, and gets its turn only now.
    began = time.monotonic()
    assert control.serve_idle()
    assert time.monotonic() - began < PATIENCE / 5


def test_an_answer_that_nobody_waits_for_any_more_is_dropped(ends: tuple[Control, socket.socket]) -> None:
    control, other = ends
    with pytest.raises(PvlinkError):
        control.ask("slow", patience=0.05)
    answer(other)
    assert control.serve_idle()

    threading.Thread(target=answer, args=(other,)).start()
    assert control.ask("next")[0]["op"] == "next"


def test_its_end_is_noticed(ends: tuple[Control, socket.socket]) -> None:
    control, other = ends
    other.close()
    assert not control.serve_idle()
