"""Events of one moment, of which one undoes what another is about."""

from __future__ import annotations

import selectors
import socket

from pvlink.launchers.node.events import heed


def test_what_was_let_go_of_in_the_same_moment_is_not_called() -> None:
    called: list[str] = []
    pairs = {name: socket.socketpair() for name in ("one", "other")}
    with selectors.DefaultSelector() as watch:

        def call(name: str) -> None:
            called.append(name)
            rest = next(one for one in pairs if one != name)
            watch.unregister(pairs[rest][0])
            pairs[rest][0].close()

        for name, (end, peer) in pairs.items():
            watch.register(end, selectors.EVENT_READ, lambda _, name=name: call(name))
            peer.send(b"x")
        heed(watch, 1.0)
        assert len(called) == 1
    for ends in pairs.values():
        for end in ends:
            end.close()


def test_nor_is_who_has_the_same_number_now() -> None:
    """A closed socket's number is given out again at once."""
    called: list[str] = []
    first, second = socket.socketpair(), socket.socketpair()
    later: list[socket.socket] = []
    with selectors.DefaultSelector() as watch:

        def call(name: str, other: socket.socket) -> None:
            called.append(name)
            if len(called) == 1:
                number = other.fileno()
                watch.unregister(other)
                other.close()
                later.extend(socket.socketpair())
                assert number in [one.fileno() for one in later]
                again = next(one for one in later if one.fileno() == number)
                watch.register(again, selectors.EVENT_READ, lambda _: called.append("stranger"))

        watch.register(first[0], selectors.EVENT_READ, lambda _: call("first", second[0]))
        watch.register(second[0], selectors.EVENT_READ, lambda _: call("second", first[0]))
        for pair in (first, second):
            pair[1].send(b"x")
        heed(watch, 1.0)
        assert called in (["first"], ["second"])
    for end in (*first, *second, *later):
        end.close()
