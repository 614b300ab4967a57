"""The streamer's relay to a ParaView server, as the kernel works it: opened, asked, cut, closed. docs/wire.md has "
"it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pvlink.errors import ServerError, StreamerLost

# How often it is asked how far it is, in seconds.
TICK = 0.05
# How long the relay may take beyond what it was given, before it counts as stuck.
GRACE = 3.0
# A hung server: nothing came from it for so long (seconds) after the user has interrupted a call that waits for it.
SILENT = 2.5
# How long ParaView may take to notice that it was cut off.
NOTICE = 2.0

# How a relay is that nobody has asked for anything.
NOTHING: dict[str, Any] = {
    "state": "none",
    "received": 0,
    "sent": 0,
    "rtt": None,
    "heard": 0.0,
    "message": "",
    "reason": "",
}

# The session's way to ask the streamer: an operation, its facts, and perhaps a descriptor.
Ask = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Line:
    """One connection: to a host and port, from whoever comes to one, a socket that is connected already, or a path."""

    way: str
    host: str = ""
    port: int = 0
    socket: socket.socket | None = None

    def facts(self) -> dict[str, Any]:
        return {"way": self.way} if self.way == "fd" else {"way": self.way, "host": self.host, "port": self.port}


@dataclass(frozen=True)
class Wish:
    """What the relay is to make."""

    lines: tuple[Line, ...]
    # Of the client: "5.11".
    version: str
    label: str
    connect_id: int = 0
    timeout: float = 10.0
    # Also a listener of another user's on this machine.
    trust: bool = False
    # Of its first process, if it was started here.
    pid: int = 0


class Link:
    """The relay of a session; at most one server is behind it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def begin(self, wish: Wish) -> None:
        """Let it make the connection, in the background."""
        facts = {
            "lines": [line.facts() for line in wish.lines],
            "version": wish.version,
            "connect_id": wish.connect_id,
            "timeout": wish.timeout,
            "label": wish.label,
            "trust": wish.trust,
            "pid": wish.pid,
        }
        sockets = [line.socket for line in wish.lines if line.socket is not None]
        try:
            self._ask("server-open", server=facts, fd=sockets[0].fileno() if sockets else None)
        finally:
            # The relay has its own copy; this one would keep the connection open after its end.
            for each in sockets:
                each.close()

    def wait(self, wish: Wish, told: Callable[[float, dict[str, Any]], None]) -> list[int]:
        """The relay's ports, once the server is there. `told` hears how long it has taken; an interrupt ends it."""
        began = time.monotonic()
        try:
            while True:
                state = self.state()
                waited = time.monotonic() - began
                if state["state"] in ("ready", "live"):
                    ports: list[int] = state["ports"]
                    return ports
                if state["state"] != "opening":
                    raise ServerError(
                        state["message"] or f"{wish.label} is not connected.", state["reason"] or "failed"
                    )
                if waited > wish.timeout + GRACE:
                    raise ServerError(f"The relay to {wish.label} has not answered for {waited:.0f} s.", "silent")
                told(waited, state)
                time.sleep(TICK)
        except BaseException:
            self.close()
            raise

    def state(self) -> dict[str, Any]:
        """How it is; see docs/wire.md."""
        state: dict[str, Any] = self._ask("server-state")["server"]
        return state

    def cut(self, why: str) -> None:
        """End both sides at once: whoever waits for the server is free."""
        self._ask("server-cut", message=why)

    def close(self) -> None:
        """In order. Nothing where the streamer is gone: it took the connection with it."""
        try:
            self._ask("server-close")
        except (StreamerLost, ValueError):
            return
