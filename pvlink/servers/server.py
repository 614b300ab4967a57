"""A connected ParaView server, as a user has it."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pvlink.servers.connected import Connected
    from pvlink.servers.origins import Origin


@dataclass(frozen=True)
class Rank:
    """One process of a server: its memory in bytes, and that of its machine."""

    rank: int
    host: str
    used: int
    of: int


@dataclass(frozen=True)
class Traffic:
    """What has passed between ParaView and its server."""

    received: int
    sent: int
    # Of a connection's making, in milliseconds; none where it was not we who connected.
    rtt: float | None
    # Seconds since the server has said something.
    silent: float


class Server:
    """What `session.connect()` and `session.serve()` give. It ends with `disconnect()`, with the session, or by "
    "itself."""

    def __init__(self, session: Connected, origin: Origin, facts: dict[str, Any], version: str) -> None:
        self._session = session
        self._origin = origin
        self._facts = facts
        # Of ParaView, as far as it is known: "5.11.0" or "5.11".
        self.version = version
        self.since = time.time()

    @property
    def address(self) -> str:
        """How it was reached."""
        return self._origin.label

    @property
    def ranks(self) -> int:
        """Of how many processes it is."""
        ranks: int = self._facts["ranks"]
        return ranks

    @property
    def safety(self) -> str:
        """What others can do to it and what not, in a sentence."""
        return self._origin.safety

    @property
    def alive(self) -> bool:
        """Whether it is the session's, and there."""
        return self._session.server is self and self._session.server_state()["state"] == "live"

    @property
    def rendering(self) -> str:
        """Who draws: "server" or "client"; `rendering_why` says why."""
        return self._rendering()[0]

    @property
    def rendering_why(self) -> str:
        """Why the one who draws does."""
        return self._rendering()[1]

    def _rendering(self) -> tuple[str, str]:
        if not self._facts["draws"]:
            return "client", (
                "The server can draw nothing: it has no display, and its ParaView neither EGL nor OSMesa. So all "
                "geometry is sent to this side and drawn here. Start it with a display (Xvfb will do: DISPLAY=:1 "
                "pvserver ...), or use a ParaView with EGL or OSMesa there."
            )
        if self._origin.options.render == "client":
            return "client", "As asked: connect(..., render='client')."
        if self._origin.options.render == "auto":
            return "server", "As ParaView has it: below 20 MB of geometry this side draws, above it the server."
        return "server", "The server draws and sends pictures."

    @property
    def compression(self) -> str:
        """How its pictures are packed on their way here, and why."""
        return self._origin.packing.sentence

    def memory(self) -> list[Rank]:
        """Of each rank, now. Of a server that was started here also while it is at work."""
        own = self._origin.memory()
        found = own if own is not None else self._session.desk.server_memory()
        return [Rank(one["rank"], one["host"], one["used"], one["of"]) for one in found]

    @property
    def traffic(self) -> Traffic:
        """What has passed so far."""
        state = self._session.server_state()
        return Traffic(state["received"], state["sent"], state["rtt"], state["heard"])

    def disconnect(self) -> None:
        """Back to the pipeline of this session itself. The server ends with its client; `reconnect()` starts anew."""
        if self._session.server is self:
            self._session.disconnect()

    def __repr__(self) -> str:
        if self._session.server is not self:
            return f"<ParaView server {self.address}: not connected>"
        state = self._session.server_state()["state"]
        how = (
            f"{self.ranks} rank{'s' if self.ranks > 1 else ''}, ParaView {self.version}, drawn by the {self.rendering}"
        )
        return f"<ParaView server {self.address}: {how}{'' if state == 'live' else f', {state}'}>"

    def _repr_html_(self) -> str:
        if self._session.server is not self:
            return html.escape(repr(self))
        now = self._session.server_state()
        rows: list[tuple[str, str]] = [
            ("Address", self.address),
            *([] if now["state"] == "live" else [("State", f"{now['state']}. {now['message']}")]),
            ("ParaView", self.version),
            ("Ranks", str(self.ranks)),
            ("Drawn by", f"{self.rendering}. {self.rendering_why}"),
            ("Pictures", self.compression),
            ("Safety", self.safety),
        ]
        hosts: dict[str, list[int]] = {}
        for one in self._facts["memory"]:
            hosts.setdefault(one["host"], []).append(one["used"])
        rows += [
            (f"Memory on {host or 'its host'}", ", ".join(f"{used / 2**20:.0f} MB" for used in all_used))
            for host, all_used in hosts.items()
        ]
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in rows
        )
        return f"<table><caption style='text-align:left'>ParaView server</caption>{cells}</table>"


Told = Callable[[float, dict[str, Any]], None]
