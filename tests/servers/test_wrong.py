"""Ten ways to get a connection wrong: each said in a sentence, within the time that was asked for.

The table in docs/how-to/servers.md is these; `python -m tests.servers.test_wrong` measures it anew.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.integration.interpreter import Kernel
from tests.servers.pvservers import ByHand, free_ports, needs_servers
from tests.unit.streamer.pvserver import nasty

pytestmark = needs_servers
TIMEOUT = 2.0
# An answer within the timeout may come this much later: the kernel asks every 50 ms, on a machine that is busy.
MORE = 1.5
WEB = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n"


@dataclass(frozen=True)
class Wrong:
    """What is connected to, and what is said of it."""

    name: str
    reason: str
    part: str
    # Gives what `session.connect` is called with, while it lasts.
    place: Callable[[], contextlib.AbstractContextManager[str]]


@contextlib.contextmanager
def closed() -> Iterator[str]:
    yield f"'cs://127.0.0.1:{free_ports(1)[0]}'"


def fake(serve: nasty.Serve) -> Callable[[], contextlib.AbstractContextManager[str]]:
    @contextlib.contextmanager
    def place() -> Iterator[str]:
        with nasty.listening(serve) as port:
            yield f"'cs://127.0.0.1:{port}'"

    return place


@contextlib.contextmanager
def another_id() -> Iterator[str]:
    with ByHand("direct", 1, "", "--connect-id=4711").start() as server:
        server.ready()
        yield f"'{server.address}', connect_id=4712"


@contextlib.contextmanager
def unknown_name() -> Iterator[str]:
    yield "'cs://node17.invalid:11111'"


@contextlib.contextmanager
def firewall() -> Iterator[str]:
    """What comes is dropped, as by a firewall: the queue of those who wait to be accepted is full."""
    with socket.socket() as listener, contextlib.ExitStack() as full:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            one = full.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield f"'cs://127.0.0.1:{listener.getsockname()[1]}'"


@contextlib.contextmanager
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"'csrc://:{listener.getsockname()[1]}'"


@contextlib.contextmanager
def second_client() -> Iterator[str]:
    with ByHand("direct", 1, "").start() as server:
        server.ready()
        first = nasty.client(int(server.address.rpartition(":")[2]))
        with first:
            yield f"'{server.address}'"


WRONG = [
    Wrong("a port where nobody listens", "refused", "Nothing takes a connection at", closed),
    Wrong("a port that says nothing", "silent", "accepts a connection and says nothing", fake(nasty.silent)),
    Wrong("a web server's port", "not-paraview", "HTTP/1.1 400", fake(nasty.says(WEB))),
    Wrong("another connect-id", "wrong-id", "connection id", another_id),
    Wrong("another version", "wrong-version", "Server 5.9, this engine 5.11", fake(nasty.paraview("5.9"))),
    Wrong("a name that does not resolve", "name", "node17.invalid", unknown_name),
    Wrong("a firewall that drops", "silent", "does not answer at all", firewall),
    Wrong("a server that dies in the handshake", "died", "in the middle", fake(nasty.dies_after(21))),
    Wrong("a port in use, in reverse", "port-in-use", "listens on that port already", taken_port),
    Wrong("a second client", "refused", "takes one and closes its door", second_client),
]


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel.started() as kernel:
        yield kernel


def attempt(kernel: Kernel, place: str) -> tuple[float, tuple[str, str] | None, str]:
    """Seconds, what was raised, and its reason in a word."""
    began = time.monotonic()
    said = kernel.attempt(
        f"answer = ''\ntry:\n    session.connect({place}, timeout={TIMEOUT})\n"
        "except pvlink.ServerError as error:\n    answer = error.reason\n    wrong = str(error)\n    "
        "print(wrong)\n"
    )
    return time.monotonic() - began, said.wrong or ("ServerError", said.out.strip()), said.answer


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name.replace(" ", "-"))
def test_it_is_said_in_time(kernel: Kernel, wrong: Wrong) -> None:
    with wrong.place() as place:
        seconds, (error, message), reason = attempt(kernel, place)  # type: ignore[misc]

    assert (error, reason) == ("ServerError", wrong.reason), message
    assert wrong.part in message
    assert seconds < TIMEOUT + MORE
    # The session is as it was.
    assert kernel.run(
        "answer = [session.server is None, session.alive, Sphere().GetDataInformation() is not None]"
    ) == [
        True,
        True,
        True,
    ]


def main() -> None:
    """The table of docs/how-to/servers.md."""
    with Kernel.started() as kernel:
        for wrong in WRONG:
            with wrong.place() as place:
                seconds, error, reason = attempt(kernel, place)
            print(f"| {wrong.name} | {seconds:.1f} s | `{reason}` | {error[1] if error else ''} |")  # noqa: T201


if __name__ == "__main__":
    main()
